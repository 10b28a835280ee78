const plain = /^[\x20-\x7e]*$/;
const accents = /[\u0300-\u036f\u3099\u309a]/g;
const trailingBlanks = / +$/;

/**
 * The form under which Koha's database compares text (utf8mb4_unicode_ci): letter case, accents and trailing
 * blanks do not count. Two texts are the same to Koha when their collated forms are equal.
 */
export function collate(text: string): string {
  if (plain.test(text)) return text.toLowerCase().replace(trailingBlanks, '');
  return text
    .normalize('NFD')
    .replace(accents, '')
    .toLowerCase()
    .replaceAll('ß', 'ss')
    .normalize('NFC')
    .replace(trailingBlanks, '');
}
