import type { Progress, WaitingReason } from '@passport/contract';
import { KohaError } from '@passport/koha-client';
import { meaningOf } from '@passport/patron-rules';
import { LibraryClosed } from '../koha/libraries.ts';
import { LONGEST_REST_MS } from '../koha/back-off.ts';

/** What the failure of a call means for the job. */
export type FailureDecision =
  /** It may pass by itself. */
  | {
      readonly kind: 'wait';
      readonly library: string;
      readonly reason: WaitingReason;
      readonly retryAfterMs: number | null;
    }
  /** Only a person can mend it. */
  | { readonly kind: 'misconfigured'; readonly problem: NonNullable<Progress['problem']> }
  /** We were told to stop: the job goes back as it is. */
  | { readonly kind: 'requeue' }
  /** Not a failure of the outside. */
  | { readonly kind: 'bug' };

/** What the failure of a call means for its job; the failures of Koha are told apart in one table (`meaningOf`). Pure. */
export function decideFailure(error: unknown): FailureDecision {
  if (error instanceof LibraryClosed) {
    return { kind: 'wait', library: error.library, reason: 'CIRCUIT_OPEN', retryAfterMs: null };
  }
  if (!(error instanceof KohaError)) return { kind: 'bug' };
  const { library } = error;
  const meaning = meaningOf(error);
  switch (meaning.kind) {
    case 'wait':
      return { ...meaning, library };
    case 'refused':
      return { kind: 'misconfigured', problem: { library, ...meaning.problem } };
    case 'aborted':
      return { kind: 'requeue' };
    case 'too_late':
      return { kind: 'bug' }; // the loan step has its own word for it
    default:
      return meaning satisfies never;
  }
}

/** A person stands at the desk: tries come quickly at first, in milliseconds. */
const FIRST_DELAYS_MS = [500, 1_000, 1_000, 2_000, 2_000, 4_000, 8_000] as const;
const LONGEST_DELAY_MS = 60_000;

/**
 * How long to wait before try `attempt + 1`; `attempt` counts from 1, `random` is in [0, 1). Half of each delay is
 * jitter, so that jobs that failed together do not come back together. A library's `retry-after` is obeyed up to the
 * longest time that it is left alone.
 */
export function nextDelayMs(attempt: number, retryAfterMs: number | null, random: number): number {
  const last = FIRST_DELAYS_MS.length - 1;
  const step = FIRST_DELAYS_MS[Math.min(attempt - 1, last)] ?? 0;
  const longest = attempt - 1 <= last ? step : Math.min(step * 2 ** (attempt - 1 - last), LONGEST_DELAY_MS);
  return Math.max(Math.min(retryAfterMs ?? 0, LONGEST_REST_MS), Math.round(longest * (0.5 + random / 2)));
}
