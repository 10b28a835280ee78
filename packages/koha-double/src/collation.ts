const plain = /^[\x20-\x7e]*$/;
const trailingBlanks = / +$/;

/** Characters that count for nothing: controls other than white space, marks of direction, and what has no width. */
const ignored = /(?![\t-\r\u0085\u00ad])[\p{Cc}\p{Cf}]/u;
const marks = /[\p{Mn}\p{Me}]/gu;
/** Accents that stand alone, and letters of which the accent is a part of their own. */
const whole = /[\u00a8\u00af\u00b4\u00b8\u1e9e\u2017йіїўѓќЙІЇЎЃЌ]/;
/** Marks that are letters: U+0363 to U+036F. */
const letterMarks = 'aeioucdhmrtvx';
const finals = new Map([
  ['ך', 'כ'],
  ['ם', 'מ'],
  ['ן', 'נ'],
  ['ף', 'פ'],
  ['ץ', 'צ'],
  ['ς', 'σ'],
  ['ґ', 'г'],
  ['ゕ', 'か'],
  ['ゖ', 'け'],
]);
const smallKana = /[ぁぃぅぇぉっゃゅょゎ]/;

/** The forms of characters that are not plain, as they are met. */
const forms = new Map<string, string>();

/**
 * The form under which Koha's database compares text (utf8mb4_unicode_ci): letter case, accents, widths and trailing
 * blanks do not count, nor does what is not seen. Two texts are the same to Koha when their collated forms are equal.
 */
export function collate(text: string): string {
  if (plain.test(text)) return text.toLowerCase().replace(trailingBlanks, '');
  let collated = '';
  for (const char of text) collated += formOf(char);
  return collated.replace(trailingBlanks, '');
}

function formOf(char: string): string {
  const known = forms.get(char);
  if (known !== undefined) return known;
  const form = makeForm(char);
  forms.set(char, form);
  return form;
}

function makeForm(char: string): string {
  const code = char.codePointAt(0) ?? 0;
  // Beyond the basic plane all characters are one to this collation.
  if (code > 0xffff) return '\u{10ffff}';
  if (ignored.test(char)) return '';
  if (code >= 0x363 && code <= 0x36f) return letterMarks.charAt(code - 0x363);
  if (code >= 0x660 && code <= 0x669) return String(code - 0x660);
  if (whole.test(char)) return char.toLowerCase();
  const bare = char.normalize('NFKD').replace(marks, '').toLowerCase().normalize('NFKD').replace(marks, '');
  return Array.from(bare.replaceAll('ß', 'ss'), last).join('');
}

/** Final letters are like the others, and so are small kana and katakana. */
function last(letter: string): string {
  const code = letter.charCodeAt(0);
  const kana = code >= 0x30a1 && code <= 0x30f6 ? String.fromCharCode(code - 0x60) : letter;
  if (smallKana.test(kana)) return String.fromCharCode(kana.charCodeAt(0) + 1);
  return finals.get(kana) ?? kana;
}
