import type { Consortium } from '@passport/config';
import {
  type OwedJob,
  type SweepJobs,
  owedJobSchema,
  readCopyRecords,
  readOwedByHome,
  writeOwed,
} from '@passport/queue';
import type { Logger, Redis } from '@passport/runtime';
import { rethrowInCodes } from '../koha/koha-failure.ts';
import type { SweepCall } from '../koha/sweep-calls.ts';
import { OwedUnreadable } from './read-owed.ts';
import { runOwed } from './run-owed.ts';

/** No library's id has a dot, so that no schedule of a sweep has this name. */
const scheduleOf = (library: string): string => `owed.${library}`;

/** The last reading is repeated for a week where a home library does not answer: nobody may stay restricted for ever. */
const LAST_READING = { attempts: 7 * 24, backoff: { type: 'fixed', delay: 3_600_000 } };

/**
 * One job scheduler for each library where it is read what copies owe, beside those of the sweeps. Where it was switched off, one
 * more reading lifts the restrictions that it has left.
 */
export async function scheduleOwed({ libraries }: Consortium, queue: SweepJobs, redis: Redis): Promise<void> {
  for (const { id, enabled, owed } of libraries) {
    const data: OwedJob = { owed_at: id };
    if (enabled && owed !== null) {
      const { hour, minute } = owed.read;
      const template = { name: scheduleOf(id), data };
      await queue.upsertJobScheduler(scheduleOf(id), { pattern: `${minute} ${hour} * * *` }, template);
    } else {
      await queue.removeJobScheduler(scheduleOf(id));
      const left = enabled ? await readOwedByHome(redis, id) : new Map<string, never>();
      const once = { ...LAST_READING, deduplication: { id: scheduleOf(id) } };
      if (left.size > 0) await queue.add(scheduleOf(id), data, once);
    }
  }
}

export interface OwedJobDeps {
  readonly consortium: Consortium;
  readonly redis: Redis;
  readonly call: SweepCall;
  readonly now: () => number;
  readonly log: Logger;
}

/** Does a job of the queue of sweeps if it is a reading of what copies owe; may be repeated. Throws where the next attempt may succeed. */
export async function doOwedJob(data: unknown, deps: OwedJobDeps): Promise<void> {
  const wanted = owedJobSchema.safeParse(data).data?.owed_at;
  if (wanted === undefined) return;
  const { consortium, redis, log } = deps;
  const lending = consortium.libraries.find(({ id }) => id === wanted);
  if (lending === undefined) throw new Error(`${wanted} is not in this worker's configuration`);
  // Shut out since the job was queued.
  if (!lending.enabled) return;
  log.info({ audit: true, action: 'read what is owed', lending: lending.id }, 'read what is owed');
  const before = await readOwedByHome(redis, lending.id);
  const readRecords = (at: string, patronIds: readonly number[]) => readCopyRecords(redis, at, patronIds);
  const readings = await runOwed(lending, { ...deps, before, readRecords }).catch((error: unknown) => {
    if (error instanceof OwedUnreadable) {
      // Another attempt would find the same.
      log.warn({ lending: lending.id, code: error.code }, 'what copies owe cannot be read');
      return null;
    }
    return rethrowInCodes(error);
  });
  if (readings === null) return;
  await writeOwed(redis, lending.id, readings);
  if (lending.owed === null && readings.size > 0) throw new Error(`${lending.id}: restrictions are left`);
}
