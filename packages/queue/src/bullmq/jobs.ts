import { ErrorCode, type Job, DelayedError, UnrecoverableError } from 'bullmq';

/** Whether BullMQ says that a job is gone, or no longer where it was looked for: somebody else was faster. */
export function hasMoved(error: unknown): boolean {
  return isOneOf(error, [ErrorCode.JobNotExist, ErrorCode.JobNotInState]);
}

/** Whether BullMQ says that a running job is no longer this worker's: its lock ran out, and perhaps somebody has it. */
export function hasLostLock(error: unknown): boolean {
  return hasMoved(error) || isOneOf(error, [ErrorCode.JobLockNotExist, ErrorCode.JobLockMismatch]);
}

function isOneOf(error: unknown, codes: readonly ErrorCode[]): boolean {
  return error instanceof Error && 'code' in error && codes.some((code) => code === error.code);
}

/** A job that could not be promoted a moment ago: about to be delayed, or delayed in between. */
const IS_DELAYED_OR_ABOUT_TO: ReadonlySet<string> = new Set(['active', 'delayed']);

/** Makes a delayed job due at once. `gone`: somebody else was faster, or it was due already. `not_yet`: it is only about to be delayed. */
export async function promote(job: Job | undefined): Promise<'promoted' | 'gone' | 'not_yet'> {
  if (job === undefined) return 'gone';
  try {
    await job.promote();
    return 'promoted';
  } catch (error) {
    if (!hasMoved(error)) throw error;
    return IS_DELAYED_OR_ABOUT_TO.has(await job.getState()) ? 'not_yet' : 'gone';
  }
}

/** Ends this run of a job that a worker has: it is run again from `untilMs` on, and no attempt is counted. Always throws. */
export async function putOff(job: Job<unknown>, token: string | undefined, untilMs: number): Promise<never> {
  await job.moveToDelayed(untilMs, token);
  throw new DelayedError();
}

/** Fails a job that another attempt would not help. Always throws. */
export function refuseForGood(because: string): never {
  throw new UnrecoverableError(because);
}
