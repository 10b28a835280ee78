import type { CopyPolicy } from '@passport/config';
import type { KohaPatron } from '@passport/koha-client';
import { dayAfter } from './day-after.ts';

/** What a copy here can look like; anything else that has a home key had a copy merged into it. */
export interface CopyLook {
  /** The lending library's type of the home key; null where it writes none. */
  readonly homeKeyAttribute: string | null;
  /** Every category that a copy may be in; empty: not known, so no category speaks against it. */
  readonly copyCategories: readonly string[];
  /** The patron at home. */
  readonly homeRecord: Pick<KohaPatron, 'surname' | 'dateOfBirth' | 'dateEnrolled'>;
}

/** The categories that copies are in, by the configuration of now and of before. */
export function copyCategoriesOf({ category, formerCategories }: CopyPolicy): readonly string[] {
  if (category === null) return [];
  const now =
    category.kind === 'one' ? [category.category] : [...Object.values(category.map), category.otherwise];
  return [...now.filter((code) => code !== null), ...formerCategories];
}

/**
 * Whether a record that carries a home key is a patron of the lending library's own, into whom Koha merged the copy
 * (`Koha::Patron->merge_with` moves attributes to the record that is kept): two home keys, a category that no copy has, or an
 * enrolment before the patron was enrolled at home, give or take a day for time zones.
 */
export function isMergedCopy(patron: KohaPatron, look: CopyLook): boolean {
  if (homeKeysOf(patron, look).length > 1) return true;
  const fold = (code: string): string => code.trim().toUpperCase();
  const categories = look.copyCategories.map(fold);
  if (categories.length > 0 && !categories.includes(fold(patron.categoryId))) return true;
  const here = patron.dateEnrolled;
  const atHome = look.homeRecord.dateEnrolled;
  return here !== null && atHome !== null && dayAfter(here, 1) < atHome;
}

/** The different home keys that a record carries. */
export function homeKeysOf(
  { attributes }: KohaPatron,
  { homeKeyAttribute }: Pick<CopyLook, 'homeKeyAttribute'>,
): readonly string[] {
  const values = (attributes ?? [])
    .filter(({ type }) => type === homeKeyAttribute)
    .map(({ value }) => (value ?? '').trim());
  return [...new Set(values.filter((value) => value !== ''))];
}

/** Whether two records cannot be of one person: other birth dates, or other names where a birth date is missing. */
export function isSomebodyElse(
  one: Pick<KohaPatron, 'surname' | 'dateOfBirth'>,
  other: Pick<KohaPatron, 'surname' | 'dateOfBirth'>,
): boolean {
  if (one.dateOfBirth !== null && other.dateOfBirth !== null) return one.dateOfBirth !== other.dateOfBirth;
  const fold = (name: string | null): string => (name ?? '').normalize('NFKD').trim().toLowerCase();
  return fold(one.surname) !== fold(other.surname);
}
