import { parseJob } from '@passport/contract';
import type { Job } from 'bullmq';
import { hasMoved } from './bullmq-error.ts';
import type { ScanJobs } from './scan-queue.ts';

const AT_ONCE = 100;

/**
 * Promotes delayed jobs that are due later than any wait of ours can be (`longestMs`), and returns how many. They were
 * delayed by a clock that has been set back since, as by a failover to a machine whose clock is slow: until it comes to
 * that time again they would wait, for an hour if need be. Looks at the latest ones only; the next call goes on.
 */
export async function promoteOverdue(queue: ScanJobs, nowMs: number, longestMs: number): Promise<number> {
  // The latest alone nearly always shows that there is nothing to do.
  const [latest] = await latestDelayed(queue, 1);
  if (latest === undefined || dueMs(latest) <= nowMs + longestMs) return 0;
  const late = (await latestDelayed(queue, AT_ONCE)).filter((job) => dueMs(job) > nowMs + longestMs);
  await Promise.all(late.map(promote));
  return late.length;
}

async function latestDelayed(queue: ScanJobs, most: number): Promise<Job<unknown>[]> {
  const ids = await queue.getRanges(['delayed'], 0, most - 1, false);
  const jobs = await Promise.all(ids.map((id) => queue.getJob(id)));
  return jobs.filter((job) => job !== undefined);
}

/** When a job is to be tried again, as it says itself; 0 where it says nothing, because it was only requeued. */
function dueMs({ data }: Job<unknown>): number {
  const parsed = parseJob(data);
  if (parsed.kind === 'unreadable') return 0;
  const at = parsed.job.progress.waiting_for?.next_try_at;
  return at === undefined ? 0 : Date.parse(at);
}

async function promote(job: Job<unknown>): Promise<void> {
  try {
    await job.promote();
  } catch (error) {
    if (!hasMoved(error)) throw error; // it was due by itself
  }
}
