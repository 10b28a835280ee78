/** What main.ts alone may take from the machine. */
export interface Machine {
  /** Milliseconds since 1970 by this machine's clock; for what other machines say in such times. */
  readonly wallNow: () => number;
  /** Milliseconds that no clock step touches. */
  readonly monotonicNow: () => number;
  /** In [0, 1). */
  readonly random: () => number;
  readonly newId: () => string;
  readonly pause: (ms: number) => Promise<void>;
}
