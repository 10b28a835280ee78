import { OUTCOMES, type Outcome } from '@passport/contract';
import type { OutcomeCount } from '@passport/queue';
import { OUTCOME_TABLE, type OutcomeGroup } from './outcome-table.ts';

/** One hour of the chart. */
export interface HourOfOutcomes {
  /** Start of the hour. */
  readonly startMs: number;
  readonly counts: Readonly<Record<OutcomeGroup, number>>;
}

const HOUR_MS = 3_600_000;

/** The last 24 hours, oldest first and without gaps. */
export function hoursOf(counts: readonly OutcomeCount[], nowMs: number): readonly HourOfOutcomes[] {
  const thisHour = Math.floor(nowMs / HOUR_MS) * HOUR_MS;
  return Array.from({ length: 24 }, (_, index) => {
    const startMs = thisHour - (23 - index) * HOUR_MS;
    const rows = counts.filter(({ hour }) => Date.parse(hour) === startMs);
    const sum = (group: OutcomeGroup): number =>
      total(rows.filter(({ outcome }) => OUTCOME_TABLE[outcome].group === group));
    return {
      startMs,
      counts: {
        served: sum('served'),
        observed: sum('observed'),
        'unknown card': sum('unknown card'),
        'desk decides': sum('desk decides'),
        failed: sum('failed'),
      },
    };
  });
}

/** Each outcome that occurred, with its number, in the contract's order. */
export function totalsOf(
  counts: readonly OutcomeCount[],
): readonly { readonly outcome: Outcome; readonly count: number }[] {
  return OUTCOMES.map((outcome) => ({
    outcome,
    count: total(counts.filter((row) => row.outcome === outcome)),
  })).filter(({ count }) => count > 0);
}

function total(rows: readonly OutcomeCount[]): number {
  return rows.reduce((sum, { count }) => sum + count, 0);
}
