import type { PlannedWindow } from './windows-key.ts';

/** A planned pause that lasts at this moment. */
export interface OpenWindow {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly reason: string;
}

type When = PlannedWindow['when'];

/** A window of yesterday may last until today: none is longer than a day. */
const DAYS_BACK = [0, 1];

/** When `when` began and ends, if it lasts at `nowMs`. Times of day are those of this process's time zone, as its clock shows them. */
function spanAt(when: When, nowMs: number): Omit<OpenWindow, 'reason'> | null {
  if (when.kind === 'once') return when.fromMs <= nowMs && nowMs < when.untilMs ? when : null;
  const today = new Date(nowMs);
  for (const back of DAYS_BACK) {
    const begin = new Date(
      today.getFullYear(),
      today.getMonth(),
      today.getDate() - back,
      when.hour,
      when.minute,
    );
    const [fromMs, untilMs] = [begin.getTime(), begin.getTime() + when.lengthMs];
    if (when.days.includes(begin.getDay()) && fromMs <= nowMs && nowMs < untilMs) return { fromMs, untilMs };
  }
  return null;
}

/** The planned pause of a library on this side that lasts longest from `nowMs` (milliseconds since 1970) on; null: there is none. */
export function windowAt(
  windows: readonly PlannedWindow[],
  side: 'home' | 'lending',
  nowMs: number,
): OpenWindow | null {
  let longest: OpenWindow | null = null;
  for (const window of windows) {
    const span = window.side === null || window.side === side ? spanAt(window.when, nowMs) : null;
    if (span === null || (longest !== null && longest.untilMs >= span.untilMs)) continue;
    longest = { fromMs: span.fromMs, untilMs: span.untilMs, reason: window.reason };
  }
  return longest;
}
