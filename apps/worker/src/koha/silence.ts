export type Silence = ReturnType<typeof buildSilence>;

/** Calls that wait without an answer to any, for longer than this, are enough. */
const SUSPICIOUS_MS = 1_000;
/** A library that was slow once has so many calls on their way at least. */
const FEWEST = 2;

/**
 * Builds what knows when a library has been silent for so long that no more calls are worth a worker's places, over a monotonic clock in
 * milliseconds; `inFlight` counts the calls that were sent. A library that accepts and never answers
 * holds a place of the worker for a whole deadline with each call, and its circuit opens only after five of them: twenty
 * such libraries held every place. So once two calls have waited for a second and none was answered meanwhile, or one
 * since the last was given up, no more set out until one comes back. A busy Koha that answers, however slowly, is not touched.
 */
export function buildSilence(monotonicNow: () => number, inFlight: () => number) {
  const waiting = new Map<symbol, number>();
  let hasGivenUp = false;
  return {
    /** Whether calls wait and nothing has come back since. */
    get isSuspicious() {
      const [oldest] = waiting.values();
      if (oldest === undefined) return false;
      if (hasGivenUp) return true;
      // Those that wait for a place under our own cap were not sent: nobody can answer them.
      return Math.min(waiting.size, inFlight()) >= FEWEST && monotonicNow() - oldest >= SUSPICIOUS_MS;
    },
    /** A call begins; returns the function to call when it has ended. */
    begin() {
      const call = Symbol('call');
      waiting.set(call, monotonicNow());
      return (end: 'answered' | 'silent' | 'no news'): void => {
        waiting.delete(call);
        if (end === 'silent') hasGivenUp = true;
        if (end !== 'answered') return;
        hasGivenUp = false;
        // Whoever answers one is there: the others' time begins again.
        for (const other of waiting.keys()) waiting.set(other, monotonicNow());
      };
    },
  };
}
