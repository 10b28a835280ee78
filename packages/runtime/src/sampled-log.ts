/** How many lines are written of one kind in a window. */
export interface SampleOptions {
  readonly most: number;
  readonly windowMs: number;
  readonly monotonicNow: () => number;
}

interface Window {
  sinceMs: number;
  written: number;
  leftOut: number;
}

/**
 * Decides which lines of a kind are written: the first `most` of each window. Returns null for a line to leave out,
 * else how many were left out before it. Kinds must be few: each is kept.
 */
export function buildSample({
  most,
  windowMs,
  monotonicNow,
}: SampleOptions): (kind: string) => number | null {
  const windows = new Map<string, Window>();
  return (kind) => {
    const now = monotonicNow();
    const window = windows.get(kind) ?? { sinceMs: now, written: 0, leftOut: 0 };
    windows.set(kind, window);
    if (now - window.sinceMs >= windowMs) Object.assign(window, { sinceMs: now, written: 0 });
    if (window.written >= most) {
      window.leftOut += 1;
      return null;
    }
    const { leftOut } = window;
    Object.assign(window, { written: window.written + 1, leftOut: 0 });
    return leftOut;
  };
}
