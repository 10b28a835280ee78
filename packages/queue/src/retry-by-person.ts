import { type JobData, nextProgress, parseJob } from '@passport/contract';
import type { Ledger } from './ledger.ts';
import type { ScanJobs } from './scan-queue.ts';

/** What became of a person's wish to retry. */
export type PersonRetry =
  | { readonly kind: 'retried' }
  /** It did not fail: it succeeded, or it is still being worked on. Nothing was done. */
  | { readonly kind: 'not_failed'; readonly state: string; readonly outcome: string | null }
  | { readonly kind: 'unknown' }
  /** Its payload cannot be read, or its card is gone: nothing could be done with it. */
  | { readonly kind: 'unreadable' };

/**
 * The one way for a person to retry an event, from the dashboard and the command line. Attempts, their schedule and
 * `give_up_after` start anew; `checkout_within` never does. BullMQ's plain retry would keep the old attempts, so
 * that the next failure were final.
 */
export async function retryByPerson(
  queue: ScanJobs,
  ledger: Ledger,
  jobId: string,
  nowMs: number,
): Promise<PersonRetry> {
  const job = await queue.getJob(jobId);
  if (job === undefined) return { kind: 'unknown' };
  const parsed = parseJob(job.data);
  const state = await job.getState();
  if (state !== 'failed') {
    const outcome = parsed.kind === 'job' ? parsed.job.progress.outcome : null;
    return { kind: 'not_failed', state, outcome };
  }
  if (parsed.kind === 'unreadable' || parsed.job.sealed_card === null) return { kind: 'unreadable' };
  const { job: data } = parsed;
  await job.updateData(asRetried(data, nowMs, job.stalledCounter));
  await ledger.reopen(data.library, data.event_id, nowMs);
  await job.retry('failed', { resetAttemptsMade: true, resetAttemptsStarted: true });
  return { kind: 'retried' };
}

function asRetried(data: JobData, nowMs: number, stalled: number): JobData {
  return {
    ...data,
    retried: { at_ms: nowMs, stalled },
    progress: nextProgress(
      data.progress,
      {
        state: 'queued',
        outcome: null,
        reasons: [],
        homes: [],
        patron_id: null,
        checkout: null,
        waiting_for: null,
        problem: null,
        attempt: 0,
      },
      new Date(nowMs).toISOString(),
    ),
  };
}
