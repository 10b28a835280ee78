import {
  type JobData,
  type Progress,
  isFailure,
  nextProgress,
  parseJob,
  rewriteJob,
} from '@passport/contract';
import { SealError, type Sealer } from '@passport/runtime';
import { type FailureDecision, decideFailure, nextDelayMs } from './retry-policy.ts';
import { type Ending, type RunEnd, circuitsOf, ended, withDisclosure } from '../provision/ending.ts';
import { type JobHold, LockLost } from './job-lock.ts';
import { decidePutBack, patienceMs, startedMs } from './put-back.ts';
import type { JobInHand, RunDecision } from './run-decision.ts';
import { type Scan, openScan } from '../provision/scan.ts';

export type { JobInHand, RunDecision } from './run-decision.ts';

export interface RunDeps {
  readonly provision: (scan: Scan, hold: JobHold) => Promise<RunEnd>;
  readonly sealer: Sealer;
  readonly giveUpAfterMs: (lending: string) => number | null;
  /** Whether this worker's configuration names the library, be it paused. */
  readonly knows: (library: string) => boolean;
  /** For a lending library that is paused, or that it does not name. */
  readonly longestGiveUpMs: number;
  /** When the next call of a library that is at its cap may start. */
  readonly freeSlotMs: (library: string) => number;
  /** Whether a library's circuit is open by now: a job that failed there is woken with those that were refused. */
  readonly isLost: (library: string) => boolean;
  readonly nameOf: (library: string) => string;
  readonly now: () => number;
  readonly random: () => number;
}

/** A job whose worker died so often, or that met so many bugs, ends with an outcome of ours instead of going round. */
const MOST_DEATHS = 5;
export const MOST_BUGS = 5;
/** Woken by whoever closes the circuit; this is for when nobody does. */
const CIRCUIT_WAIT_MS = 60_000;
/** A shorter wait for a free slot is nobody's business but ours. */
const TELL_BUSY_FROM_MS = 1_000;

/** Runs one job once, from its payload to what BullMQ shall do with it. Throws on bugs and where Redis failed. */
export async function runScan(hand: JobInHand, deps: RunDeps): Promise<RunDecision> {
  const parsed = parseJob(hand.data);
  if (parsed.kind === 'unreadable') return { kind: 'unreadable', fields: parsed.fields };
  let { job } = parsed;
  const putBack = decidePutBack(parsed, hand.addedMs, deps);
  const mayEnd = putBack === null || putBack.end.kind === 'ended';
  if (job.progress.outcome !== null && mayEnd) return { kind: 'ended_before', job };
  const hold: JobHold = {
    signal: hand.lock.signal,
    assertHeld: () => hand.lock.assertHeld(),
    async noteSent(sent) {
      job = withSent(job, sent);
      await hand.save(job);
    },
    nothingLeft() {
      const { sent, sent_before } = parsed.job;
      job = { ...job, sent, sent_before };
    },
  };
  const end = putBack?.end ?? (await story(job, hand, hold, deps));
  if (end === 'hand_back') return { kind: 'hand_back' };
  const attempt = job.progress.attempt + 1;
  const decision =
    end.kind === 'ended'
      ? toEnd(job, withDisclosure(end.ending, job), attempt, deps)
      : wait(job, end, attempt, deps, hand.addedMs);
  if (putBack === null) return decision;
  const data = rewriteJob(hand.data, decision.job);
  return decision.kind === 'end' ? { ...decision, data } : { ...decision, data, putBack: putBack.reason };
}

/** The job with what it is about to send; what it sent of somebody else before is not forgotten. */
function withSent(job: JobData, sent: NonNullable<JobData['sent']>): JobData {
  const earlier = job.sent === null || job.sent.home_key === sent.home_key ? [] : [job.sent];
  return { ...job, sent, sent_before: [...(job.sent_before ?? []), ...earlier] };
}

async function story(
  job: JobData,
  hand: JobInHand,
  hold: JobHold,
  deps: RunDeps,
): Promise<RunEnd | 'hand_back'> {
  const { library } = job;
  const broken = (name: string): RunEnd =>
    ended({ outcome: 'MISCONFIGURED', problem: { library, what: 'other', name } });
  if (hand.stalls - (job.retried?.stalled ?? 0) >= MOST_DEATHS) return broken('the worker died of it');
  if (hand.bugs >= MOST_BUGS) return broken('internal error');
  const giveUpAfterMs = patienceMs(job, deps);
  let scan: Scan;
  try {
    scan = openScan(job, deps.sealer, hand.starts > 1 || hand.stalls > 0 || job.retried !== null);
  } catch (error) {
    if (error instanceof SealError) return broken('PASSPORT_KEY');
    throw error;
  }
  const tooOld = (): boolean => deps.now() - scan.startedMs > giveUpAfterMs;
  if (tooOld() && !wasWorkedOn(job.progress, hand.starts)) return ended({ outcome: 'TOO_LATE' });
  const end = await deps.provision(scan, hold).catch((error: unknown) => {
    const { signal } = hand.lock;
    if (signal.aborted) return stopped(signal.reason);
    return failed(scan, decideFailure(error), error);
  });
  if (end === 'hand_back' || end.kind === 'ended' || end.mustLook === true) return end;
  return tooOld() ? ended(end.otherwise) : end;
}

