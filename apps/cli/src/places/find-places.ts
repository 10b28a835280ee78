import type { Consortium } from '@passport/config';
import { findCopyRecords, readStoredReceipts, type StoredReceipt } from '@passport/queue/copies';
import { type OwedRow, readOwedByHome } from '@passport/queue/sweeps';
import type { Redis } from '@passport/runtime';
import { withKohas } from '../connect/koha-clients.ts';
import {
  type FoundRecord,
  type LendingRead,
  type NotRead,
  type Wanted,
  readLending,
} from './read-lending.ts';
import type { CliDeps, Report } from '../program/index.ts';

/** What a patron owed at a place when it was read last. */
export type OwedThere = Pick<OwedRow, 'overdues' | 'amount' | 'restricted'> & { readonly readMs: number };

/** The outcome of a patron's data at one lending library. */
export type PlaceState =
  | FoundRecord['kind']
  /** There is no record with this home key, and the API user would see it. */
  | 'gone'
  /** None is seen, but the API user does not see all branches. */
  | 'not_seen'
  | NotRead;

/** One patron's data at one lending library: what was disclosed by the receipts, and what its Koha holds now. */
export interface Place {
  readonly homeKey: string;
  readonly lending: string;
  readonly state: PlaceState;
  /** Records with this home key there; more than one after a merge. */
  readonly records: readonly FoundRecord[];
  /** Oldest first; none where they are older than `retention.receipts`. */
  readonly receipts: readonly StoredReceipt[];
  /** Numbers of the copies there that are on record, which are those that the service follows; of a patron only. */
  readonly recorded: readonly number[];
  /** What the patron owes there, by the last reading; null where nothing is known. */
  readonly owed: OwedThere | null;
}

/** Whose data are looked for. */
export type Subject =
  | { readonly kind: 'patron'; readonly homeKey: string; readonly home: string }
  /** As home library of patrons elsewhere, and as lending library of others' patrons. */
  | { readonly kind: 'library'; readonly library: string };

/** Whether a lending library could not be read, so that the list may lack something. */
export const isUncertain = ({ state }: Pick<Place, 'state'>): boolean =>
  !['copy', 'anonymized', 'released', 'gone'].includes(state);

/** Whether the configuration has the library; of another one, only what receipts name is found. Says so. */
export function isConfigured(home: string, { libraries }: Consortium, { progress }: Report): boolean {
  const isKnown = libraries.some(({ id }) => id === home);
  if (!isKnown) progress(`the configuration has no library "${home}": only what receipts name is found`);
  return isKnown;
}

/** How the audit names a patron: by the home key where something is known of it. Any other may be a card, typed by mistake. */
export const auditedPatron = (homeKey: string, home: string, places: readonly Place[]) =>
  places.some(({ records, receipts, recorded }) => records.length + receipts.length + recorded.length > 0)
    ? { home_key: homeKey }
    : { home };

/**
 * Every place with data of these patrons, by lending library and home key: from the receipts first, then from the Kohas of all
 * lending libraries that have, or may have, a copy.
 */
export async function findPlaces(
  subject: Subject,
  consortium: Consortium,
  redis: Redis,
  deps: Pick<CliDeps, 'now' | 'signal'>,
): Promise<Place[]> {
  // Before any Koha is read: what is written meanwhile is not in the list, and so nobody removes it.
  const receipts = await receiptsOf(subject, redis);
  const recorded = await recordedOf(subject, consortium, receipts, redis);
  const wanted = lendingsOf(subject, consortium, [
    ...receipts.map(({ receipt }) => receipt.lending),
    ...recorded.keys(),
  ]);
  const called = consortium.libraries.filter(({ id }) => wanted.has(id));
  const places = await withKohas(called, deps, (kohaOf) =>
    Promise.all(
      [...wanted].map(async ([lending, keys]) => {
        const library = called.find(({ id }) => id === lending);
        const own = receipts.filter(({ receipt }) => receipt.lending === lending);
        const read: LendingRead =
          library === undefined
            ? { kind: 'not_read', why: 'not_configured' }
            : await readLending(consortium, library, keys, { koha: kohaOf(lending), signal: deps.signal });
        return placesAt(lending, subject, read, own, recorded.get(lending) ?? []);
      }),
    ),
  );
  const nameOf = ({ lending, homeKey }: Omit<Place, 'owed'>): string => `${lending} ${homeKey}`;
  const sorted = places.flat().toSorted((one, other) => (nameOf(one) < nameOf(other) ? -1 : 1));
  return withOwed(sorted, redis);
}

