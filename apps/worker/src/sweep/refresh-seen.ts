import type { Consortium, Library } from '@passport/config';
import type { KohaPatron } from '@passport/koha-client';
import { homeKeyOf, homeKeysOf, isCopy, passportTypes } from '@passport/patron-rules';
import type { ReadCopyRecords, CopyRefresh } from '@passport/queue';
import type { Encryption } from '@passport/runtime';
import { readHomeRecords } from './home-records.ts';
import type { PassOn } from './pass-on.ts';
import { type Refreshed, pairOf, refreshCopy } from './refresh-copy.ts';
import type { SweepCall } from '../koha/sweep-calls.ts';

export interface RefreshSeenDeps {
  readonly consortium: Consortium;
  /** What the service itself knows of copies at a library. */
  readonly readRecords: ReadCopyRecords;
  readonly call: SweepCall;
  readonly passOn: PassOn;
  readonly encryption: Pick<Encryption, 'hash' | 'hashes'>;
  /** What a lending Koha's own description allows. */
  readonly propertiesOf: (lending: string) => Promise<ReadonlySet<string>>;
  /** Names the scan beside what is written. */
  readonly scanId: string;
  readonly now: () => number;
}

/** What became of a copy that was scanned, and whose it is. */
export interface SeenCopy extends Refreshed {
  readonly homeKey: string;
}

/**
 * Refreshes a copy that was scanned by the rule of the sweep. Null where there is nothing to refresh: a number that the service has no
 * record of, no copy with one home key, or one of a library that none may come from. What the lending Koha shows is believed only
 * where the record says the same. Throws KohaError or LibraryClosed where one of the two libraries did not answer, and SweepPaused.
 */
export async function refreshSeen(
  { library, patron_id: patronId }: CopyRefresh,
  deps: RefreshSeenDeps,
): Promise<SeenCopy | null> {
  const { consortium, call } = deps;
  const lending = consortium.libraries.find(({ id }) => id === library);
  if (lending?.enabled !== true || lending.refresh?.atScan !== true) return null;
  const record = (await deps.readRecords(library, [patronId])).get(patronId);
  if (record === undefined) return null;
  const copy = await call(library, (koha) => koha.readPatron(patronId));
  if (copy === null || copy.hidden || !isCopy(copy, passportTypes(consortium))) return null;
  const origin = originOf(copy, lending, consortium);
  if (origin === null) return null;
  const { home, number } = origin;
  const homeKey = homeKeyOf(home, number);
  if (homeKey !== record.homeKey) return { homeKey, findings: ['NOT_ON_RECORD'], changed: 0, kept: 0 };
  const records = await readHomeRecords(call, home, [number], null);
  const homeRecord = records.found.get(number);
  // Koha does not distinguish gone from hidden: one look proves nothing, the sweep's two do.
  if (homeRecord === undefined) return { homeKey, findings: ['HOME_MISSING'], changed: 0, kept: 0 };
  const remembered = await call(library, (koha) =>
    koha.readRememberedCopies({ after: patronId - 1, upTo: patronId }),
  );
  const the = { copy, homeRecord, homeKey, record, remembered: remembered?.[0] ?? null };
  const properties = await deps.propertiesOf(library);
  const pair = pairOf(home, lending, { consortium, accepts: (property) => properties.has(property) });
  if (pair === null) return null;
  return { homeKey, ...(await refreshCopy(the, pair, { ...deps, dryRun: false, sweepId: deps.scanId })) };
}

/** The home library and the patron's number there, by the one home key that a copy has. */
function originOf(
  copy: KohaPatron,
  { id, copy: { homeKeyAttribute } }: Library,
  { agreements }: Consortium,
): { readonly home: string; readonly number: number } | null {
  const [key = '', ...others] = homeKeysOf(copy, { homeKeyAttribute });
  const [, home = '', digits = ''] = /^([^:]+):([1-9]\d{0,9})$/.exec(key) ?? [];
  if (others.length > 0 || !agreements.homesAt(id).has(home)) return null;
  return { home, number: Number(digits) };
}
