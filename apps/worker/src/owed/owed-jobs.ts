import type { Consortium } from '@passport/config';
import {
  type OwedJob,
  type SweepJobs,
  noteCopiesSeen,
  noteDone,
  openOwedProgress,
  readCopyRecords,
  readOwedByHome,
  writeOwed,
} from '@passport/queue';
import type { Logger, Redis } from '@passport/runtime';
import type { SweepCall } from '../koha/sweep-calls.ts';
import type { Slice } from '../koha/slice.ts';
import { OwedUnreadable } from './read-owed.ts';
import { runOwed } from './run-owed.ts';

/** The last reading is repeated for a week where a home library does not answer: nobody may stay restricted for ever. */
const LAST_READING = { attempts: 7 * 24, backoff: { type: 'fixed', delay: 3_600_000 } };

/** Where reading what copies owe was switched off, one more lifts the restrictions that it has left. */
export async function queueLastReadings(
  { libraries }: Consortium,
  queue: SweepJobs,
  redis: Redis,
): Promise<void> {
  for (const { id: library, enabled, owed } of libraries) {
    if (!enabled || owed !== null || (await readOwedByHome(redis, library)).size === 0) continue;
    const once = { ...LAST_READING, deduplication: { id: `last.owed.${library}` } };
    await queue.add(`owed.${library}`, { kind: 'owed', library }, once);
  }
}

export interface OwedJobDeps {
  readonly consortium: Consortium;
  readonly redis: Redis;
  readonly callsUntil: (signal: AbortSignal) => SweepCall;
  readonly slice: Slice;
  readonly stopping: AbortSignal;
  readonly now: () => number;
  readonly log: Logger;
}

/**
 * Reads what the copies at a lending library owe, for a slice; may be repeated. Throws where the next attempt may succeed: KohaError or
 * LibraryClosed where the library does not answer, and what ends its slice.
 */
export async function doOwedJob(jobId: string, { library }: OwedJob, deps: OwedJobDeps): Promise<void> {
  const { consortium, redis, callsUntil, slice, stopping, now, log } = deps;
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
    async readRecords(at, patronIds) {
      const found = await readCopyRecords(redis, at, patronIds);
      await noteCopiesSeen(redis, at, [...found.keys()], now());
      return found;
    },
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
