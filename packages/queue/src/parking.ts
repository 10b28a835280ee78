import type { Redis } from '@passport/runtime';
import { parkedKey } from './keys.ts';
import type { ScanJobs } from './scan-queue.ts';

const WAKE_BATCH = 100;

/** Notes that a job waits for a library's circuit. Called before the job is moved, so that no waking misses it. */
export async function park(redis: Redis, library: string, jobId: string): Promise<void> {
  await redis.sadd(parkedKey(library), jobId);
}

/**
 * Wakes jobs that wait for a library, whoever parked them, in batches; returns how many. A job that is no longer
 * delayed (it woke by itself) is passed over.
 */
export async function wakeParked(redis: Redis, queue: ScanJobs, library: string): Promise<number> {
  let woken = 0;
  for (;;) {
    const ids = await redis.spop(parkedKey(library), WAKE_BATCH);
    if (ids.length === 0) return woken;
    await Promise.all(
      ids.map(async (id) => {
        const job = await queue.getJob(id);
        if (job === undefined || (await job.getState()) !== 'delayed') return;
        await job.promote().catch(onlyIfMoved);
        woken += 1;
      }),
    );
  }
}

/** BullMQ answers "not in the delayed state" when the job woke in between. */
function onlyIfMoved(error: unknown): void {
  if (!(error instanceof Error) || !error.message.includes('delayed state')) throw error;
}
