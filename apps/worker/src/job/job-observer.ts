import { type JobData, isFailure } from '@passport/contract';
import type { Logger } from '@passport/runtime';
import type { HealthTracker } from '../koha/health-tracker.ts';
import type { JobMetrics, RequeueReason } from '../metrics/job-metrics.ts';
import type { Delayed } from './run-result.ts';

/** Shows the results of jobs to operators: in the log, the metrics and the health of the libraries. */
export interface JobObserver {
  ended(job: JobData): void;
  delayed(delayed: Delayed): void;
  /** An end that a Redis had lost was written again. */
  restored(job: JobData): void;
}

const REQUEUED: Readonly<Record<RequeueReason, string>> = {
  newer_version: 'requeued for a newer worker',
  unknown_library: 'requeued for a newer worker',
  disabled_library: 'requeued until its library is enabled',
};

export function buildJobObserver(deps: {
  readonly metrics: Pick<JobMetrics, 'ended' | 'requeued'>;
  readonly health: Pick<HealthTracker, 'misconfigured' | 'worked'>;
  readonly now: () => number;
  readonly log: Logger;
}): JobObserver {
  const { metrics, health, now, log } = deps;
  return {
    ended(job) {
      const { progress, library } = job;
      const { outcome, problem } = progress;
      if (outcome === null) return;
      metrics.ended(library, outcome);
      if (problem !== null) health.misconfigured(problem.library, problem);
      if (progress.patron_id !== null && problem === null) {
        for (const id of [library, ...progress.homes.map((home) => home.id)]) health.worked(id);
      }
      log[isFailure(outcome) ? 'warn' : 'info'](
        {
          event: job.event_id,
          library,
          outcome,
          reasons: progress.reasons,
          homes: progress.homes.map(({ id }) => id),
          checkout: progress.checkout?.result,
          problem,
          attempt: progress.attempt,
          since_scan_ms: now() - (job.received_ms - job.age_at_delivery_ms),
        },
        'ended',
      );
    },
    delayed({ job, untilMs, requeueReason }) {
      const { waiting_for: waitingFor, attempt } = job.progress;
      if (requeueReason !== null) metrics.requeued(job.library, requeueReason);
      log[requeueReason === null ? 'info' : 'warn'](
        {
          event: job.event_id,
          library: job.library,
          ...(requeueReason === null ? {} : { put_back: requeueReason }),
          waiting_for: waitingFor?.library,
          reason: waitingFor?.reason,
          attempt,
          in_ms: untilMs - now(),
        },
        requeueReason === null ? 'waiting' : REQUEUED[requeueReason],
      );
    },
    restored(job) {
      const event = { event: job.event_id, library: job.library };
      log.warn(event, 'the end was lost with a Redis and written again');
    },
  };
}
