import type { Double } from '../double.ts';

/**
 * `_generate_userid_internal` of `Koha/Patron.pm`: `firstname.surname` in small letters without digits, blanks,
 * punctuation and marks, numbered when taken. Somebody without a name becomes "1", "2", ...
 */
export function generateUserid(double: Double, given: Readonly<Record<string, unknown>>): string {
  const first = bare(given['firstname']);
  const last = bare(given['surname']);
  const base = (first === '' ? last : `${first}.${last}`)
    .toLowerCase()
    .normalize('NFKD')
    .replace(/\p{Mn}/gu, '');
  for (let offset = 0; ; offset++) {
    const candidate = offset === 0 ? base : `${base}${offset}`;
    if (candidate !== '' && double.db.patrons.withUserid(candidate) === undefined) return candidate;
  }
}

function bare(value: unknown): string {
  return typeof value === 'string' ? value.replace(/[\p{Nd}\s\p{P}\p{Cc}$+<=>^`|~]/gu, '') : '';
}
