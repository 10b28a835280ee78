import type { ProcessIdentity } from '@passport/queue';
import type { Timings } from './timings.ts';

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
