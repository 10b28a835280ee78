import { ErrorCode } from 'bullmq';

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
