import type { ProcessIdentity } from '@passport/queue/processes';

/** Intervals that no configuration has. Tests hand down shorter ones, so that they need not wait for these. */
export interface Timings {
  /** How often what was written into copies is stored at the lending libraries: beside the scans, no desk waits for it. */
  readonly rememberMs: number;
  /** How often a worker with nothing in hand looks for copies that were scanned. */
  readonly lookForSeenMs: number;
}

const TIMINGS: Timings = { rememberMs: 15_000, lookForSeenMs: 1_000 };

/** The usual timings, with those that a test has put into the environment as JSON. Throws where that is no object of positive numbers. */
export function readTimings(text = '{}'): Timings {
  const given = JSON.parse(text) as Readonly<Record<string, unknown>>;
  for (const [name, value] of Object.entries(given))
    if (!(name in TIMINGS) || typeof value !== 'number' || !(value > 0))
      throw new Error(`PASSPORT_TEST_TIMINGS: ${name} is no timing`);
  return { ...TIMINGS, ...given };
}

/** The clocks, the random source, the ids and the names, which main.ts alone may take from the machine. */
export interface Sources {
  /** Milliseconds since 1970 by this machine's clock; for what other machines say in such times. */
  readonly wallNow: () => number;
  /** Milliseconds that no clock step touches. */
  readonly monotonicNow: () => number;
  /** In [0, 1). */
  readonly random: () => number;
  readonly newId: () => string;
  /** What this process is, for the list of live processes. */
  readonly self: ProcessIdentity;
  readonly pause: (ms: number) => Promise<void>;
  /** The usual ones where there are none. */
  readonly timings?: Timings;
  /**
   * Makes the queue's clock the one that this process's libraries read. BullMQ dates, delays and promotes jobs by
   * `Date.now()`: a worker whose machine is an hour slow would let waiting jobs sleep for that hour
   * (docs/decisions/0007-one-clock.md).
   */
  readonly adoptClock: (now: () => number) => void;
}
