import type { PlannedWindow } from './windows-key.ts';

export type PausedSide = 'home' | 'lending';
const SIDES: readonly PausedSide[] = ['home', 'lending'];

interface Span {
  readonly fromMs: number;
  readonly untilMs: number;
}

/** A planned pause that lasts at this moment. */
interface OpenWindow extends Span {
  readonly reason: string;
}

/** Today first. A window of yesterday may last until today: none is longer than a day. */
const DAYS = [0, -1, 1, 2, 3, 4, 5, 6, 7];
const WEEK_MS = 7 * 86_400_000;

/** When a window begins and ends, from yesterday to a week ahead. Times of day are those of this process's time zone, as its clock shows them. */
function spansAround({ when }: PlannedWindow, nowMs: number): readonly Span[] {
  if (when.kind === 'once') return [when];
  const today = new Date(nowMs);
  return DAYS.flatMap((days) => {
    const [year, month, date] = [today.getFullYear(), today.getMonth(), today.getDate() + days];
    const begin = new Date(year, month, date, when.hour, when.minute);
    const fromMs = begin.getTime();
    return when.days.includes(begin.getDay()) ? [{ fromMs, untilMs: fromMs + when.lengthMs }] : [];
  });
}

/** The planned pause of a library on this side that lasts longest from `nowMs` (milliseconds since 1970) on; null: there is none. */
export function windowAt(
  windows: readonly PlannedWindow[],
  side: PausedSide,
  nowMs: number,
): OpenWindow | null {
  let longest: OpenWindow | null = null;
  for (const window of windows) {
    if (window.side !== null && window.side !== side) continue;
    const span = spansAround(window, nowMs).find(({ fromMs, untilMs }) => fromMs <= nowMs && nowMs < untilMs);
    if (span === undefined || (longest !== null && longest.untilMs >= span.untilMs)) continue;
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
  ordered: readonly SidePause[],
  nowMs: number,
): readonly SidePause[] {
  return SIDES.flatMap((side) => {
    const planned = windowAt(windows, side, nowMs);
    const pause = ordered.find((each) => each.side === side && each.until_ms > nowMs);
    if (pause !== undefined && pause.until_ms >= (planned?.untilMs ?? 0)) return [pause];
    return planned === null ? [] : [{ side, until_ms: planned.untilMs, reason: planned.reason }];
  });
}

/** The next time of each planned pause that begins within a week, the earliest first; one of both sides is two. */
export function nextWindows(
  windows: readonly PlannedWindow[],
  nowMs: number,
): readonly (SidePause & { readonly from_ms: number })[] {
  return windows
    .flatMap((window) => {
      const { side, reason } = window;
      const span = spansAround(window, nowMs).find(
        ({ fromMs }) => nowMs < fromMs && fromMs <= nowMs + WEEK_MS,
      );
      if (span === undefined) return [];
      return SIDES.filter((each) => side === null || each === side).map((each) => ({
        side: each,
        from_ms: span.fromMs,
        until_ms: span.untilMs,
        reason,
      }));
    })
    .toSorted((one, other) => one.from_ms - other.from_ms);
}
