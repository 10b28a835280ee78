import { type JobData, nextProgress, parseJob, queuedProgress, rewriteJob } from '@passport/contract';
import type { Job } from 'bullmq';
import { hasMoved } from '../bullmq/index.ts';
import type { Ledger } from '../ledger/index.ts';
import type { ScanJobs } from '../scans/index.ts';

/** The outcome of a person's wish to retry. */
export type PersonRetry =
  | { readonly kind: 'retried' }
  /** It did not fail: it succeeded, or it is still being worked on. Nothing was done. */
  | { readonly kind: 'not_failed'; readonly state: string; readonly outcome: string | null }
  | { readonly kind: 'unknown' }
  /** Its payload cannot be read, or its card is gone: nothing could be done with it. */
  | { readonly kind: 'unreadable' };

/** A job that changed after we read it was retried by somebody else, or lost its late item: read it again. */
const MOST_LOOKS = 5;

/**
 * The one way for a person to retry an event, from the dashboard and the command line. Attempts, their schedule and
 * `give_up_after` start anew; `checkout_within` never does. BullMQ's plain retry would keep the old attempts, so
 * that the next failure were final. Of several at once one is `retried`.
 */
export async function retryByPerson(
  queue: ScanJobs,
  ledger: Ledger,
  jobId: string,
  nowMs: number,
): Promise<PersonRetry> {
  for (let look = 1; look <= MOST_LOOKS; look += 1) {
    const job = await queue.getJob(jobId);
    if (job === undefined) return { kind: 'unknown' };
    const parsed = parseJob(job.data);
    const state = await job.getState();
    if (state !== 'failed') {
      const outcome = parsed.kind === 'job' ? parsed.job.progress.outcome : null;
      return { kind: 'not_failed', state, outcome };
    }
    if (parsed.kind === 'unreadable' || parsed.job.encrypted_card === null) return { kind: 'unreadable' };
    const data = rewriteJob(job.data, asRetried(parsed.job, nowMs, job.stalledCounter));
    if ((await ledger.reopen(parsed.job, job.data, data, nowMs)) && (await requeue(job)))
      return { kind: 'retried' };
  }
  throw new Error('a failed job kept changing while a person retried it');
}

/** False when somebody else was faster. */
async function requeue(job: Job<JobData>): Promise<boolean> {
  try {
    await job.retry('failed', { resetAttemptsMade: true, resetAttemptsStarted: true });
    return true;
  } catch (error) {
    if (hasMoved(error)) return false;
    throw error;
  }
}

function asRetried(data: JobData, nowMs: number, stalled: number): JobData {
  const nowIso = new Date(nowMs).toISOString();
  return {
    ...data,
    retried: { at_ms: nowMs, stalled },
    progress: nextProgress(data.progress, queuedProgress(nowIso), nowIso),
  };
}
