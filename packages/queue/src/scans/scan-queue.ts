import type { JobsOptions, Queue } from 'bullmq';
import { type JobData, queuedJob } from '@passport/contract';
import type { Redis } from '@passport/runtime';
import { SCANS, jobIdOf, activeKey } from '../keys.ts';
import { LenientQueue } from '../bullmq/index.ts';

/** The name of BullMQ's back-off for scans; the worker decides the delays. */
export const DESK_BACKOFF = 'desk';

/**
 * What never changes belongs to the queue. Attempts have no number: an event ends by age, decided by the worker.
 * A stack of one frame is enough, since failures carry our own codes.
 */
const JOB_OPTIONS: JobsOptions = {
  attempts: 1_000_000,
  backoff: { type: DESK_BACKOFF },
  stackTraceLimit: 1,
};

export type ScanJobs = Queue<JobData>;

/** Opens the queue of scans on a connection that the caller owns and closes. */
export function openScanQueue(redis: Redis): ScanJobs {
  return new LenientQueue<JobData>(SCANS, redis, JOB_OPTIONS);
}

/** Adds the jobs in one go. An id that is there already stays as it is. */
export async function addScans(
  queue: ScanJobs,
  scans: readonly { readonly job: JobData; readonly priority: number }[],
): Promise<void> {
  await queue.addBulk(
    scans.map(({ job, priority }) => ({
      name: job.library,
      // What is stored of it; whoever reads it parses it.
      data: queuedJob(job) as JobData,
      opts: { jobId: jobIdOf(job.library, job.event_id), priority },
    })),
  );
}

/** The lending libraries whose scans some worker works on now, by BullMQ's own list: nothing is written for it. */
export async function librariesWithActiveScans(redis: Redis): Promise<ReadonlySet<string>> {
  const jobIds = await redis.lrange(activeKey, 0, -1);
  return new Set(jobIds.map((jobId) => jobId.split('.')[0] ?? ''));
}