/** A job that waited for its turn all the time, or for its library's next hour, was never worked on. */
function wasWorkedOn({ state, waiting_for: waitingFor }: Progress, starts: number): boolean {
  return state === 'waiting' ? waitingFor?.reason !== 'LIMIT_REACHED' : starts > 1;
}

/** We hung up ourselves: because the process stops, or because the job may be somebody else's by now. */
function stopped(reason: unknown): 'hand_back' {
  if (reason instanceof LockLost) throw reason;
  return 'hand_back';
}

/** A call that failed where the story had nothing better to say about it. */
function failed(scan: Scan, decision: FailureDecision, error: unknown): RunEnd | 'hand_back' {
  switch (decision.kind) {
    case 'wait': {
      const { library, reason, retryAfterMs } = decision;
      return { kind: 'waiting', library, reason, retryAfterMs, otherwise: unreachable(scan, library) };
    }
    case 'misconfigured':
      return ended({ outcome: 'MISCONFIGURED', problem: decision.problem });
    case 'hand_back':
      return 'hand_back';
    case 'bug':
      throw error;
    default:
      return decision satisfies never;
  }
}

function unreachable(scan: Scan, library: string): Ending {
  return library === scan.lending
    ? { outcome: 'LENDING_UNREACHABLE' }
    : { outcome: 'HOME_UNREACHABLE', homes: [library] };
}

type Decision<Kind> = Extract<RunDecision, { kind: Kind }>;

function toEnd(job: JobData, ending: Ending, attempt: number, deps: RunDeps): Decision<'end'> {
  const last = endedJob(job, ending, attempt, deps);
  return { kind: 'end', job: last, data: last, ending };
}

function endedJob(job: JobData, ending: Ending, attempt: number, deps: RunDeps): JobData {
  const isKept = isFailure(ending.outcome);
  const progress = nextProgress(
    job.progress,
    {
      state: isKept ? 'failed' : 'done',
      outcome: ending.outcome,
      reasons: [...(ending.reasons ?? [])],
      homes: named(ending.homes ?? [], deps),
      patron_id: ending.patronId ?? null,
      checkout: ending.checkout ?? { result: 'NOT_ASKED', keys: [] },
      waiting_for: null,
      problem: ending.problem ?? null,
      attempt,
    },
    new Date(deps.now()).toISOString(),
  );
  return {
    ...job,
    sealed_card: isKept ? job.sealed_card : null,
    sealed_item: isKept ? job.sealed_item : null,
    progress,
  };
}

const named = (ids: readonly string[], { nameOf }: RunDeps): Progress['homes'] =>
  ids.map((id) => ({ id, name: nameOf(id) }));

function wait(
  job: JobData,
  end: Extract<RunEnd, { kind: 'waiting' }>,
  attempt: number,
  deps: RunDeps,
  addedMs: number,
): Decision<'park'> {
  const { library, reason } = end;
  const now = deps.now();
  const giveUpAtMs = startedMs(job, addedMs) + patienceMs(job, deps);
  const delayMs = delayOf(end, attempt, deps);
  const latestMs = end.mustLook === true ? Infinity : giveUpAtMs + 1;
  const untilMs = Math.max(now, Math.min(now + delayMs, latestMs));
  const isTry = reason === 'NO_ANSWER' || reason === 'RATE_LIMITED';
  const homes = end.otherwise.outcome === 'HOME_UNREACHABLE' ? (end.otherwise.homes ?? []) : [];
  const progress = nextProgress(
    job.progress,
    {
      state: 'waiting',
      homes: named(homes, deps),
      waiting_for: { library, reason, next_try_at: new Date(untilMs).toISOString() },
      attempt: isTry ? attempt : job.progress.attempt,
    },
    new Date(now).toISOString(),
  );
  const parked = { ...job, made: end.made ?? job.made, progress };
  return {
    kind: 'park',
    job: parked,
    data: parked,
    untilMs,
    forCircuitsOf: circuitsOf(end, deps.isLost),
    worthTelling: reason !== 'BUSY' || delayMs >= TELL_BUSY_FROM_MS,
    putBack: null,
  };
}

function delayOf(
  end: Extract<RunEnd, { kind: 'waiting' }>,
  attempt: number,
  { random, freeSlotMs }: RunDeps,
): number {
  const { library, reason, retryAfterMs } = end;
  switch (reason) {
    case 'NO_ANSWER':
    case 'RATE_LIMITED':
      return nextDelayMs(attempt, retryAfterMs, random());
    case 'CIRCUIT_OPEN':
      return CIRCUIT_WAIT_MS * (1 + random() / 2);
    case 'BUSY':
      return retryAfterMs ?? freeSlotMs(library);
    case 'SERVICE_UPDATE':
      return retryAfterMs ?? CIRCUIT_WAIT_MS;
    case 'LIMIT_REACHED':
      return Math.min(retryAfterMs ?? CIRCUIT_WAIT_MS, CIRCUIT_WAIT_MS) + random() * 1_000;
    default:
      return reason satisfies never;
  }
}
