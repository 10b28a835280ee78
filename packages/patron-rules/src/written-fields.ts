import type { PatronBody, RememberedField } from '@passport/koha-client';

/** The purpose of the keyed hashes of what was written; another purpose gives other hashes. */
export const WRITTEN_FIELD = 'copy-field';

/** Koha's mark of a card that was reported lost. */
export const CARD_LOST = 'patron_card_lost';

/** What the lending library was told of the patron's standing at home; no field of Koha's. */
export const STANDING = 'standing';

/** What a copy was restricted with for its patron's restriction at home; no field of Koha's. */
export const RESTRICTED = 'restricted';

/** Whose copy a value is in. */
export interface WrittenPlace {
  readonly lending: string;
  readonly patronId: number;
  /** `{home library id}:{patron_id there}` */
  readonly homeKey: string;
}

/**
 * The text whose keyed hash is remembered for one field of one copy. Koha never uses a patron's number twice, and equal values of two
 * patrons have different texts, so that no two hashes show who shares an address; a hash says nothing of another patron at home.
 * Nothing is the same as ''.
 */
export function writtenText(
  { lending, patronId, homeKey }: WrittenPlace,
  field: string,
  value: string | null,
): string {
  return [lending, patronId, homeKey, field, (value ?? '').trim()].join('\n');
}

/**
 * What a create wrote that may be refreshed: the fields that may come from home, those that home has empty too, the card, the
 * category, the expiry, and that the card is not marked as lost.
 */
export function writtenValues(body: PatronBody, agreed: readonly string[]): Readonly<Record<string, string>> {
  const text = (name: string): string => {
    const value = body[name];
    return typeof value === 'string' ? value : '';
  };
  const expiry = text('expiry_date');
  return {
    ...Object.fromEntries(agreed.map((name) => [name, text(name)])),
    cardnumber: body.cardnumber,
    category_id: body.category_id,
    ...(expiry === '' ? {} : { expiry_date: expiry }),
    [CARD_LOST]: '',
  };
}

/** The keyed hash of each value, when and by which event it was written. */
export function hashedFields(
  copy: WrittenPlace,
  values: Readonly<Record<string, string | null>>,
  {
    encryption,
    at,
    event,
  }: {
    encryption: { hash(purpose: string, text: string): string };
    at: number;
    event: string;
  },
): Record<string, RememberedField> {
  const hash = (name: string, value: string | null): string =>
    encryption.hash(WRITTEN_FIELD, writtenText(copy, name, value));
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, { hash: hash(name, value), at, event }]),
  );
}

/** Whether a value is what a keyed hash stands for; null where the hash's key is not here. */
export type IsWritten = (field: string, value: string | null, hash: string) => boolean | null;

/** Builds what says whether the service has written a value into a copy, by the hash that is remembered of it. */
export function buildIsWritten(
  of: WrittenPlace & { readonly record: { readonly formerKeys: readonly string[] } },
  encryption: { hashes(purpose: string, text: string): readonly string[] },
): IsWritten {
  // What was written before the patron's number at home changed is remembered under the number of then.
  const places = [of.homeKey, ...of.record.formerKeys].map((homeKey) => ({ ...of, homeKey }));
  return (field, value, hash) => {
    const hashes = places.flatMap((place) =>
      encryption.hashes(WRITTEN_FIELD, writtenText(place, field, value)),
    );
    if (hashes.includes(hash)) return true;
    const isKnownKey = hashes.some((each) => each.split(':')[0] === hash.split(':')[0]);
    return isKnownKey ? false : null;
  };
}
