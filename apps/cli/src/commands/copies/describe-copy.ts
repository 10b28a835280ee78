import type { KohaPatron, PatronAttribute } from '@passport/koha-client';

/** A copy as it is listed: numbers, codes and dates, nothing of the person. */
export interface ListedCopy {
  readonly lending: string;
  readonly patron_id: number;
  /** Null where the library writes none, and for copies of older software. */
  readonly home_key: string | null;
  readonly home: string | null;
  readonly branch: string;
  readonly category: string;
  readonly expiry: string | null;
  /** The day Koha enrolled the patron at the lending library. */
  readonly since: string | null;
  readonly anonymized: boolean;
}

/** The home library and the number that a home key names; null for any other text, which whoever writes at the lending Koha chose. */
export function splitHomeKey(homeKey: string): { readonly home: string; readonly patronId: number } | null {
  const found = /^([A-Za-z0-9][A-Za-z0-9_-]{0,39}):([1-9]\d{0,14})$/.exec(homeKey.trim());
  return found === null ? null : { home: found[1] ?? '', patronId: Number(found[2]) };
}

/** The value of the first attribute of this type that has one. */
export function attributeOf(patron: KohaPatron, type: string | null): PatronAttribute | null {
  return patron.attributes?.find((each) => each.type === type && (each.value ?? '').trim() !== '') ?? null;
}

/** Describes a copy by the attribute that it was listed by. */
export function describeCopy(
  lending: string,
  patron: KohaPatron,
  types: { readonly passport: string; readonly homeKey: string | null },
): ListedCopy {
  const homeKey = attributeOf(patron, types.homeKey)?.value?.trim() ?? null;
  const passport = attributeOf(patron, types.passport)?.value?.trim() ?? null;
  return {
    lending,
    patron_id: patron.patronId,
    home_key: homeKey,
    home: homeKey === null ? passport : (splitHomeKey(homeKey)?.home ?? null),
    branch: patron.libraryId,
    category: patron.categoryId,
    expiry: patron.expiryDate,
    since: patron.dateEnrolled,
    anonymized: patron.anonymized === true,
  };
}
