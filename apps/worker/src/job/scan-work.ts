import type { Consortium } from '@passport/config';
import { type JobData, isFailure, parseJob } from '@passport/contract';
import type { HourUse, JobDataWriter, Ledger, Receipts } from '@passport/queue';
import type { Logger, Tracing } from '@passport/runtime';
import type { JobMetrics } from '../metrics/job-metrics.ts';
import type { RequeueReason } from './requeue.ts';
import { OUTCOME_TABLE } from '../provision/outcome-table.ts';
import { disclosuresOf } from '../provision/result.ts';
import type { TakenJob, RunResult } from './run-result.ts';
import { type RunDeps, runScan } from './run-scan.ts';
import type { HealthTracker } from '../koha/health-tracker.ts';
import type { Reporter } from '../report/report.ts';
import type { ScanWork } from './scan-worker.ts';

export interface ScanWorkDeps {
  readonly run: RunDeps;
  readonly consortium: Consortium;
  readonly ledger: Ledger;
  readonly receipts: Receipts;
  readonly reporter: Reporter;
  readonly health: Pick<HealthTracker, 'misconfigured' | 'worked'>;
  readonly metrics: Pick<JobMetrics, 'ended' | 'requeued'>;
  readonly tracing: Tracing;
  readonly writeLostEnd: JobDataWriter['writeLostEnd'];
  readonly noteDelayed: (library: string, jobId: string) => Promise<void>;
  /** Notes that a failed job's encrypted item must be gone by then. */
  readonly noteItem: (jobId: string, goneAtMs: number) => Promise<void>;
  readonly now: () => number;
  readonly log: Logger;
}

/**
 * What surrounds the run of a job. Everything here may be done again after a crash: receipts are written once per event,
 * the ledger settles once, Koha keeps the highest number that it received.
 */
export function buildScanWork(deps: ScanWorkDeps): ScanWork {
  const { ledger, reporter, noteDelayed, now, log } = deps;
  return {
    run: (taken: TakenJob) => recordedRun(taken, deps),
    beforeEnd: ({ job }) => writeReceipts(deps, job),
    async afterEnd(job, jobId) {
      const { outcome } = job.progress;
      if (outcome === null) return;
      await settle(deps, job, jobId);
      note(deps, job, outcome);
      await reporter.reportEnd(job);
    },
    async endAgain({ job, data }, jobId) {
      const wasLost = await deps.writeLostEnd(jobId, data);
      await writeReceipts(deps, job);
      await settle(deps, job, jobId);
      if (!wasLost) return;
      log.warn(
        { event: job.event_id, library: job.library },
        'the end was lost with a Redis and written again',
      );
    },
    async beforeDelay({ job, untilMs, forCircuitsOf, worthReporting, requeueReason }, jobId) {
      // However long it waits and whoever ends it: what has left is on record.
      await writeReceipts(deps, job);
      if (!hasDisclosed(job)) await ledger.releaseQuota(job.library, job.event_id);
      await Promise.all(forCircuitsOf.map((library) => noteDelayed(library, jobId)));
      const { waiting_for: waitingFor, attempt } = job.progress;
      if (requeueReason !== null) deps.metrics.requeued(job.library, requeueReason);
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
        requeueReason === null ? 'waiting' : PUT_BACK[requeueReason],
      );
      if (worthReporting) reporter.reportWaiting(job);
    },
  };
}

const PUT_BACK: Readonly<Record<RequeueReason, string>> = {
  newer_version: 'requeued for a newer worker',
  unknown_library: 'requeued for a newer worker',
  paused_library: 'requeued until its library is enabled',
};

/** What an ended event leaves in the ledger. */
async function settle(deps: ScanWorkDeps, job: JobData, jobId: string): Promise<void> {
  const { outcome, updated_at: endedAt } = job.progress;
  if (outcome === null) return;
  await deps.ledger.settle(job.library, job.event_id, outcome, endedAt, usedOf(job));
  if (job.sealed_item !== null) await deps.noteItem(jobId, itemGoneAt(deps, job));
}

