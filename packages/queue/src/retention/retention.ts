import * as z from 'zod';
import type { Redis } from '@passport/runtime';
import { type JobDataWriter, buildJobDataWriter, type ScanJobs } from '../scans/index.ts';
import { trimActs } from '../audit/index.ts';
import { QUEUE_PREFIX, jobKey } from '../keys.ts';
import { parseStored } from '../redis/index.ts';
import { trimReceipts } from '../copies/index.ts';

/** Failed jobs that still have an encrypted item, by the time at which it must go. */
const ITEMS_KEY = `${QUEUE_PREFIX}:items`;
const CLEAN_MOST = 10_000;
/** The one field that the sweep needs; whatever else a newer version wrote is kept. */
const withItem = z.looseObject({ encrypted_item: z.string() });

/** Notes when a failed job's encrypted item must be gone (`checkout_within` after the scan). */
export async function noteItem(redis: Redis, jobId: string, goneAtMs: number): Promise<void> {
  await redis.zadd(ITEMS_KEY, goneAtMs, jobId);
}

/**
 * Removes the encrypted items whose time has come from their jobs, whatever those are doing by now: nobody may check them
 * out any more. Returns how many were removed. A job that changes meanwhile is left to the next sweep.
 */
export function buildItemSweep(redis: Redis): (nowMs: number) => Promise<number> {
  const jobData = buildJobDataWriter(redis);
  return async (nowMs) => {
    const due = await redis.zrangebyscore(ITEMS_KEY, '-inf', nowMs, 'LIMIT', 0, 1000);
    const failures: unknown[] = [];
    let taken = 0;
    for (const jobId of due) {
      try {
        const result = await takeItem(redis, jobData, jobId);
        if (result === 'taken') taken += 1;
        if (result !== 'changed') await redis.zrem(ITEMS_KEY, jobId);
      } catch (error) {
        failures.push(error); // the others must not keep theirs for it
      }
    }
    if (failures.length > 0) throw failures[0];
    return taken;
  };
}

async function takeItem(
  redis: Redis,
  jobData: JobDataWriter,
  jobId: string,
): Promise<'taken' | 'nothing there' | 'changed'> {
  const text = await redis.hget(jobKey(jobId), 'data');
  const job = parseStored(withItem, text);
  if (text === null || job === null) return 'nothing there';
  return (await jobData.replace(jobId, text, { ...job, encrypted_item: null })) ? 'taken' : 'changed';
}

/**
 * Removes what is past its age. BullMQ's own removal is lazy (only when another job ends), so that a quiet queue
 * would keep what it must not keep.
 */
export async function cleanByAge(
  redis: Redis,
  queue: ScanJobs,
  ages: {
    readonly finishedMs: number;
    readonly failedMs: number;
    readonly receiptsMs: number;
    readonly auditMs: number;
  },
  nowMs: number,
): Promise<void> {
  await queue.clean(ages.finishedMs, CLEAN_MOST, 'completed');
  await queue.clean(ages.failedMs, CLEAN_MOST, 'failed');
  await trimReceipts(redis, nowMs, ages.receiptsMs);
  await trimActs(redis, nowMs, ages.auditMs);
}
