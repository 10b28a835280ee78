import { type AttemptCall, type JobData, withAttempt } from '@passport/contract';
import type { Result } from '../provision/result.ts';

/** The job with what one run queried and came to. A run that only waited for others is not worth a place. */
export function withHistory(
  job: JobData,
  result: Result,
  calls: readonly AttemptCall[],
  { startedMs, nowMs }: { readonly startedMs: number; readonly nowMs: number },
): JobData {
  if (calls.length === 0 && result.kind === 'retry') return job;
  const attempt = {
    at_ms: startedMs,
    ms: Math.max(0, Math.round(nowMs - startedMs)),
    calls: calls.map((call) => ({ ...call })),
    result: result.kind === 'done' ? result.outcome : result.reason,
  };
  return { ...job, attempts: withAttempt(job.attempts ?? [], attempt) };
}
