export type SlotClock = ReturnType<typeof buildSlotClock>;

/** Weight of the newest answer in the average. */
const NEWEST = 0.1;
/** Before the first answer. */
const FIRST_GUESS_MS = 200;
const SOONEST_MS = 50;
const LATEST_MS = 30_000;

/** Builds what spreads the jobs that found a library at its cap over its next free places, instead of all coming back at once. */
export function buildSlotClock(capOf: (library: string) => number, monotonicNow: () => number) {
  const averages = new Map<string, number>();
  const nextFree = new Map<string, number>();
  return {
    /** Learns how long the library takes to answer, in milliseconds. */
    answered(library: string, ms: number): void {
      const before = averages.get(library) ?? ms;
      averages.set(library, before + NEWEST * (ms - before));
    },
    /** Reserves the next free place and returns how many milliseconds it is away. */
    bookMs(library: string): number {
      const now = monotonicNow();
      const eachMs = (averages.get(library) ?? FIRST_GUESS_MS) / capOf(library);
      const at = Math.min(Math.max(nextFree.get(library) ?? 0, now + SOONEST_MS) + eachMs, now + LATEST_MS);
      nextFree.set(library, at);
      return at - now;
    },
    /** Moving average of the library's answers; null before the first. */
    answerMs: (library: string): number | null => averages.get(library) ?? null,
  };
}
