import { ErrorCode } from 'bullmq';

/** Whether BullMQ says that a job is gone, or no longer where it was looked for: somebody else was faster. */
export function hasMoved(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false;
  return error.code === ErrorCode.JobNotExist || error.code === ErrorCode.JobNotInState;
}
