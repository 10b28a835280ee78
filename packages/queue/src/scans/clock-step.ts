import type { Redis } from '@passport/runtime';
import { delayedJobsKey } from '../keys.ts';
import { promote } from '../bullmq/index.ts';
import type { ScanJobs } from './scan-queue.ts';

const AT_ONCE = 100;
/** BullMQ's score of a delayed job is the time in ms at which it is due, times this, plus a counter. */
const SCORE_PER_MS = 0x1000;

/**
 * Promotes delayed jobs that are due later than any wait of ours can be (`longestMs`), and returns how many. They were
 * delayed by a clock that has been set back since, as by a failover to a machine whose clock is slow: until it comes to
 * that time again they would wait, for an hour if need be. At most a hundred at once; the next call goes on.
 */
export async function promoteOverdue(
  redis: Redis,
  queue: ScanJobs,
  nowMs: number,
  longestMs: number,
): Promise<number> {
  const latest = `(${(nowMs + longestMs + 1) * SCORE_PER_MS}`;
  const ids = await redis.zrangebyscore(delayedJobsKey, latest, '+inf', 'LIMIT', 0, AT_ONCE);
  await Promise.all(ids.map(async (id) => promote(await queue.getJob(id))));
  return ids.length;
}
