/**
 * Scripts in which a joiner between two letters changes what is written; elsewhere it only makes two names differ that
 * look the same (Unicode Standard, chapter 23.2).
 */
const JOINING_SCRIPTS = [
  'Arabic',
  'Syriac',
  'Mongolian',
  'Devanagari',
  'Bengali',
  'Gurmukhi',
  'Gujarati',
  'Oriya',
  'Tamil',
  'Telugu',
  'Kannada',
  'Malayalam',
  'Sinhala',
  'Khmer',
]
  .map((script) => String.raw`\p{Script=${script}}`)
  .join('');

const JOINERS = String.raw`[\u200c\u200d]`;
const PICTOGRAPH = String.raw`[\p{Extended_Pictographic}\p{Emoji_Modifier}\ufe0f]`;
/** Everything that is not drawn: direction overrides, zero-width characters, fillers, tags, soft hyphens, joiners, variation selectors. */
const UNSEEN = new RegExp(
  [
    String.raw`(?<![${JOINING_SCRIPTS}])(?<!${PICTOGRAPH})${JOINERS}`,
    String.raw`(?<![\p{Script=Han}\p{Script=Mongolian}\p{Extended_Pictographic}])\p{Variation_Selector}`,
    String.raw`(?![\u200c\u200d\p{Variation_Selector}])[\p{Cf}\p{Default_Ignorable_Code_Point}]`,
  ].join('|'),
  'gu',
);

/**
 * Whether Koha would run a value instead of printing it: a notice fills its `<<borrowers.surname>>` in first, and processes the text that
 * this gives as a template, Perl included (C4/Letters.pm, `_parseletter` and `_process_tt` with `EVAL_PERL`, 23.11 to 26.05).
 */
export const isTemplate = (value: string): boolean => /\[%|<</.test(value);

/**
 * A value as one line of visible text: control characters and line breaks become one blank; halves of characters and all
 * that is not drawn go, save where a script needs it; outer blanks go. HTML is left as what it is, text. Marks of Koha's templates are
 * parted, and no directive can begin in one value and end in the next. Takes time in proportion to the length, so bound that first.
 */
export function cleanText(value: string): string {
  return value
    .replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
    .replaceAll(/\p{Cs}/gu, '')
    .replaceAll(UNSEEN, '')
    .replaceAll(/\[(?=%)|<(?=<)/g, '$& ')
    .replace(/^[%\s]+/, '')
    .trim();
}