/** Whether a record has left for the lending library, stored there or not. */
const hasDisclosed = (job: JobData): boolean => disclosuresOf(job).length > 0;

/** What an ended event used of its library's hourly quota. */
function usedOf(job: JobData): HourUse {
  if (hasDisclosed(job)) return 'copies';
  const { outcome, homes } = job.progress;
  if (outcome === null) return 'none';
  switch (OUTCOME_TABLE[outcome].uses) {
    case 'miss':
      return 'misses';
    case 'decision':
      return homes.length > 0 ? 'verdicts' : 'none';
    case 'nothing':
      return 'none';
  }
}

/** One run of a job, in the trace that its delivery began. */
function tracedRun(taken: TakenJob, { run, tracing }: ScanWorkDeps): Promise<RunResult> {
  return tracing.within(
    () => {
      const parsed = parseJob(taken.data);
      if (parsed.kind === 'unreadable') return { name: 'scan', kind: 'consumer' };
      const { library, event_id: event, traceparent: parent } = parsed.job;
      return { name: 'scan', kind: 'consumer', parent, facts: { library, event } };
    },
    async (setFacts) => {
      const decision = await runScan(taken, run);
      setFacts({ outcome: ('job' in decision && decision.job.progress.outcome) || decision.kind });
      return decision;
    },
  );
}

/**
 * A run that loses its lock or its Redis after a record has left does not come to its end, and its event may be one that
 * Redis has forgotten by the time it is back: what has left is on record all the same.
 */
async function recordedRun(taken: TakenJob, deps: ScanWorkDeps): Promise<RunResult> {
  let sent: JobData | undefined;
  const save = async (job: JobData): Promise<void> => {
    await taken.save(job);
    sent = job;
  };
  try {
    return await tracedRun({ ...taken, save }, deps);
  } catch (error) {
    // Where it cannot be written now it is when the connection is back (keep-receipts.ts).
    if (sent !== undefined) await writeReceipts(deps, sent).catch(() => undefined);
    throw error;
  }
}

async function writeReceipts(deps: ScanWorkDeps, job: JobData): Promise<void> {
  const { receipts, consortium, now } = deps;
  for (const { home, home_key: homeKey, fields } of disclosuresOf(job)) {
    const at = new Date(now()).toISOString();
    const receipt = { at, home, lending: job.library, homeKey, fields, eventId: job.event_id };
    await receipts.append(receipt, now(), consortium.retention.receiptsMs);
  }
}

/** A failed job loses its item when it is too late to check it out. */
function itemGoneAt({ consortium }: ScanWorkDeps, job: JobData): number {
  const lending = consortium.libraries.find(({ id }) => id === job.library);
  return job.received_ms - job.age_at_delivery_ms + (lending?.retry.checkoutWithinMs ?? 0);
}

function note(deps: ScanWorkDeps, job: JobData, outcome: NonNullable<JobData['progress']['outcome']>): void {
  const { metrics, health, log, now } = deps;
  const { progress } = job;
  const ageMs = now() - (job.received_ms - job.age_at_delivery_ms);
  metrics.ended(job.library, outcome);
  if (progress.problem !== null) health.misconfigured(progress.problem.library, progress.problem);
  if (progress.patron_id !== null && progress.problem === null) {
    for (const library of [job.library, ...progress.homes.map(({ id }) => id)]) health.worked(library);
  }
  log[isFailure(outcome) ? 'warn' : 'info'](
    {
      event: job.event_id,
      library: job.library,
      outcome,
      reasons: progress.reasons,
      homes: progress.homes.map(({ id }) => id),
      checkout: progress.checkout?.result,
      problem: progress.problem,
      attempt: progress.attempt,
      since_scan_ms: ageMs,
    },
    'ended',
  );
}
