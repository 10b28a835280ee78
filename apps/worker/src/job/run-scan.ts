import type { Consortium } from '@passport/config';
import {
  type JobData,
  type ParsedJob,
  type Progress,
  copyMayBeThere,
  isFailure,
  nextProgress,
  parseJob,
  rewriteJob,
  withAttempt,
} from '@passport/contract';
import { isDeskQuestion } from '@passport/queue/scans';
import { DecryptionError, type Encryption } from '@passport/runtime';
import { LONGEST_BACK_OFF_MS } from '../koha/back-off.ts';
import type { Libraries } from '../koha/libraries.ts';
import type { RequeueReason } from '../metrics/job-metrics.ts';
import type { ProvisionContext } from '../provision/context.ts';
import {
  type History,
  type Scan,
  ScanCancelled,
  openHistory,
  openScan,
  startedMs,
  wantedSinceMs,
} from '../provision/scan.ts';
import { provision } from '../provision/provision.ts';
import {
  type Done,
  type End,
  type PausedSide,
  type Result,
  NOT_ASKED,
  type Retry,
  checkoutNow,
  checkoutTooLate,
  done,
  ifCancelled,
  withSentHome,
} from '../provision/result.ts';
import { WAIT_RULES, decideFailure } from '../provision/retry-policy.ts';
import { LockLost } from './job-lock.ts';
import { type Requeued, decideRequeue } from './requeue.ts';
import { recordDisclosures } from './settlement.ts';
import { type NotedLock, type TakenJob, openScanLock } from './taken-job.ts';
import type { SlotClock } from '../koha/slot-clock.ts';
import type { WorkContext } from '../work-context.ts';

/** What a run is done with, the workflow included. */
export interface RunContext extends ProvisionContext, Pick<WorkContext, 'pauseLeft' | 'nameOf'> {
  readonly libraries: ProvisionContext['libraries'] & Pick<Libraries, 'circuit'>;
  readonly encryption: Encryption;
  readonly slots: Pick<SlotClock, 'bookMs'>;
}

/** The job's data with what it came to. */
interface JobChange {
  readonly job: JobData;
  /** What is written for `job`: more than that where a newer version wrote it. */
  readonly data: object;
  /** What it comes to where the event was cancelled before this could be written; null: this stands. */
  readonly ifCancelled: (() => Ended) | null;
}

/** A result of the workflow with the time at which the job is tried again. */
export interface Delayed extends Retry, JobChange {
  readonly untilMs: number;
  /** The libraries whose circuit it waits for; each of them promotes it when it is back. */
  readonly forCircuitsOf: readonly string[];
  /** The pauses whose end it waits for; each of them promotes it when it is over. */
  readonly forPausesOf: readonly PausedSide[];
  /** Whether the desk should hear of it. */
  readonly worthReporting: boolean;
  /** Set when another worker shall have it. */
  readonly requeueReason: RequeueReason | null;
}

export type Ended = Done & JobChange;

/** What one run of a job came to, for the queue. */
export type RunResult =
  | Ended
  | Delayed
  /** It had ended before: only what comes after the end is done again. */
  | { readonly kind: 'done_before'; readonly job: JobData }
  /** The run was cut off, as by a reload, or came too early: the job is requeued as it is, in so many milliseconds. */
  | { readonly kind: 'requeue'; readonly delayMs: number }
  | Extract<ParsedJob, { kind: 'unreadable' }>;

/** A job whose worker died so often, or that met so many bugs, ends with an outcome of ours instead of going round. */
const MOST_DEATHS = 5;
export const MOST_BUGS = 5;

/** One run of a job on its way. */
interface Run {
  readonly taken: TakenJob;
  readonly lock: NotedLock;
  readonly history: History;
  /** When the run began, and when its job is given up: milliseconds of the queue's clock. */
  readonly begunMs: number;
  readonly giveUpAtMs: number;
  /** Set when the job is for another worker. */
  readonly requeued: Requeued | null;
}

/**
 * Runs one job once, from its payload to what BullMQ shall do with it. Throws on bugs and where Redis failed; what has left for the
 * lending library is on record by then.
 */
