import type { Outcome } from '@passport/contract';
import type { Applied } from '@passport/queue/events';

/** Failures that one repair mends: of one library, with one outcome and one cause. */
export interface FailureGroup {
  readonly library: string;
  readonly outcome: Outcome;
  /** Empty where the outcome says all. */
  readonly cause: string;
}

/** A bulk retry that was begun on the dashboard. */
export interface RetryRun {
  readonly by: string;
  readonly group: FailureGroup;
  events: number;
  /** Null: it goes on. */
  result: Applied | null;
}

/**
 * What runs, or ran last, in this process, by lending library. One of each at a time: two would hide from each other that the cause is
 * still there. Nobody waits for a library that they may not see.
 */
export type RetryRuns = Map<string, RetryRun>;
