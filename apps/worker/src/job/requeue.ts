import type { Consortium } from '@passport/config';
import type { ParsedJob } from '@passport/contract';
import type { RequeueReason } from '../metrics/job-metrics.ts';
import { type Result, done } from '../provision/result.ts';

const MISSING: Readonly<Record<RequeueReason, string>> = {
  newer_version: 'the event needs a newer version of the worker',
  unknown_library: 'the library is not in the configuration of the worker',
  disabled_library: 'the library is not enabled',
};

/** Soon at first, for a desk may wait and the next worker may be the right one; a job of an hour ago is in no hurry. */
const SOONEST_MS = 500;
const LATEST_MS = 30_000;
/**
 * The wait grows with the age: about 17 tries in the first 15 s, 60 until a job is given up. Each worker is as likely to be
 * the next one, so with as many old workers as new ones a desk waits longer than 15 s once in 100,000 events.
 */
const OF_AGE = 0.1;

/** A job that is for another worker, and what this one makes of it: a wait, or the end of its patience. */
export interface Requeued {
  readonly reason: RequeueReason;
  readonly result: Result;
}

/**
 * Whether a job is for another worker than this one: written by a newer version, or of a library that only a newer
 * configuration has, or has enabled again. While services are restarted one after the other both kinds of workers run.
 * Such a job waits, which is no attempt; the last worker to see it ends it so that a newer one, or a person, can still retry
 * it. Null: it is for us. `startedMs` and `giveUpAtMs` are its own, on the clock of `now`.
 */
export function decideRequeue(
  parsed: Exclude<ParsedJob, { kind: 'unreadable' }>,
  { startedMs, giveUpAtMs }: { readonly startedMs: number; readonly giveUpAtMs: number },
  {
    consortium: { libraries },
    now,
    random,
  }: { readonly consortium: Consortium; readonly now: () => number; readonly random: () => number },
): Requeued | null {
  const { library, made, sent, progress } = parsed.job;
  // What has ended only needs to be finished, and that needs nobody's configuration.
  const hasEnded = progress.outcome !== null;
  const isCancelledAhead = hasEnded && made === null && sent === null;
  const named = isCancelledAhead ? [] : [library, made?.home, sent?.home];
  const unknown = named.find((id) => id !== undefined && !libraries.some((each) => each.id === id));
  const isDisabled = !hasEnded && libraries.some(({ id, enabled }) => id === library && !enabled);
  const reason = reasonOf(parsed.kind, unknown, isDisabled);
  if (reason === null) return null;
  const problem = { library: unknown ?? library, what: 'other', name: MISSING[reason] } as const;
  const otherwise = { outcome: 'MISCONFIGURED', problem } as const;
  const nowMs = now();
  if (nowMs > giveUpAtMs) return { reason, result: done(otherwise) };
  const waitMs = Math.min(LATEST_MS, Math.max(SOONEST_MS, (nowMs - startedMs) * OF_AGE));
  const retryAfterMs = Math.round(waitMs * (1 + random() / 2));
  return { reason, result: { kind: 'retry', library, reason: 'SERVICE_UPDATE', retryAfterMs, otherwise } };
}

function reasonOf(
  kind: 'job' | 'newer',
  unknown: string | undefined,
  isDisabled: boolean,
): RequeueReason | null {
  if (kind === 'newer') return 'newer_version';
  if (unknown !== undefined) return 'unknown_library';
  return isDisabled ? 'disabled_library' : null;
}