export async function runScan(taken: TakenJob, context: RunContext): Promise<RunResult> {
  const parsed = parseJob(taken.data);
  if (parsed.kind === 'unreadable') return parsed;
  const { job } = parsed;
  const since = startedMs(job, taken.addedMs);
  const giveUpAtMs = since + patienceMs(job.library, context.consortium);
  const requeued = decideRequeue(parsed, { startedMs: since, giveUpAtMs }, context);
  if (job.progress.outcome !== null && requeued?.result.kind !== 'retry') return { kind: 'done_before', job };
  // Whoever has promoted it, or taken it over: what an earlier run has sent may still be on its way. A longer wait was the clock.
  const tooEarlyMs = (job.made?.look_from_ms ?? 0) - context.now();
  if (requeued === null && tooEarlyMs > 0 && tooEarlyMs <= LONGEST_BACK_OFF_MS) {
    return { kind: 'requeue', delayMs: tooEarlyMs };
  }
  const lock = openScanLock(job, taken, (noted, { home_key: homeKey, patron_id: patronId }) =>
    recordDisclosures(noted, context, { homeKey, patronId }),
  );
  const history = openHistory(context.monotonicNow);
  const run = { taken, lock, history, begunMs: context.now(), giveUpAtMs, requeued };
  const recorded = async (error: unknown): Promise<never> => {
    // Another run may end the event by now, or Redis forget it: what has left is on record all the same, at the latest when the
    // connection is back (keep-receipts.ts).
    if (lock.job.sent !== job.sent) await recordDisclosures(lock.job, context).catch(() => undefined);
    throw error;
  };
  const result = isOverBefore(parsed, taken)
    ? CANCELLED
    : (requeued?.result ?? (await workOn(job, run, context).catch(recorded)));
  if (result === 'requeue') {
    // The next run looks when Koha has surely let go of what this one has sent.
    const lending = context.consortium.libraries.find(({ id }) => id === job.library);
    return { kind: 'requeue', delayMs: lock.mayBeOnItsWay ? (lending?.koha.timeoutMs ?? 0) : 0 };
  }
  return jobAfter(parsed, result, run, context);
}

/** How long a job of this library is tried; of one that only a newer configuration has, or has enabled, the longest of all. */
export function patienceMs(library: string, { libraries }: Consortium): number {
  const own = libraries.find(({ id, enabled }) => id === library && enabled);
  return own?.retry.giveUpAfterMs ?? Math.max(0, ...libraries.map(({ retry }) => retry.giveUpAfterMs));
}

const CANCELLED = done({ outcome: 'CANCELLED' });

/** Cancelled before anything was written at the lending library: nobody is queried for it any more. */
const isOverBefore = ({ kind, job }: Exclude<ParsedJob, { kind: 'unreadable' }>, taken: TakenJob): boolean =>
  taken.isCancelled &&
  kind === 'job' &&
  job.progress.outcome === null &&
  !copyMayBeThere(job) &&
  job.made === null;

async function workOn(
  job: JobData,
  { taken, lock, history, giveUpAtMs }: Run,
  context: RunContext,
): Promise<Result | 'requeue'> {
  const { library } = job;
  const broken = (name: string): Done =>
    done({ outcome: 'MISCONFIGURED', problem: { library, what: 'other', name } });
  if (taken.stalls - (job.retried?.stalled ?? 0) >= MOST_DEATHS) return broken('the worker died of it');
  if (taken.bugs >= MOST_BUGS) return broken('internal error');
  const mayHaveWritten = taken.starts > 1 || taken.stalls > 0 || job.retried !== null;
  let scan: Scan;
  try {
    scan = openScan(job, context.encryption, mayHaveWritten, history);
  } catch (error) {
    if (error instanceof DecryptionError) return broken('PASSPORT_KEY');
    throw error;
  }
  const tooOld = (): boolean => context.now() > giveUpAtMs;
  if (tooOld() && !wasWorkedOn(job.progress, taken.starts)) return done({ outcome: 'TOO_LATE' });
  let result: Result | 'requeue';
  try {
    result =
      waitForPause(job, context.pauseLeft(library, 'lending')) ?? (await provision(scan, lock, context));
  } catch (error) {
    result = afterFailure(scan, error, taken.lock.signal);
  }
  if (result === 'requeue' || result.kind === 'done' || result.mustLook === true) return result;
  return tooOld() || outlasts(result, giveUpAtMs - context.now()) ? done(result.otherwise) : result;
}

