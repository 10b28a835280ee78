import {
  type JobData,
  type ParsedJob,
  type Progress,
  copyMayBeThere,
  parseJob,
  rewriteJob,
} from '@passport/contract';
import { DecryptionError, type Encryption } from '@passport/runtime';
import type { Resumed } from '../provision/consent.ts';
import { WAIT_RULES, decideFailure } from '../provision/retry-policy.ts';
import {
  type Done,
  PAUSED_LENDING,
  type Result,
  done,
  ifCancelled,
  unreachable,
  withDisclosure,
} from '../provision/result.ts';
import { LockLost } from './job-lock.ts';
import { type AfterRunDeps, delayJob, endJob } from './job-after-run.ts';
import { type RequeueDeps, decideRequeue, patienceMs } from './requeue.ts';
import { waitForPause } from './wait-for-pause.ts';
import type { Ended, TakenJob, RunResult } from './run-result.ts';
import { withHistory } from './with-history.ts';
import { buildScanLock } from './taken-job.ts';
import { type History, openHistory } from '../provision/history.ts';
import { type Scan, ScanCancelled, type ScanLock, openScan } from '../provision/scan.ts';

export interface RunDeps extends RequeueDeps, AfterRunDeps {
  /** The result of a scan that waits for the patron's consent; or the scan to go on with, where it has the consent or needs none. */
  readonly resumeConsent: (scan: Scan) => Promise<Resumed>;
  readonly provision: (scan: Scan, lock: ScanLock) => Promise<Result>;
  readonly encryption: Encryption;
  /** Milliseconds until the end of a lending library's pause; null: it is not paused. */
  readonly pauseLeftMs: (lending: string) => number | null;
  /** How long a Koha may take for what was sent to it. */
  readonly timeoutMs: (lending: string) => number;
  readonly monotonicNow: () => number;
}

/** A job whose worker died so often, or that met so many bugs, ends with an outcome of ours instead of going round. */
const MOST_DEATHS = 5;
export const MOST_BUGS = 5;

/** Runs one job once, from its payload to what BullMQ shall do with it. Throws on bugs and where Redis failed. */
export async function runScan(taken: TakenJob, deps: RunDeps): Promise<RunResult> {
  const parsed = parseJob(taken.data);
  if (parsed.kind === 'unreadable') return { kind: 'unreadable', fields: parsed.fields };
  const requeueReason = decideRequeue(parsed, taken.addedMs, deps);
  const mayEnd = requeueReason === null || requeueReason.result.kind === 'done';
  if (parsed.job.progress.outcome !== null && mayEnd) return { kind: 'done_before', job: parsed.job };
  const { lock, noted } = buildScanLock(parsed.job, taken);
  const history = openHistory(deps.monotonicNow);
  const begunMs = deps.now();
  const result = isOverBefore(parsed, taken)
    ? CANCELLED
    : (requeueReason?.result ?? (await work(parsed.job, { taken, lock, history }, deps)));
  if (result === 'requeue') {
    // The next run looks when Koha has surely let go of what this one has sent.
    return { kind: 'requeue', delayMs: noted().mayBeOnItsWay ? deps.timeoutMs(parsed.job.library) : 0 };
  }
  const job =
    requeueReason === null
      ? withHistory(noted().job, result, history.calls, { startedMs: begunMs, nowMs: deps.now() })
      : noted().job;
  const attempt = job.progress.attempt + 1;
  const end = (last: Done): Ended => {
    const ended = endJob({ ...job, made: parsed.job.made }, withDisclosure(last, job), attempt, deps);
    return requeueReason === null ? ended : { ...ended, data: rewriteJob(taken.data, ended.job) };
  };
  // A newer version may have written what this one does not know of.
  const cancelled = parsed.kind === 'newer' ? null : ifCancelled(result);
  const change = { ifCancelled: cancelled === null ? null : () => end(done(cancelled)) };
  if (result.kind === 'done') return { ...end(result), ...change };
  const delayed = { ...delayJob(job, result, attempt, deps, taken.addedMs), ...change };
  if (requeueReason === null) return delayed;
  return {
    ...delayed,
    data: rewriteJob(taken.data, delayed.job),
    requeueReason: requeueReason.reason,
  };
}

