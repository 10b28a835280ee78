import type { Place } from './find-places.ts';

/** A patron's yes, by the receipt of what was sent after it. */
export interface GivenConsent {
  /** ISO 8601: when the patron said it. */
  readonly at: string;
  readonly text_id: string;
  /** The lending Koha's number of who requested it; null: it was not known. */
  readonly operator: number | null;
  readonly event: string;
}

const DAY_MS = 86_400_000;

/** Why none, or not all, can be listed. A no and a question without an answer are kept with the event alone. */
export type ConsentGap =
  /** Nothing was sent after a request for consent. */
  | 'not_requested'
  /** A record is there and no receipt of it. */
  | 'receipts_gone'
  /** The record is older than the oldest receipt. */
  | 'older_receipts_gone';

export const GAP_TEXTS: Readonly<Record<ConsentGap, string>> = {
  not_requested: 'none: the library did not request it for what is listed here',
  receipts_gone:
    'none is known any more: it stands in the receipts, and these are older than retention.receipts, were erased, or the record was adopted',
  older_receipts_gone:
    'one given before is not known any more: the record is older than the oldest receipt (retention.receipts, passport erase)',
};

/** The consents that were given at a place, oldest first, and what cannot be known of others. */
export function consentsAt({ receipts, records }: Pick<Place, 'receipts' | 'records'>): {
  readonly given: readonly GivenConsent[];
  readonly gap: ConsentGap | null;
} {
  const disclosures = receipts
    .map(({ receipt }) => receipt)
    .filter(({ what }) => what === undefined)
    .toSorted((one, other) => (one.at < other.at ? -1 : 1));
  const given = disclosures.flatMap(({ consent, eventId }): GivenConsent[] =>
    consent === undefined ? [] : [{ ...consent, event: eventId }],
  );
  // An event that sent more fields later has a second receipt with the same yes.
  const distinct = given.filter(
    ({ at, event }, place) => given.findIndex((each) => each.at === at && each.event === event) === place,
  );
  const [oldest] = disclosures;
  if (oldest === undefined) return { given: [], gap: records.length > 0 ? 'receipts_gone' : null };
  // Koha's day is the library's own, which may be the one before.
  const day = new Date(Date.parse(oldest.at) - DAY_MS).toISOString().slice(0, 'YYYY-MM-DD'.length);
  const isOlder = records.some(({ enrolledOn }) => enrolledOn !== null && enrolledOn < day);
  if (isOlder) return { given: distinct, gap: 'older_receipts_gone' };
  return { given: distinct, gap: distinct.length === 0 ? 'not_requested' : null };
}
