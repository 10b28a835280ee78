import type { Redis } from '@passport/runtime';
import type { Job } from 'bullmq';
import { readCancelled, wasCancelled } from './cancel-marks.ts';
import { promote } from '../bullmq/index.ts';

/**
 * Delays the job that a worker has until `untilMs`. A cancel that came since the worker took it has found nothing to promote
 * (cancel-event.ts): such a job is promoted here, so that it ends at once. One that was cancelled when it was taken is delayed with
 * good reason.
 */
export async function delayActive(
  redis: Redis,
  job: Job<unknown>,
  token: string,
  untilMs: number,
): Promise<void> {
  await job.moveToDelayed(untilMs, token);
  if (!wasCancelled(job) && (await readCancelled(redis, job.id ?? ''))) await promote(job);
}
