import * as z from 'zod';
import type { Queue } from 'bullmq';
import type { Redis } from '@passport/runtime';
import { REPORTS, REPORT_BACKOFF, jobIdOf } from '../keys.ts';
import { LenientQueue } from '../bullmq/index.ts';

/** A report that a Koha did not take at once: the state itself is read again when it is sent. */
export const reportSchema = z.object({
  library: z.string(),
  event_id: z.string(),
  since_ms: z.number(),
  /** W3C trace context of the event's delivery, when traced. */
  traceparent: z.string().optional(),
});
export type QueuedReport = z.infer<typeof reportSchema>;

const DONE_LIFE_SECONDS = 3600;
const FAILED_LIFE_SECONDS = 24 * 3600;
/** Nobody looks at reports that are over, and one library may make fifty a second: the newest few are kept. */
const MOST_OVER = 1_000;
/**
 * Of one library. More are no desks that wait but a route that is gone, or a flood: a report takes 1.5 KB in Redis, and the
 * state can still be looked up.
 */
const MOST_WAITING = 10_000;
const CLEAN_MOST = 10_000;

export type ReportJobs = Queue<QueuedReport>;

/** Opens the queue of reports. They are kept by age, and never contain anything personal. */
export function openReportQueue(redis: Redis): ReportJobs {
  return new LenientQueue<QueuedReport>(REPORTS, redis, {
    attempts: 1_000_000,
    backoff: { type: REPORT_BACKOFF },
    stackTraceLimit: 1,
    removeOnComplete: { age: DONE_LIFE_SECONDS, count: MOST_OVER },
    removeOnFail: { age: FAILED_LIFE_SECONDS, count: MOST_OVER },
  });
}

/** Removes reports past their age, since BullMQ does so only when another one ends. */
export async function cleanReports(queue: ReportJobs): Promise<void> {
  await queue.clean(DONE_LIFE_SECONDS * 1000, CLEAN_MOST, 'completed');
  await queue.clean(FAILED_LIFE_SECONDS * 1000, CLEAN_MOST, 'failed');
}

/**
 * Queues a report of the event's state `seq`; the same one is queued once. `before`: how many of its library wait already. A
 * library that takes none, but makes many, comes after all others; false, and nothing done, where too many wait.
 */
export async function queueReport(
  queue: ReportJobs,
  report: QueuedReport,
  seq: number,
  before: number,
): Promise<boolean> {
  if (before >= MOST_WAITING) return false;
  await queue.add(report.library, report, {
    jobId: `${jobIdOf(report.library, report.event_id)}-report-${seq}`,
    delay: 1_000,
    priority: before + 1,
  });
  return true;
}