/** Adds to each place what the patron owes there; null where nothing is known. */
async function withOwed(places: readonly Omit<Place, 'owed'>[], redis: Redis): Promise<Place[]> {
  const lenders = [...new Set(places.map(({ lending }) => lending))];
  const readings = new Map(
    await Promise.all(lenders.map(async (id) => [id, await readOwedByHome(redis, id)] as const)),
  );
  return places.map((place) => {
    const { homeKey, lending } = place;
    const reading = readings.get(lending)?.get(homeKey.split(':')[0] ?? '');
    const row = reading?.rows[homeKey];
    return { ...place, owed: reading && row ? { ...row, readMs: reading.read_ms } : null };
  });
}

async function receiptsOf(subject: Subject, redis: Redis): Promise<StoredReceipt[]> {
  const found: StoredReceipt[] = [];
  for await (const stored of readStoredReceipts(redis)) {
    const { home, lending, homeKey } = stored.receipt;
    const isWanted =
      subject.kind === 'patron'
        ? homeKey === subject.homeKey
        : home === subject.library || lending === subject.library;
    if (isWanted) found.push(stored);
  }
  return found;
}

/** The patron's copies on record, by lending library. */
async function recordedOf(
  subject: Subject,
  { libraries }: Consortium,
  receipts: readonly StoredReceipt[],
  redis: Redis,
): Promise<ReadonlyMap<string, readonly number[]>> {
  const found = new Map<string, readonly number[]>();
  if (subject.kind !== 'patron') return found;
  const ids = [...libraries.map(({ id }) => id), ...receipts.map(({ receipt }) => receipt.lending)];
  for (const id of new Set(ids)) {
    const patronIds = await findCopyRecords(redis, id, subject.homeKey);
    if (patronIds.length > 0) found.set(id, patronIds);
  }
  return found;
}

/** The lending libraries to read, and which records there: those with an agreement, and those that are known to have had one. */
function lendingsOf(
  subject: Subject,
  { agreements }: Consortium,
  known: readonly string[],
): ReadonlyMap<string, Wanted> {
  const home = subject.kind === 'patron' ? subject.home : subject.library;
  const wanted: Wanted =
    subject.kind === 'patron' ? { homeKey: subject.homeKey } : { prefix: `${subject.library}:` };
  const ids = new Set([...agreements.lendersOf(home), ...known]);
  const all = new Map<string, Wanted>([...ids].map((id) => [id, wanted]));
  if (subject.kind === 'library') {
    const isLending = agreements.isLending(home) || all.has(home);
    if (isLending) all.set(home, { prefix: '' });
  }
  return all;
}

function placesAt(
  lending: string,
  subject: Subject,
  read: LendingRead,
  receipts: readonly StoredReceipt[],
  recorded: readonly number[],
): Omit<Place, 'owed'>[] {
  const records = read.kind === 'read' ? read.records : [];
  // A lending library that cannot be read, or not wholly, may have a copy that no receipt is left of.
  const seesAll = read.kind === 'read' && read.seesAll;
  const keys = new Set([
    ...records.map(({ homeKey }) => homeKey),
    ...receipts.map(({ receipt }) => receipt.homeKey),
    ...(subject.kind === 'patron' && (recorded.length > 0 || !seesAll) ? [subject.homeKey] : []),
  ]);
  return [...keys].map((homeKey) => {
    const here = records.filter((record) => record.homeKey === homeKey);
    const own = receipts.filter(({ receipt }) => receipt.homeKey === homeKey);
    return { homeKey, lending, state: stateOf(read, here), records: here, receipts: own, recorded };
  });
}

function stateOf(read: LendingRead, [record]: readonly FoundRecord[]): PlaceState {
  if (read.kind === 'not_read') return read.why;
  if (record !== undefined) return record.kind;
  return read.seesAll ? 'gone' : 'not_seen';
}
