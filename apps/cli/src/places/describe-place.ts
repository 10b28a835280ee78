import { consentsAt } from './consents-at.ts';
import type { Place, PlaceState } from './find-places.ts';

/** What became of it, for a person; a new state does not compile without a sentence. */
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

/** What the receipts of a place say together: when, how often, and which fields, by name. */
export function disclosedAt({ receipts: all }: Place) {
  const receipts = all.filter(({ receipt }) => receipt.what === undefined);
  const times = receipts.map(({ receipt }) => receipt.at).toSorted();
  return {
    first: times[0] ?? null,
    last: times.at(-1) ?? null,
    receipts: receipts.length,
    fields: [...new Set(receipts.flatMap(({ receipt }) => receipt.fields))],
    events: receipts.map(({ receipt }) => receipt.eventId),
  };
}

/** How often the record was read for a library that only observes, and the last time. */
export function observedAt({ receipts: all }: Place) {
  const receipts = all.filter(({ receipt }) => receipt.what === 'observed');
  const last = receipts
    .map(({ receipt }) => receipt.at)
    .toSorted()
    .at(-1);
  return last === undefined
    ? null
    : {
        last,
        receipts: receipts.length,
        read: [...new Set(receipts.flatMap(({ receipt }) => receipt.read ?? []))],
        fields: [...new Set(receipts.flatMap(({ receipt }) => receipt.fields))],
      };
}

/** When a copy was deleted by this service, by the last receipt of that. */
export function deletedAt({ receipts }: Place): string | null {
  const deletions = receipts.filter(({ receipt }) => receipt.what === 'deleted');
  return (
    deletions
      .map(({ receipt }) => receipt.at)
      .toSorted()
      .at(-1) ?? null
  );
}

/** `1 receipt`, `2 receipts`. */
export const receiptCount = (count: number): string => `${count} ${count === 1 ? 'receipt' : 'receipts'}`;

/** Hundredths, as a person reads them. */
export const amountOf = (hundredths: number): string => (hundredths / 100).toFixed(2);

/** A place as `--json` prints it. */
export function placeJson(place: Place) {
  return {
    home_key: place.homeKey,
    lending: place.lending,
    state: place.state,
    disclosed: disclosedAt(place),
    consents: consentsAt(place),
    deleted_at: deletedAt(place),
    observed: observedAt(place),
    owed:
      place.owed === null
        ? null
        : {
            overdues: place.owed.overdues,
            amount: amountOf(place.owed.amount),
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