/** Whether a pause ends only when the job has been given up: nobody has to wait for that to hear of it. */
const outlasts = ({ reason, retryAfterMs }: Retry, patienceLeftMs: number): boolean =>
  reason === 'PAUSED' && (retryAfterMs ?? 0) > patienceLeftMs;

/** A job that only ever waited for a lock, or for its library's next hour, was never worked on. */
function wasWorkedOn({ state, waiting_for: waitingFor }: Progress, starts: number): boolean {
  if (state !== 'waiting') return starts > 1;
  return waitingFor === null || !WAIT_RULES[waitingFor.reason].isUntouched;
}

/** What an event comes to that waited for the end of its lending library's pause all the while. */
const PAUSED_LENDING: End = { outcome: 'TOO_LATE', reasons: ['PAUSED'] };

/**
 * While its lending library is paused nobody is queried for it, since nothing could be written there. What has left for that
 * library, or has been made there, is looked at once more before the end, however late. Null: `leftMs` says that it is not paused.
 */
function waitForPause(job: JobData, leftMs: number | null): Retry | null {
  if (leftMs === null) return null;
  const { library, made } = job;
  const otherwise = made === null ? PAUSED_LENDING : checkoutTooLate(made);
  const mustLook = made !== null || copyMayBeThere(job);
  return { kind: 'retry', library, reason: 'PAUSED', retryAfterMs: leftMs, mustLook, otherwise };
}

