import type { Queue } from 'bullmq';
import * as z from 'zod';
import type { Redis } from '@passport/runtime';
import { REFRESHES } from './keys.ts';
import { LenientQueue } from './lenient-job.ts';

/** A copy is refreshed at a scan once in so long, however often it is scanned. */
const ONCE_IN_MS = 24 * 3_600_000;
/** Most that wait, of all libraries; what is beyond is left to the sweep. */
const MOST_WAITING = 10_000;
const MOST_FAILED = 100;
/** A library that does not answer now is called again within the hour; then the copy waits for the sweep, or its next scan. */
const ATTEMPTS = 3;
const PAUSE_MS = 15 * 60_000;

/** A copy that was scanned: the lending library and its Koha's number of the copy, and nothing else of the patron. */
export const refreshSchema = z.object({
  library: z.string(),
  patron_id: z.number().int().positive(),
});
export type CopyRefresh = z.infer<typeof refreshSchema>;
export type RefreshJobs = Queue<CopyRefresh>;

/** Opens the queue of copies that were scanned. */
export function openRefreshQueue(redis: Redis): RefreshJobs {
  return new LenientQueue<CopyRefresh>(REFRESHES, redis, {
    attempts: ATTEMPTS,
    backoff: { type: 'fixed', delay: PAUSE_MS },
    stackTraceLimit: 1,
    removeOnComplete: true,
    removeOnFail: { count: MOST_FAILED },
  });
}

/** Queues the refresh of a copy that was scanned, once a day; false, and nothing done, where too many wait. */
export async function queueRefresh(queue: RefreshJobs, copy: CopyRefresh): Promise<boolean> {
  if ((await queue.getJobCountByTypes('waiting', 'delayed')) >= MOST_WAITING) return false;
  const id = `${copy.library}.${copy.patron_id}`;
  await queue.add(copy.library, copy, { deduplication: { id, ttl: ONCE_IN_MS } });
  return true;
}
