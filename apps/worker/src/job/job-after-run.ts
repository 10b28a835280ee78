import { type JobData, type Progress, isFailure, nextProgress } from '@passport/contract';
import { type Done, type Retry, circuitsOf, pausesOf } from '../provision/result.ts';
import { WAIT_RULES } from '../provision/retry-policy.ts';
import { startedMs } from '../provision/scan.ts';
import { type RequeueDeps, patienceMs } from './requeue.ts';
import type { Delayed, Ended } from './run-result.ts';

export interface AfterRunDeps extends Pick<
  RequeueDeps,
  'giveUpAfterMs' | 'longestGiveUpMs' | 'now' | 'random'
> {
  /** When the next call of a library that is at its cap may start. */
  readonly freeSlotMs: (library: string) => number;
  /** Whether a library's circuit is open by now: a job that failed there is promoted with those that were refused. */
  readonly isLost: (library: string) => boolean;
  readonly nameOf: (library: string) => string;
}

/** The job of a run that has ended. What a person needs to retry it is kept where it failed. */
export function endJob(job: JobData, result: Done, attempt: number, deps: AfterRunDeps): Ended {
  const isKept = isFailure(result.outcome);
  const progress = nextProgress(
    job.progress,
    {
      state: isKept ? 'failed' : 'done',
      outcome: result.outcome,
      reasons: [...(result.reasons ?? [])],
      homes: named(result.homes ?? [], deps),
      patron_id: result.patronId ?? null,
      checkout: result.checkout ?? { result: 'NOT_ASKED', keys: [] },
      waiting_for: null,
      problem: result.problem ?? null,
      ...(result.observed === undefined ? {} : { observed: result.observed }),
      attempt,
    },
    new Date(deps.now()).toISOString(),
  );
  // Who retries what has failed needs these.
  const { sealed_card, sealed_item, question } = job;
  const kept = isKept ? { sealed_card, sealed_item, question } : NOTHING_KEPT;
  const last = { ...job, ...kept, progress };
  return { ...result, job: last, data: last, ifCancelled: null };
}

const NOTHING_KEPT = { sealed_card: null, sealed_item: null, question: undefined };

const named = (ids: readonly string[], { nameOf }: AfterRunDeps): Progress['homes'] =>
  ids.map((id) => ({ id, name: nameOf(id) }));

/** The job of a run that is to be tried again, and when: by the rule of its reason, and not after it would be given up. */
export function delayJob(
  job: JobData,
  retry: Retry,
  attempt: number,
  deps: AfterRunDeps,
  addedMs: number,
): Delayed {
  const { library, reason } = retry;
  const { random, freeSlotMs } = deps;
  const rule = WAIT_RULES[reason];
  const now = deps.now();
  const giveUpAtMs = startedMs(job, addedMs) + patienceMs(job, deps);
  const delayMs = rule.delayMs({ ...retry, attempt, random, freeSlotMs });
  const latestMs = retry.mustLook === true ? Infinity : giveUpAtMs + 1;
  const untilMs = Math.max(now, Math.min(now + delayMs, latestMs));
  const nextTryMs = rule.showsEnd ? now + (retry.retryAfterMs ?? 0) : untilMs;
  const isPutAgain = reason === 'CONSENT' && job.progress.waiting_for?.reason === reason;
  const [made, question] = [retry.made ?? job.made, retry.question ?? job.question];
  // What is known so far: whose patron it is, or who may have them, and the copy where it is there.
  const homes = made === null ? (retry.otherwise.homes ?? []) : [made.home];
  const progress = nextProgress(
    job.progress,
    {
      state: 'waiting',
      homes: named(homes, deps),
      patron_id: made?.patron_id ?? null,
      waiting_for: { library, reason, next_try_at: new Date(nextTryMs).toISOString() },
      attempt: rule.isAttempt ? attempt : job.progress.attempt,
    },
    new Date(now).toISOString(),
  );
  const delayed = { ...job, made, question, progress };
  return {
    ...retry,
    job: delayed,
    data: delayed,
    ifCancelled: null,
    untilMs,
    forCircuitsOf: circuitsOf(retry, deps.isLost),
    forPausesOf: pausesOf(retry),
    worthReporting: delayMs >= rule.reportFromMs && !isPutAgain,
    requeueReason: null,
  };
}
