import type { Progress, WaitingReason } from '@passport/contract';
import { KohaError } from '@passport/koha-client';
import { meaningOf } from '@passport/patron-rules';
import { LibraryClosed, LibraryPaused } from '../koha/koha-failure.ts';
import { LONGEST_BACK_OFF_MS } from '../koha/back-off.ts';
import type { PausedSide } from './result.ts';

/** What the failure of a call means for the job. */
export type FailureDecision =
  /** It may pass by itself. */
  | {
      readonly kind: 'wait';
      readonly library: string;
      readonly reason: WaitingReason;
      readonly retryAfterMs: number | null;
      /** Whose pause is waited for. */
      readonly paused?: readonly PausedSide[];
    }
  /** Only a person can fix it. */
  | { readonly kind: 'misconfigured'; readonly problem: NonNullable<Progress['problem']> }
  /** The process stops: the job is requeued as it is. */
  | { readonly kind: 'requeue' }
  /** Not a failure of the outside. */
  | { readonly kind: 'bug' };

/** What the failure of a call means for its job; one table (`meaningOf`) classifies the failures of Koha. Pure. */
export function decideFailure(error: unknown): FailureDecision {
  if (error instanceof LibraryPaused) {
    const { library, side, retryAfterMs } = error;
    return { kind: 'wait', library, reason: 'PAUSED', retryAfterMs, paused: [{ library, side }] };
  }
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
      return { kind: 'bug' }; // only the checkout step sends with a deadline, and handles this itself
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
  return Math.max(Math.min(retryAfterMs ?? 0, LONGEST_BACK_OFF_MS), Math.round(longest * (0.5 + random / 2)));
}

/** Promoted by whoever closes the circuit; this is for when nobody does. */
const CIRCUIT_WAIT_MS = 60_000;
/**
 * Promoted at the end of the pause; this is for when nobody does. Shorter than what waits for a pause is remembered for
 * (delayed-jobs.ts), and long enough that the scans of a paused library keep no worker busy.
 */
const PAUSE_WAIT_MS = 600_000;
/** No wait of a job is longer: beyond this it was the clock. */
export const LONGEST_WAIT_MS = 1.2 * PAUSE_WAIT_MS;
/** A shorter wait for a free slot is nobody's business but ours. */
const REPORT_BUSY_FROM_MS = 1_000;

/** A job that must be tried again, and what the delay of its next try depends on. */
export interface Wait {
  readonly library: string;
  readonly retryAfterMs: number | null;
  /** Counts from 1. */
  readonly attempt: number;
  /** In [0, 1). */
  readonly random: () => number;
  /** When the next call of a library that is at its cap may start. */
  readonly freeSlotMs: (library: string) => number;
}

interface WaitRule {
  /** Of several libraries that are silent, the one with the lowest rank is reported: whoever may be heard first. */
  readonly rank: number;
  /** Whether the run before it counts as an attempt. */
  readonly isAttempt: boolean;
  /** Whether a job that only waited like this was never worked on. */
  readonly isUntouched: boolean;
  /** The shortest delay that the desk hears of. */
  readonly reportFromMs: number;
  /** Whether its end is shown, however often nobody but us looks before: of a pause, or of a question, that is what matters. */
  readonly showsEnd: boolean;
  readonly delayMs: (wait: Wait) => number;
}

const scheduled = ({ attempt, retryAfterMs, random }: Wait): number =>
  nextDelayMs(attempt, retryAfterMs, random());
const NO_ATTEMPT = { isAttempt: false, isUntouched: false, reportFromMs: 0, showsEnd: false } as const;
const ATTEMPT = { ...NO_ATTEMPT, isAttempt: true, delayMs: scheduled } as const;

// Promoted by the answer; this is for one that came while its job's worker was lost.
const ANSWERED_AT_DESK = {
  ...NO_ATTEMPT,
  rank: 7,
  showsEnd: true,
  delayMs: ({ retryAfterMs }: Wait) => Math.min(retryAfterMs ?? 0, CIRCUIT_WAIT_MS),
} as const;

/** The retry policy, one row for each reason: a new reason does not compile without a row. */
export const WAIT_RULES: Readonly<Record<WaitingReason, WaitRule>> = {
  NO_ANSWER: { ...ATTEMPT, rank: 0 },
  RATE_LIMITED: { ...ATTEMPT, rank: 1 },
  BUSY: {
    ...NO_ATTEMPT,
    rank: 2,
    reportFromMs: REPORT_BUSY_FROM_MS,
    delayMs: ({ retryAfterMs, freeSlotMs, library }) => retryAfterMs ?? freeSlotMs(library),
  },
  LIMIT_REACHED: {
    ...NO_ATTEMPT,
    rank: 3,
    isUntouched: true,
    delayMs: ({ retryAfterMs, random }) =>
      Math.min(retryAfterMs ?? CIRCUIT_WAIT_MS, CIRCUIT_WAIT_MS) + random() * 1_000,
  },
  CIRCUIT_OPEN: { ...NO_ATTEMPT, rank: 4, delayMs: ({ random }) => CIRCUIT_WAIT_MS * (1 + random() / 2) },
  SERVICE_UPDATE: { ...NO_ATTEMPT, rank: 5, delayMs: ({ retryAfterMs }) => retryAfterMs ?? CIRCUIT_WAIT_MS },
  CONSENT: ANSWERED_AT_DESK,
  HOME_CHOICE: ANSWERED_AT_DESK,
  OVERRIDE: ANSWERED_AT_DESK,
  PAUSED: {
    ...NO_ATTEMPT,
    rank: 6,
    showsEnd: true,
    delayMs: ({ retryAfterMs, random }) =>
      Math.min(retryAfterMs ?? PAUSE_WAIT_MS, PAUSE_WAIT_MS) * (1 + random() / 10),
  },
};