/** What a call came to that failed where the workflow had nothing better to say about it. Throws bugs, and that the lock is lost. */
function afterFailure({ lending }: Scan, error: unknown, signal: AbortSignal): Result | 'requeue' {
  if (error instanceof ScanCancelled) return CANCELLED;
  // We hung up ourselves: because the process stops, or because the job may be somebody else's by now.
  if (signal.aborted) {
    if (signal.reason instanceof LockLost) throw signal.reason;
    return 'requeue';
  }
  const failure = decideFailure(error);
  switch (failure.kind) {
    case 'wait': {
      const { library, reason, retryAfterMs } = failure;
      const unreachable: End =
        library === lending
          ? { outcome: 'LENDING_UNREACHABLE' }
          : { outcome: 'HOME_UNREACHABLE', homes: [library] };
      const otherwise = reason === 'PAUSED' ? PAUSED_LENDING : unreachable;
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

/** The job of a run that came to this result, with what one run queried. A run that only waited for others is not worth a place there. */
function jobAfter(
  { kind, job: before }: Exclude<ParsedJob, { kind: 'unreadable' }>,
  result: Result,
  run: Run,
  context: RunContext,
): Ended | Delayed {
  const { lock, history, begunMs, requeued } = run;
  let { job } = lock;
  if (requeued === null && (history.calls.length > 0 || result.kind === 'done')) {
    const attempt = {
      at_ms: begunMs,
      ms: Math.max(0, Math.round(context.now() - begunMs)),
      calls: history.calls.map((call) => ({ ...call })),
      result: result.kind === 'done' ? result.outcome : result.reason,
    };
    job = { ...job, attempts: withAttempt(job.attempts ?? [], attempt) };
  }
  const end = (last: Done): Ended =>
    rewritten(endJob({ ...job, made: before.made }, withSentHome(last, job), context), run);
  const change = result.kind === 'done' ? end(result) : rewritten(delayJob(job, result, run, context), run);
  // A newer version may have written what this one does not know of.
  const cancelled = kind === 'newer' ? null : ifCancelled(result, change.job.made);
  return cancelled === null ? change : { ...change, ifCancelled: () => end(done(cancelled)) };
}

/** What this version does not know of a job for another worker stays in it. */
const rewritten = <C extends JobChange>(change: C, { taken, requeued }: Run): C =>
  requeued === null ? change : { ...change, data: rewriteJob(taken.data, change.job) };

const NOTHING_KEPT = { encrypted_card: null, encrypted_item: null, question: undefined };

const named = (ids: readonly string[], { nameOf }: RunContext): Progress['homes'] =>
  ids.map((id) => ({ id, name: nameOf(id) }));

/** The job of a run that has ended. What a person needs to retry it is kept where it failed. */
function endJob(job: JobData, result: Done, context: RunContext): Ended {
  const isKept = isFailure(result.outcome);
  const progress = nextProgress(
    job.progress,
    {
      state: isKept ? 'failed' : 'done',
      outcome: result.outcome,
      reasons: [...(result.reasons ?? [])],
      homes: named(result.homes ?? [], context),
      patron_id: result.patronId ?? null,
      checkout: result.checkout ?? checkoutNow(job.made, NOT_ASKED),
      waiting_for: null,
      problem: result.problem ?? null,
      ...(result.observed === undefined ? {} : { observed: result.observed }),
      attempt: job.progress.attempt + 1,
    },
    new Date(context.now()).toISOString(),
  );
  // That staff were asked counts for the hourly limits; of whom does not.
  const asks = job.asks === undefined ? undefined : { ...job.asks, home_key: null };
  const last = { ...job, ...(isKept ? {} : { ...NOTHING_KEPT, asks }), progress };
  return { ...result, job: last, data: last, ifCancelled: null };
}

/** The job of a run that is to be tried again, and when: by the rule of its reason, and not after it would be given up. */
function delayJob(job: JobData, retry: Retry, { giveUpAtMs, requeued }: Run, context: RunContext): Delayed {
  const { library, reason } = retry;
  const { random, slots } = context;
  const rule = WAIT_RULES[reason];
  const now = context.now();
  const attempt = job.progress.attempt + 1;
  const delayMs = rule.delayMs({ ...retry, attempt, random, freeSlotMs: (id) => slots.bookMs(id) });
  const latestMs = retry.mustLook === true ? Infinity : giveUpAtMs + 1;
  const untilMs = Math.max(now, Math.min(now + delayMs, latestMs));
  const nextTryMs = rule.showsEnd ? now + (retry.retryAfterMs ?? 0) : untilMs;
  const isPutAgain = isDeskQuestion(reason) && job.progress.waiting_for?.reason === reason;
  const { made = job.made, question = job.question, asks = job.asks } = retry;
  // What is known so far: whose patron it is, or who may have them, and the copy where it is there.
  const homes = made === null ? (retry.otherwise.homes ?? []) : [made.home];
  const progress = nextProgress(
    job.progress,
    {
      state: 'waiting',
      homes: named(homes, context),
      // Why, where staff may override it: the desk reads it as it reads a refusal.
      reasons: reason === 'OVERRIDE' ? [...(retry.otherwise.reasons ?? [])] : [],
      patron_id: made?.patron_id ?? null,
      waiting_for: {
        library,
        reason,
        next_try_at: isoTime(nextTryMs),
        ...limitsOf(job, giveUpAtMs, context),
      },
      attempt: rule.isAttempt ? attempt : job.progress.attempt,
    },
    new Date(now).toISOString(),
  );
  const delayed = { ...job, made, question, asks, progress };
  return {
    ...retry,
    job: delayed,
    data: delayed,
    ifCancelled: null,
    untilMs,
    forCircuitsOf: circuitsOf(retry, context),
    forPausesOf: pausesOf(retry),
    worthReporting: delayMs >= rule.reportFromMs && !isPutAgain,
    requeueReason: requeued?.reason ?? null,
  };
}

const isoTime = (ms: number): string => new Date(ms).toISOString();

/** Until when waiting is of any use, for the desk. */
function limitsOf(
  job: JobData,
  giveUpAtMs: number,
  { consortium }: RunContext,
): Pick<NonNullable<Progress['waiting_for']>, 'gives_up_at' | 'checkout_by'> {
  const lending = consortium.libraries.find(({ id }) => id === job.library);
  const gives_up_at = isoTime(giveUpAtMs);
  if (lending === undefined) return { gives_up_at };
  return { gives_up_at, checkout_by: isoTime(wantedSinceMs(job) + lending.retry.checkoutWithinMs) };
}

/** Whose pauses a waiting job waits for. */
function pausesOf({ library, reason, paused }: Retry): readonly PausedSide[] {
  if (paused !== undefined) return paused;
  return reason === 'PAUSED' ? [{ library, side: 'lending' }] : [];
}

/** Whose circuits a waiting job waits for: of those that refused it, and of the one that its own failure may have opened. */
function circuitsOf({ library, reason, closed }: Retry, { libraries }: RunContext): readonly string[] {
  const isRefused = closed === undefined && reason === 'CIRCUIT_OPEN';
  const isLost = reason === 'NO_ANSWER' && libraries.circuit(library).isOpen;
  return [...new Set([...(closed ?? []), ...(isRefused || isLost ? [library] : [])])];
}
