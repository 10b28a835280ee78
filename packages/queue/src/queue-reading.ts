import type { Redis } from '@passport/runtime';
import { backlogKey, jobIdOf, jobKey } from './keys.ts';
import type { ScanJobs } from './scan-queue.ts';

/** How many jobs are in each state, and how old the oldest unfinished event is. */
export interface QueueFigures {
  readonly jobs: Readonly<Record<'queued' | 'working' | 'waiting' | 'failed' | 'done', number>>;
  readonly oldestSeconds: number;
}

/** Reads the figures for metrics and the dashboard. */
export async function readQueue(
  redis: Redis,
  queue: ScanJobs,
  libraries: readonly string[],
  nowMs: number,
): Promise<QueueFigures> {
  const counts = await queue.getJobCounts('prioritized', 'wait', 'active', 'delayed', 'failed', 'completed');
  const accepted = await Promise.all(libraries.map((library) => oldestUnfinishedMs(redis, library)));
  const oldestMs = Math.min(nowMs, ...accepted.filter((ms) => ms !== null));
  return {
    jobs: {
      queued: (counts['prioritized'] ?? 0) + (counts['wait'] ?? 0),
      working: counts['active'] ?? 0,
      waiting: counts['delayed'] ?? 0,
      failed: counts['failed'] ?? 0,
      done: counts['completed'] ?? 0,
    },
    oldestSeconds: (nowMs - oldestMs) / 1000,
  };
}

/** When the library's oldest unfinished event was accepted. An entry whose job has ended is taken off on the way. */
async function oldestUnfinishedMs(redis: Redis, library: string): Promise<number | null> {
  for (;;) {
    const [eventId, accepted] = await redis.zrange(backlogKey(library), '0', '0', 'WITHSCORES');
    if (eventId === undefined) return null;
    const job = jobKey(jobIdOf(library, eventId));
    if ((await redis.exists(job)) === 1 && (await redis.hexists(job, 'finishedOn')) === 0) {
      return Number(accepted);
    }
    await redis.zrem(backlogKey(library), eventId);
  }
}
