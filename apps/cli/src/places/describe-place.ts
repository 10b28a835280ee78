import type { DisclosureReceipt } from '@passport/queue/copies';
import { amountText } from '@passport/queue/elsewhere';
import type { Place, PlaceState } from './find-places.ts';

/** The state of it in words; a new state does not compile without a sentence. */
export const STATE_TEXTS: Readonly<Record<PlaceState, string>> = {
  copy: 'a copy is there',
  anonymized: 'the copy was anonymised, and the record still has its home key',
  released: "the record is the lending library's own patron by now, and still has the home key",
  gone: 'no record with this home key is there (any more)',
  not_seen: 'no record is seen, but our API user does not see the records of all patrons',
  no_answer: 'its Koha did not answer',
  refused: 'its Koha refused our API user',
  disabled: 'it is not enabled in the configuration, and its Koha was not queried',
  no_home_keys: 'it writes no home keys, so its copies cannot be found by them',
  not_configured: 'it is no longer in the configuration, and its Koha cannot be queried',
};

/** What the receipts of a place of one kind say together: when, how often, which copies, and which fields, by name. */
const summaryOf = ({ receipts: all }: Place, what: DisclosureReceipt['what']) => {
  const receipts = all.flatMap(({ receipt }) => (receipt.what === what ? [receipt] : []));
  const times = receipts.map(({ at }) => at).toSorted();
  return {
    first: times[0] ?? null,
    last: times.at(-1) ?? null,
    receipts: receipts.length,
    patron_ids: [...new Set(receipts.flatMap(({ patronId }) => patronId ?? []))],
    fields: [...new Set(receipts.flatMap(({ fields }) => fields))],
    events: receipts.map(({ eventId }) => eventId),
  };
};

/** What was sent for copies that were made. */
export const disclosedAt = (place: Place) => summaryOf(place, undefined);

/** What was sent of new values of copies. */
export const refreshedAt = (place: Place) => summaryOf(place, 'refreshed');

/** When a copy was adopted or got another home key, was deleted by this service, or became the library's own patron, by the last receipt of that. */
export const lastOf = (place: Place, what: 'adopted' | 'rekeyed' | 'deleted' | 'released'): string | null =>
  summaryOf(place, what).last;

/** The home keys that the copies had before, whose receipts are theirs, too. */
export const formerKeysAt = ({ receipts }: Pick<Place, 'receipts'>): readonly string[] => [
  ...new Set(receipts.flatMap(({ receipt }) => receipt.formerKey ?? [])),
];

/** How often the record was read for a library that only observes, and the last time. */
export function observedAt(place: Place) {
  const { last, receipts, fields } = summaryOf(place, 'observed');
  const observed = place.receipts.filter(({ receipt }) => receipt.what === 'observed');
  const read = [...new Set(observed.flatMap(({ receipt }) => receipt.read ?? []))];
  return last === null ? null : { last, receipts, read, fields };
}

/** A patron's yes, by the receipt of what was sent after it. */
interface GivenConsent {
  /** ISO 8601: when the patron said it. */
  readonly at: string;
  readonly text_id: string;
  /** The lending Koha's number of who requested it; null: it was not known. */
  readonly operator: number | null;
  readonly event: string;
}

const DAY_MS = 86_400_000;

/** Why none, or not all, can be listed. A no and a question without an answer are kept with the event alone. */
type ConsentGap =
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

/** The refusals that staff have overridden at a place, oldest first, once for each event. */
export function overridesAt({ receipts }: Pick<Place, 'receipts'>) {
  const made = receipts.flatMap(({ receipt: { override, eventId } }) =>
    override === undefined ? [] : [{ ...override, event: eventId }],
  );
  return [...new Map(made.map((each) => [each.event, each])).values()].toSorted((one, other) =>
    one.at < other.at ? -1 : 1,
  );
}

/** The copies that the service has on record, and so follows. */
export const recordedText = ({ recorded }: Pick<Place, 'recorded'>): string =>
  recorded.map((id) => `patron ${id}`).join(', ');

/** `1 receipt`, `2 receipts`. */
export const receiptCount = (count: number): string => `${count} ${count === 1 ? 'receipt' : 'receipts'}`;

/** A place as `--json` prints it. */
export function placeJson(place: Place) {
  return {
    home_key: place.homeKey,
    lending: place.lending,
    state: place.state,
    disclosed: disclosedAt(place),
    consents: consentsAt(place),
    overrides: overridesAt(place),
    refreshed: refreshedAt(place),
    adopted_at: lastOf(place, 'adopted'),
    rekeyed_at: lastOf(place, 'rekeyed'),
    former_keys: formerKeysAt(place),
    deleted_at: lastOf(place, 'deleted'),
    released_at: lastOf(place, 'released'),
    on_record: place.recorded,
    observed: observedAt(place),
    owed:
      place.owed === null
        ? null
        : {
            overdues: place.owed.overdues,
            amount: amountText(place.owed.amount),
            restricted_at_home: place.owed.restricted,
            read_at: new Date(place.owed.readMs).toISOString(),
          },
    records: place.records.map(({ patronId, kind, enrolledOn, expiresOn, fields }) => ({
      patron_id: patronId,
      kind,
      enrolled_on: enrolledOn,
      expires_on: expiresOn,
      fields,
    })),
  };
}
