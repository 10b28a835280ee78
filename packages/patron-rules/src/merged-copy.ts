import type { CopyPolicy } from '@passport/config';
import type { KohaPatron } from '@passport/koha-client';
import { dayAfter } from './day-after.ts';

/** What a copy here can look like; anything else that has a home key had a copy merged into it. */
export interface CopyTraits {
  /** The lending library's type of the home key; null where it writes none. */
  readonly homeKeyAttribute: string | null;
  /** Every category that a copy may be in; empty: not known, so no category speaks against it. */
  readonly copyCategories: readonly string[];
  /** The patron at home. */
  readonly homeRecord: Pick<KohaPatron, 'surname' | 'firstname' | 'dateOfBirth' | 'dateEnrolled'>;
}

/** The categories that copies are in, by the configuration of now and of before. */
export function copyCategoriesOf({ category, categories, formerCategories }: CopyPolicy): readonly string[] {
  if (category === null) return [];
  const now = [category, ...Object.values(categories)].flatMap((choice) =>
    choice.kind === 'one' ? [choice.category] : [...Object.values(choice.map), choice.otherwise],
  );
  return [...now.filter((code) => code !== null), ...formerCategories];
}

/**
 * Whether a record that carries a home key is a patron of the lending library's own, into whom Koha merged the copy
 * (`Koha::Patron->merge_with` moves attributes to the record that is kept): two home keys, a category that no copy has, or an
 * enrolment before the patron was enrolled at home, give or take a day for time zones.
 */
export function isMergedCopy(patron: KohaPatron, look: CopyTraits): boolean {
  if (homeKeysOf(patron, look).length > 1 || isInForeignCategory(patron, look)) return true;
  const here = patron.dateEnrolled;
  const atHome = look.homeRecord.dateEnrolled;
  return here !== null && atHome !== null && dayAfter(here, 1) < atHome;
}

/** Whether a record is in a category that no copy has. */
export function isInForeignCategory(
  { categoryId }: KohaPatron,
  { copyCategories }: Pick<CopyTraits, 'copyCategories'>,
): boolean {
  const fold = (code: string): string => code.trim().toUpperCase();
  return copyCategories.length > 0 && !copyCategories.map(fold).includes(fold(categoryId));
}

/** The different home keys that a record carries. */
export function homeKeysOf(
  { attributes }: KohaPatron,
  { homeKeyAttribute }: Pick<CopyTraits, 'homeKeyAttribute'>,
): readonly string[] {
  const values = (attributes ?? [])
    .filter(({ type }) => type === homeKeyAttribute)
    .map(({ value }) => (value ?? '').trim());
  return [...new Set(values.filter((value) => value !== ''))];
}

type Person = Pick<KohaPatron, 'surname' | 'firstname' | 'dateOfBirth'>;

/**
 * Whether two records may be of two people: another birth date, another first name, or another surname unless both others are known
 * and equal (people marry). Twins have only the first name to themselves. What one of the two lacks speaks neither way, but a surname
 * alone is a family's.
 */
export function isSomebodyElse(one: Person, other: Person): boolean {
  const born = isSame(one.dateOfBirth, other.dateOfBirth);
  const first = isSame(one.firstname, other.firstname);
  if (born === false || first === false || (born === null && first === null)) return true;
  return isSame(one.surname, other.surname) === false && !(born === true && first === true);
}

/** Accents, case and outer blanks do not count; null where one of the two is missing. */
export function isSame(one: string | null, other: string | null): boolean | null {
  const fold = (text: string | null): string =>
    (text ?? '').normalize('NFKD').replaceAll(/\p{M}/gu, '').trim().toLowerCase();
  const [mine, theirs] = [fold(one), fold(other)];
  return mine === '' || theirs === '' ? null : mine === theirs;
}
