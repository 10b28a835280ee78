import type { PlannedWindow } from './windows-key.ts';

export type PausedSide = 'home' | 'lending';
const SIDES: readonly PausedSide[] = ['home', 'lending'];

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
  side: PausedSide,
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

/** A pause that lasts, or will: by command or as planned. */
export interface SidePause {
  readonly side: PausedSide;
  readonly until_ms: number;
  readonly reason: string;
}

/** What a library is paused as at this moment; where it is twice, until the later end. `said`: by command, of this library. */
export function pausesAt(
  windows: readonly PlannedWindow[],
  said: readonly SidePause[],
  nowMs: number,
): readonly SidePause[] {
  return SIDES.flatMap((side) => {
    const planned = windowAt(windows, side, nowMs);
    const pause = said.find((each) => each.side === side && each.until_ms > nowMs);
    if (pause !== undefined && pause.until_ms >= (planned?.untilMs ?? 0)) return [pause];
    return planned === null ? [] : [{ side, until_ms: planned.untilMs, reason: planned.reason }];
  });
}

const DAYS_AHEAD = [0, 1, 2, 3, 4, 5, 6, 7];
const DAY_MS = 86_400_000;

/** When `when` begins next, within a week from `nowMs`; null: it does not. */
function nextSpan(when: When, nowMs: number): Omit<OpenWindow, 'reason'> | null {
  const isNext = (fromMs: number): boolean => fromMs > nowMs && fromMs <= nowMs + 7 * DAY_MS;
  if (when.kind === 'once') return isNext(when.fromMs) ? when : null;
  const today = new Date(nowMs);
  for (const ahead of DAYS_AHEAD) {
    const [year, month, date] = [today.getFullYear(), today.getMonth(), today.getDate() + ahead];
    const begin = new Date(year, month, date, when.hour, when.minute);
    const fromMs = begin.getTime();
    if (when.days.includes(begin.getDay()) && isNext(fromMs))
      return { fromMs, untilMs: fromMs + when.lengthMs };
  }
  return null;
}

/** The next time of each planned pause that begins within a week, the earliest first; one of both sides is two. */
export function nextWindows(
  windows: readonly PlannedWindow[],
  nowMs: number,
): readonly (SidePause & { readonly from_ms: number })[] {
  return windows
    .flatMap(({ when, side, reason }) => {
      const span = nextSpan(when, nowMs);
      if (span === null) return [];
      return SIDES.filter((each) => side === null || each === side).map((each) => ({
        side: each,
        from_ms: span.fromMs,
        until_ms: span.untilMs,
        reason,
      }));
    })
    .toSorted((one, other) => one.from_ms - other.from_ms);
}
