import type { Consortium, Library } from '@passport/config';
import { buildCopyRecordReader } from '@passport/queue/copies';
import { inBatches } from '@passport/queue/redis';
import {
  type OwedJob,
  type OwedProgress,
  type OwedReading,
  type OwedRow,
  type ReadSoFar,
  type SweepJobs,
  noteDone,
  openOwedProgress,
  readOwedByHome,
  writeOwed,
} from '@passport/queue/sweeps';
import { type Encryption, type Redis, createEncryption } from '@passport/runtime';
import { isKohaFailure } from '../koha/koha-failure.ts';
import type { SweepCall } from '../koha/sweep-calls.ts';
import { type Owed, OwedUnreadable, type ReadOwedDeps, readOwedAt } from './read-owed.ts';
import { type OwedPair, restrictAtHome } from './restrict-at-home.ts';
import type { CopiesContext } from '../work-context.ts';
import type { SliceContext } from '../koha/slice.ts';

/** The last reading is repeated for a week where a home library does not answer: nobody may stay restricted for ever. */
const LAST_READING = { attempts: 7 * 24, backoff: { type: 'fixed', delay: 3_600_000 } };

/** Where reading what copies owe was switched off, one more lifts the restrictions that it has left. */
export async function queueLastReadings(
  { libraries }: Consortium,
  queue: SweepJobs,
  redis: Redis,
): Promise<void> {
  const off = libraries.filter(({ enabled, owed }) => enabled && owed === null);
  const readings = await inBatches(off, (some) =>
    Promise.all(some.map(({ id }) => readOwedByHome(redis, id))),
  );
  for (const [place, { id: library }] of off.entries()) {
    if (readings[place]?.size === 0) continue;
    const once = { ...LAST_READING, deduplication: { id: `last.owed.${library}` } };
    await queue.add(`owed.${library}`, { kind: 'owed', library }, once);
  }
}

type OwedJobContext = Pick<
  SliceContext,
  'consortium' | 'redis' | 'keys' | 'callsUntil' | 'slice' | 'stopping' | 'now' | 'log'
>;

/**
 * Reads what the copies at a lending library owe, for a slice; may be repeated. Throws where the next attempt may succeed: KohaError or
 * LibraryClosed where the library does not answer, and what ends its slice.
 */
export async function doOwedJob(jobId: string, { library }: OwedJob, deps: OwedJobContext): Promise<void> {
  const { consortium, redis, keys, callsUntil, slice, stopping, now, log } = deps;
  const lending = consortium.libraries.find(({ id }) => id === library);
  if (lending === undefined) throw new Error(`${library} is not in this worker's configuration`);
  // Shut out since the job was queued.
  if (!lending.enabled) return;
  const progress = openOwedProgress(redis, jobId);
  const soFar = await progress.read();
  if (soFar.pages.length === 0) {
    log.info({ audit: true, action: 'read what is owed', lending: library }, 'read what is owed');
  }
  const readings = await runOwed(lending, {
    ...deps,
    call: callsUntil(stopping),
    callInSlice: callsUntil(AbortSignal.any([stopping, slice.signal])),
    progress,
    soFar,
    before: await readOwedByHome(redis, library),
    readRecords: buildCopyRecordReader(redis, now),
    encryption: createEncryption(keys.map((key) => key.reveal())),
  }).catch((error: unknown) => {
    if (!(error instanceof OwedUnreadable)) throw error;
    // Another attempt would find the same.
    log.warn({ lending: library, code: error.code }, 'what copies owe cannot be read');
    return null;
  });
  await progress.clear();
  if (readings === null) return;
  await writeOwed(redis, library, readings);
  await noteDone(redis, { kind: 'owed', library }, now());
  if (lending.owed === null && readings.size > 0) throw new Error(`${library}: restrictions are left`);
}

export interface OwedDeps
  extends Pick<ReadOwedDeps, 'readRecords' | 'slice'>, Pick<CopiesContext, 'consortium' | 'now' | 'log'> {
  readonly call: SweepCall;
  /** For the list of what copies owe, which takes as long as the lending library wants it to: it ends with the slice at the latest. */
  readonly callInSlice: SweepCall;
  readonly encryption: Pick<Encryption, 'hashes'>;
  readonly progress: Pick<OwedProgress, 'addPage' | 'addHome'>;
  /** What earlier slices have done. */
  readonly soFar: ReadSoFar;
  /** The reading before, by home. */
  readonly before: ReadonlyMap<string, OwedReading>;
}

