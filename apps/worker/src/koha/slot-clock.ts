/** Spreads the jobs that found a library at its cap over its next free places, instead of all coming back at once. */
export interface SlotClock {
  /** Learns how long the library takes to answer, in milliseconds. */
  answered(library: string, ms: number): void;
  /** Reserves the next free place and returns how many milliseconds it is away. */
  bookMs(library: string): number;
  /** Moving average of the library's answers; null before the first. */
  answerMs(library: string): number | null;
}

/** Weight of the newest answer in the average. */
const NEWEST = 0.1;
/** Before the first answer. */
const FIRST_GUESS_MS = 200;
const SOONEST_MS = 50;
const LATEST_MS = 30_000;

export function buildSlotClock(capOf: (library: string) => number, monotonicNow: () => number): SlotClock {
  const averages = new Map<string, number>();
  const nextFree = new Map<string, number>();
  return {
    answered(library, ms) {
      const before = averages.get(library) ?? ms;
      averages.set(library, before + NEWEST * (ms - before));
    },
    bookMs(library) {
      const now = monotonicNow();
      const eachMs = (averages.get(library) ?? FIRST_GUESS_MS) / capOf(library);
      const at = Math.min(Math.max(nextFree.get(library) ?? 0, now + SOONEST_MS) + eachMs, now + LATEST_MS);
      nextFree.set(library, at);
      return at - now;
    },
    answerMs: (library) => averages.get(library) ?? null,
  };
}
