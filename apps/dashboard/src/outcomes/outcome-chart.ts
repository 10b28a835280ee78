import type { HourOfOutcomes } from './outcome-hours.ts';
import { OUTCOME_GROUPS, type OutcomeGroup } from './outcome-table.ts';
import { type Bar, barChart } from './bar-chart.ts';
import type { Html } from '../shell/html.ts';

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
    caption: 'Outcomes by the hour (UTC); hours without scans are left out',
    column: 'Hour',
    empty: 'No scan ended in the last 24 hours.',
  });
}

/** Observed scans are shown only where a library observes. */
const groupsIn = (hours: readonly HourOfOutcomes[]): readonly OutcomeGroup[] =>
  OUTCOME_GROUPS.filter((group) => group !== 'observed' || hours.some(({ counts }) => counts.observed > 0));

function summary(hours: readonly HourOfOutcomes[]): string {
  const totalOf = (group: OutcomeGroup): number => hours.reduce((sum, { counts }) => sum + counts[group], 0);
  const parts = groupsIn(hours).map((group) => `${totalOf(group)} ${group}`);
  return `Outcomes of the last 24 hours: ${parts.join(', ')}`;
}

function hourText(startMs: number): string {
  const iso = new Date(startMs).toISOString();
  return `${iso.slice(5, 10)} ${iso.slice(11, 16)}`;
}