const CANCELLED = done({ outcome: 'CANCELLED' });

/** Cancelled before anything was written at the lending library: nobody is queried for it any more. */
const isOverBefore = ({ kind, job }: Exclude<ParsedJob, { kind: 'unreadable' }>, taken: TakenJob): boolean =>
  taken.isCancelled &&
  kind === 'job' &&
  job.progress.outcome === null &&
  !copyMayBeThere(job) &&
  job.made === null;

interface Run {
  readonly taken: TakenJob;
  readonly lock: ScanLock;
  readonly history: History;
}

async function work(job: JobData, { taken, lock, history }: Run, deps: RunDeps): Promise<Result | 'requeue'> {
  const { library } = job;
  const broken = (name: string): Done =>
    done({ outcome: 'MISCONFIGURED', problem: { library, what: 'other', name } });
  if (taken.stalls - (job.retried?.stalled ?? 0) >= MOST_DEATHS) return broken('the worker died of it');
  if (taken.bugs >= MOST_BUGS) return broken('internal error');
  const giveUpAfterMs = patienceMs(job, deps);
  let scan: Scan;
  try {
    scan = openScan(
      job,
      deps.encryption,
      taken.starts > 1 || taken.stalls > 0 || job.retried !== null,
      history,
    );
  } catch (error) {
    if (error instanceof DecryptionError) return broken('PASSPORT_KEY');
    throw error;
  }
  const tooOld = (): boolean => deps.now() - scan.startedMs > giveUpAfterMs;
  if (tooOld() && !wasWorkedOn(job.progress, taken.starts)) return done({ outcome: 'TOO_LATE' });
  const resumed = async (): Promise<Result> => {
    const answered = await deps.resumeConsent(scan);
    return answered.kind === 'goes_on' ? deps.provision(answered.scan, lock) : answered;
  };
  const result =
    waitForPause(job, deps.pauseLeftMs(library)) ??
    (await resumed().catch((error: unknown) => {
      if (error instanceof ScanCancelled) return CANCELLED;
      const { signal } = taken.lock;
      return signal.aborted ? stopped(signal.reason) : failed(scan, error);
    }));
  if (result === 'requeue' || result.kind === 'done' || result.mustLook === true) return result;
  return tooOld() ? done(result.otherwise) : result;
}

/** A job that only ever waited for a lock, or for its library's next hour, was never worked on. */
function wasWorkedOn({ state, waiting_for: waitingFor }: Progress, starts: number): boolean {
  if (state !== 'waiting') return starts > 1;
  return waitingFor === null || !WAIT_RULES[waitingFor.reason].isUntouched;
}

/** We hung up ourselves: because the process stops, or because the job may be somebody else's by now. */
function stopped(reason: unknown): 'requeue' {
  if (reason instanceof LockLost) throw reason;
  return 'requeue';
}

/** A call that failed where the workflow had nothing better to say about it. Throws bugs. */
function failed(scan: Scan, error: unknown): Result | 'requeue' {
  const failure = decideFailure(error);
  switch (failure.kind) {
    case 'wait': {
      const { library, reason, retryAfterMs } = failure;
      const otherwise = reason === 'PAUSED' ? PAUSED_LENDING : unreachable(scan, library);
      return { kind: 'retry', library, reason, retryAfterMs, otherwise };
    }
    case 'misconfigured':
      return done({ outcome: 'MISCONFIGURED', problem: failure.problem });
    case 'requeue':
      return 'requeue';
    case 'bug':
      throw error;
    default:
      return failure satisfies never;
  }
}
