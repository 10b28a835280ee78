import { type JobData, parseJob } from '@passport/contract';
import type { JobDataWriter } from '@passport/queue';
import type { Tracing } from '@passport/runtime';
import type { Reporter } from '../koha/report.ts';
import type { PausedSide } from '../provision/result.ts';
import type { JobObserver } from './job-observer.ts';
import type { RunResult, TakenJob } from './run-result.ts';
import { type RunDeps, runScan } from './run-scan.ts';
import type { ScanWork } from './process-scan.ts';
import type { Settlement } from './settlement.ts';

export interface ScanWorkDeps {
  readonly run: RunDeps;
  readonly settlement: Settlement;
  readonly observer: JobObserver;
  readonly reporter: Reporter;
  readonly tracing: Tracing;
  readonly writeLostEnd: JobDataWriter['writeLostEnd'];
  /** Notes that a job waits for a library's circuit. */
  readonly noteDelayed: (library: string, jobId: string) => Promise<void>;
  /** Notes that a job waits for the end of a library's pause. */
  readonly notePaused: (paused: PausedSide, jobId: string) => Promise<void>;
  /** Has a job go on whose question was answered while it was being delayed. */
  readonly goOnIfAnswered: (job: JobData) => Promise<void>;
}

/**
 * What surrounds the run of a job. Everything here may be done again after a crash: receipts are written once per event,
 * the ledger settles once, Koha keeps the highest number that it received.
 */
export function buildScanWork(deps: ScanWorkDeps): ScanWork {
  const { settlement, observer, reporter, writeLostEnd, noteDelayed, notePaused, goOnIfAnswered } = deps;
  return {
    run: (taken) => recordedRun(taken, deps),
    recordEnd: (job, copy) => settlement.recordDisclosures(job, copy),
    async settle(job, jobId) {
      await settlement.settle(job, jobId);
      observer.ended(job);
    },
    reportEnd: (job) => reporter.reportEnd(job),
    async endAgain({ job, data, copy }, jobId) {
      const wasLost = await writeLostEnd(jobId, data);
      await settlement.recordDisclosures(job, copy);
      await settlement.settle(job, jobId);
      if (wasLost) observer.restored(job);
    },
    async beforeDelay(delayed, jobId) {
      const { job, forCircuitsOf, forPausesOf, worthReporting } = delayed;
      // However long it waits and whoever ends it: what has left is on record.
      await settlement.recordDisclosures(job);
      await settlement.releaseQuota(job);
      await Promise.all([
        ...forCircuitsOf.map((library) => noteDelayed(library, jobId)),
        ...forPausesOf.map((paused) => notePaused(paused, jobId)),
      ]);
      observer.delayed(delayed);
      if (worthReporting) reporter.reportWaiting(job);
    },
    async afterDelay({ job, reason }) {
      if (reason === 'CONSENT') await goOnIfAnswered(job);
    },
  };
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
  const save: TakenJob['save'] = async (job, claim) => {
    const claimed = await taken.save(job, claim);
    if (claimed === 'taken') sent = job;
    return claimed;
  };
  try {
    return await tracedRun({ ...taken, save }, deps);
  } catch (error) {
    // Where it cannot be written now it is when the connection is back (keep-receipts.ts).
    if (sent !== undefined) await deps.settlement.recordDisclosures(sent).catch(() => undefined);
    throw error;
  }
}
