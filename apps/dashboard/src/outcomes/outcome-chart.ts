import { type Outcome, OUTCOME_GROUP, OUTCOME_GROUPS, type OutcomeGroup, OUTCOMES } from '@passport/contract';
import type { OutcomeCount } from '@passport/queue/statistics';
import { LOCAL_ZONE, localParts } from '@passport/runtime';
import { type Html, html } from '../shell/html.ts';
import { definitions } from '../shell/parts.ts';
import { type Bar, barChart } from './bar-chart.ts';

/** How many hours ago the axis names, and whether small screens do without. */
const TICKS: Readonly<Record<number, { readonly text: string; readonly isMinor: boolean }>> = {
  23: { text: '23 h ago', isMinor: false },
  18: { text: '18 h ago', isMinor: true },
  12: { text: '12 h ago', isMinor: false },
  6: { text: '6 h ago', isMinor: true },
  0: { text: 'now', isMinor: false },
};

/** Outcomes of the last day by the hour. */
export function outcomeChart(hours: readonly HourOfOutcomes[]): Html {
  const groups = groupsIn(hours);
  return barChart({
    id: 'chart-title',
    title: summary(hours),
    series: groups.map((name) => ({ name, className: `group-${name.replace(' ', '-')}` })),
    bars: hours.map(({ startMs, counts }, index): Bar => ({
      label: hourText(startMs),
      tick: TICKS[hours.length - 1 - index] ?? null,
      counts: groups.map((group) => counts[group]),
    })),
    caption: `Outcomes by the hour (${LOCAL_ZONE}); hours without scans are left out`,
    column: 'Hour',
    empty: 'No scan ended in the last 24 hours.',
  });
}

/** Shown only where there are some. */
export const OCCASIONAL: readonly string[] = ['observed', 'declined'] satisfies readonly OutcomeGroup[];
const groupsIn = (hours: readonly HourOfOutcomes[]): readonly OutcomeGroup[] =>
  OUTCOME_GROUPS.filter(
    (group) => !OCCASIONAL.includes(group) || hours.some(({ counts }) => counts[group] > 0),
  );

function summary(hours: readonly HourOfOutcomes[]): string {
  const totalOf = (group: OutcomeGroup): number => hours.reduce((sum, { counts }) => sum + counts[group], 0);
  const parts = groupsIn(hours).map((group) => `${totalOf(group)} ${group}`);
  return `Outcomes of the last 24 hours: ${parts.join(', ')}`;
}

function hourText(startMs: number): string {
  const { day, time } = localParts(startMs);
  return `${day} ${time.slice(0, 'HH:MM'.length)}`;
}

/** One hour of the chart. */
interface HourOfOutcomes {
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
    const of = (group: OutcomeGroup) => rows.filter(({ outcome }) => OUTCOME_GROUP[outcome] === group);
    const sums = Object.fromEntries(OUTCOME_GROUPS.map((group) => [group, total(of(group))]));
    return { startMs, counts: sums as Record<OutcomeGroup, number> };
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

/** Each outcome of the last day with its number. */
export function outcomeTotals(totals: ReturnType<typeof totalsOf>): Html {
  if (totals.length === 0) return html`<p class="empty">No scan ended in the last 24 hours.</p>`;
  return definitions(
    'totals',
    totals.map(({ outcome, count }) => [outcome, count] as const),
  );
}
