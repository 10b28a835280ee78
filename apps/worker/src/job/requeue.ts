import type { Consortium } from '@passport/config';
import type { JobData, ParsedJob } from '@passport/contract';
import type { RequeueReason } from '../metrics/job-metrics.ts';
import { type Result, done } from '../provision/result.ts';
import { startedMs } from '../provision/scan.ts';

const MISSING: Readonly<Record<RequeueReason, string>> = {
  newer_version: 'the event needs a newer version of the worker',
  unknown_library: 'the library is not in the configuration of the worker',
  disabled_library: 'the library is not enabled',
};

export interface RequeueDeps {
  /** Whether the configuration that this worker was started with names the library, enabled or not. */
  readonly knows: (library: string) => boolean;
  /** Null: not for this library, as it is not enabled or unknown. */
  readonly giveUpAfterMs: (lending: string) => number | null;
  /** For a lending library that is not enabled, or that this worker does not know. */
  readonly longestGiveUpMs: number;
  readonly now: () => number;
  readonly random: () => number;
}

/** Soon at first, for a desk may wait and the next worker may be the right one; a job of an hour ago is in no hurry. */
const SOONEST_MS = 500;
const LATEST_MS = 30_000;
/**
 * The wait grows with the age: about 17 tries in the first 15 s, 60 until a job is given up. Each worker is as likely to be
 * the next one, so with as many old workers as new ones a desk waits longer than 15 s once in 100,000 events.
 */
const OF_AGE = 0.1;

/**
 * Whether a job is for another worker than this one: written by a newer version, or of a library that only a newer
 * configuration has, or has enabled again. While services are restarted one after the other both kinds of workers run.
 * Such a job waits, which is no attempt; the last worker to see it ends it so that a newer one, or a person, can still retry
 * it. Null: it is for us.
 */
export function decideRequeue(
  parsed: Exclude<ParsedJob, { kind: 'unreadable' }>,
  addedMs: number,
  deps: RequeueDeps,
): { readonly reason: RequeueReason; readonly result: Result } | null {
  const { job } = parsed;
  // What has ended only needs to be finished, and that needs nobody's configuration.
  const hasEnded = job.progress.outcome !== null;
  const isCancelledAhead = hasEnded && job.made === null && job.sent === null;
  const unknown = [job.library, job.made?.home, job.sent?.home].find(
    (library) => library !== undefined && !isCancelledAhead && !deps.knows(library),
  );
  const isDisabled = deps.giveUpAfterMs(job.library) === null && !hasEnded;
  const reason = reasonOf(parsed.kind, unknown, isDisabled);
  if (reason === null) return null;
  const problem = { library: unknown ?? job.library, what: 'other', name: MISSING[reason] } as const;
  const ageMs = deps.now() - startedMs(job, addedMs);
  const otherwise = { outcome: 'MISCONFIGURED', problem } as const;
  if (ageMs > patienceMs(job, deps)) return { reason, result: done(otherwise) };
  const delayMs = Math.min(LATEST_MS, Math.max(SOONEST_MS, ageMs * OF_AGE)) * (1 + deps.random() / 2);
  const retry = { kind: 'retry', library: job.library, reason: 'SERVICE_UPDATE' } as const;
  return { reason, result: { ...retry, retryAfterMs: Math.round(delayMs), otherwise } };
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

/** How long a job of this library is tried, also where only a newer configuration says so. */
export function patienceMs(
  { library }: Pick<JobData, 'library'>,
  { giveUpAfterMs, longestGiveUpMs }: Pick<RequeueDeps, 'giveUpAfterMs' | 'longestGiveUpMs'>,
): number {
  return giveUpAfterMs(library) ?? longestGiveUpMs;
}

/** The patience with a library that this worker does not know: the longest of those that it does. */
export function longestPatienceMs(libraries: Consortium['libraries']): number {
  return Math.max(0, ...libraries.map(({ retry }) => retry.giveUpAfterMs));
}
