import { type JobData, copyMayBeThere } from '@passport/contract';
import { PAUSED_LENDING, type Retry, checkoutTooLate } from '../provision/result.ts';

/**
 * While its lending library is paused nobody is queried for it, since nothing could be written there. What has left for that
 * library, or has been made there, is looked at once more before the end, however late. Null: `leftMs` says that it is not paused.
 */
export function waitForPause(job: JobData, leftMs: number | null): Retry | null {
  if (leftMs === null) return null;
  const { library, made } = job;
  const otherwise = made === null ? PAUSED_LENDING : checkoutTooLate(made);
  const mustLook = made !== null || copyMayBeThere(job);
  return { kind: 'retry', library, reason: 'PAUSED', retryAfterMs: leftMs, mustLook, otherwise };
}
