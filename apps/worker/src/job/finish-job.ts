import type { JobData } from '@passport/contract';
import { allDone } from './all-done.ts';
import type { OwnCopy } from '../provision/result.ts';
import type { EndCheck } from './end-check.ts';
import type { Delayed, Ended } from './run-result.ts';

/** What follows the end of a job. All of it may be done again. */
export interface EndWork {
  /** Beside the write of the job's end, and again where it had ended before: all of it must be done before it is finished. */
  recordEnd(job: JobData, copy?: OwnCopy): Promise<void>;
  settle(job: JobData, jobId: string): Promise<void>;
  reportEnd(job: JobData): Promise<void>;
  /** Writes all that an end leaves in Redis once more, where it was lost. */
  endAgain(ended: Ended, jobId: string): Promise<void>;
}

/** Writes what a run came to. False: the event was cancelled before, and nothing was written. Throws LockLost. */
export type WriteChange = (change: Ended | Delayed) => Promise<boolean>;

/**
 * Ends a job in Redis and at its desk, or with what it comes to where its event was cancelled meanwhile; returns the job as it
 * ended. `job` is BullMQ's, for the check of its end.
 */
export async function finishJob(
  ended: Ended,
  deps: {
    readonly job: object;
    readonly jobId: string;
    readonly work: EndWork;
    readonly endCheck: Pick<EndCheck, 'writing'>;
    readonly write: WriteChange;
  },
): Promise<JobData> {
  const { job, jobId, work, endCheck, write } = deps;
  endCheck.writing(job, () => work.endAgain(ended, jobId));
  let isWritten = true;
  // Whoever has the job by now, and wherever Redis is: what has left is on record.
  const written = allDone([
    work.recordEnd(ended.job, ended.copy),
    write(ended).then((is) => {
      isWritten = is;
    }),
  ]);
  if (ended.checkout?.result === 'CHECKED_OUT') {
    // The lock was held when the checkout was noted, and whoever has the job by now finds it at Koha: the desk need not wait.
    await allDone([written.then(() => work.settle(ended.job, jobId)), work.reportEnd(ended.job)]);
    return ended.job;
  }
  await written;
  if (!isWritten && ended.ifCancelled !== null) return finishJob(ended.ifCancelled(), deps);
  await allDone([work.settle(ended.job, jobId), work.reportEnd(ended.job)]);
  return ended.job;
}