const NOTHING = { overdues: 0, amount: 0 };

/**
 * Reads what the copies at a lending library owe, and has each home library do what the agreement says about it. Returns the new
 * reading by home. Throws OwedUnreadable, KohaError or LibraryClosed where the lending library could not be read: then nobody was
 * restricted and nothing lifted; and what ends its slice.
 */
export async function runOwed(lending: Library, deps: OwedDeps): Promise<ReadonlyMap<string, OwedReading>> {
  const { consortium, readRecords, before, now, soFar, progress, slice } = deps;
  // Where it was switched off nothing is read, and who is restricted for it is so no longer.
  const agreements = lending.owed === null ? [] : consortium.agreements.at(lending.id);
  const limits = new Map(agreements.map(({ home, blockHomeOver }) => [home, blockHomeOver]));
  const found = await readOwedAt(lending, new Set(limits.keys()), {
    call: deps.callInSlice,
    readRecords,
    pages: soFar.pages,
    addPage: progress.addPage,
    slice,
    now,
  });
  const homes = consortium.libraries.filter(({ id }) => found.has(id) || before.has(id));
  const readings = new Map(soFar.homes);
  for (const { id: home, enabled } of homes) {
    if (soFar.homes.has(home)) continue;
    const { rows: owed, unconfirmed } = found.get(home) ?? { rows: new Map<string, Owed>(), unconfirmed: 0 };
    const last = before.get(home)?.rows ?? {};
    const decide = ([homeKey, each]: readonly [string, Owed]): [string, OwedRow] => [
      homeKey,
      rowOf(each, last[homeKey], limits.get(home) ?? null, now()),
    ];
    const copies = new Map([...owed].map(([homeKey, { patronId }]) => [homeKey, patronId]));
    const pair = { home, lending: lending.id, rows: new Map([...owed].map(decide)), copies };
    const isBlocking = (limits.get(home) ?? null) !== null;
    const rows = await actOn(pair, { last, isBlocking, isPaused: !enabled }, deps);
    if (found.has(home) || rows.size > 0) {
      const reading = { read_ms: now(), rows: Object.fromEntries(rows), unconfirmed };
      readings.set(home, reading);
      await progress.addHome(home, reading);
    }
    slice.endIfOver('pages');
  }
  return readings;
}

function rowOf(
  { overdues, amount }: Owed,
  last: OwedRow | undefined,
  limit: number | null,
  nowMs: number,
): OwedRow {
  const isOver = limit !== null && amount > limit;
  const over_since_ms = isOver ? (last?.over_since_ms ?? nowMs) : null;
  return { overdues, amount, over_since_ms, restricted: last?.restricted ?? false };
}

interface HomeState {
  readonly last: OwedReading['rows'];
  readonly isBlocking: boolean;
  readonly isPaused: boolean;
}

/**
 * Restricts and lifts at the home library, and returns the rows with who is restricted there. A home that does not answer changes
 * nothing, and is queried again at the next reading; one that is not enabled is not called.
 */
async function actOn(
  pair: OwedPair,
  { last, isBlocking, isPaused }: HomeState,
  deps: OwedDeps,
): Promise<ReadonlyMap<string, OwedRow>> {
  const { home, lending, rows } = pair;
  const were = new Set(Object.keys(last).filter((homeKey) => last[homeKey]?.restricted === true));
  if (!isBlocking && were.size === 0) return rows;
  const change = async () => (isPaused ? were : restrictAtHome(pair, were, deps));
  const restricted = await change().catch((error: unknown) => {
    const isOfHome = isKohaFailure(error) && error.library === home;
    if (!isOfHome) throw error;
    deps.log.warn({ home, lending, code: error.code }, 'nobody is restricted at home, and nothing lifted');
    return were;
  });
  if (restricted === null) {
    deps.log.warn({ home, lending, code: 'no_plugin' }, 'nobody is restricted at home, and nothing lifted');
  }
  const now = restricted ?? were;
  const unowed: OwedRow = { ...NOTHING, over_since_ms: null, restricted: true };
  const all = new Map([...now].map((homeKey) => [homeKey, unowed]));
  for (const [homeKey, row] of rows) all.set(homeKey, { ...row, restricted: now.has(homeKey) });
  return all;
}
