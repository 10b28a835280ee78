import { type JobData, isFailure } from '@passport/contract';
import type { HealthTracker } from '../koha/health-tracker.ts';
import type { JobMetrics, RequeueReason } from '../metrics/job-metrics.ts';
import type { Delayed } from './run-scan.ts';
import type { WorkContext } from '../work-context.ts';

/** Where operators see the results of jobs: in the metrics, in the health of the libraries, and in the log. */
export interface ObserverContext extends Pick<WorkContext, 'now' | 'log'> {
  readonly jobs: Pick<JobMetrics, 'ended' | 'requeued'>;
  readonly health: Pick<HealthTracker, 'misconfigured' | 'worked'>;
}

const REQUEUED: Readonly<Record<RequeueReason, string>> = {
  newer_version: 'requeued for a newer worker',
  unknown_library: 'requeued for a newer worker',
  disabled_library: 'requeued until its library is enabled',
};

/** Shows operators that a job has ended. */
export function observeEnd(job: JobData, { jobs, health, now, log }: ObserverContext): void {
  const { progress, library } = job;
  const { outcome, problem } = progress;
  if (outcome === null) return;
  jobs.ended(library, outcome);
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
}

/** Shows operators that a job waits. */
export function observeDelay(
  { job, untilMs, requeueReason }: Delayed,
  { jobs, now, log }: ObserverContext,
): void {
  const { waiting_for: waitingFor, attempt } = job.progress;
  if (requeueReason !== null) jobs.requeued(job.library, requeueReason);
  log[requeueReason === null ? 'info' : 'warn'](
    {
      event: job.event_id,
      library: job.library,
      ...(requeueReason === null ? {} : { requeued: requeueReason }),
      waiting_for: waitingFor?.library,
      reason: waitingFor?.reason,
      attempt,
      in_ms: untilMs - now(),
    },
    requeueReason === null ? 'waiting' : REQUEUED[requeueReason],
  );
}
