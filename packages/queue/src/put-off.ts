import { DelayedError, type Job, UnrecoverableError } from 'bullmq';

/** Ends this run of a job that a worker has: it is run again from `untilMs` on, and no attempt is counted. Always throws. */
export async function putOff(job: Job<unknown>, token: string | undefined, untilMs: number): Promise<never> {
  await job.moveToDelayed(untilMs, token);
  throw new DelayedError();
}

/** Fails a job that another attempt would not help. Always throws. */
export function refuseForGood(because: string): never {
  throw new UnrecoverableError(because);
}
