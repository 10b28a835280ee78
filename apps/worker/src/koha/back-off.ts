import { KohaError } from '@passport/koha-client';

/** The rest that a library asked us for. */
export interface BackOff {
  /** Hears how a call ended: a failure with `retry-after` begins a rest, or makes it longer. */
  hear(error: unknown): void;
  /** Throws the library's own word again, with what is left of its `retry-after`, while it rests. */
  assertOver(): void;
}

/**
 * Somebody asks again after this, whatever was asked for: a proxy's slip must not close a library for a day. A job waits
 * no longer than its library rests (retry-policy.ts), or one scan would pay for what all others are spared.
 */
export const LONGEST_BACK_OFF_MS = 60_000;

/** Builds the rest of one library over a monotonic clock, in milliseconds. */
export function buildBackOff(monotonicNow: () => number): BackOff {
  let until = 0;
  let word: KohaError | undefined;
  return {
    hear(error) {
      if (!(error instanceof KohaError) || error.retryAfterMs === null) return;
      const end = monotonicNow() + Math.min(error.retryAfterMs, LONGEST_BACK_OFF_MS);
      if (end <= until) return;
      until = end;
      word = error;
    },
    assertOver() {
      const leftMs = until - monotonicNow();
      if (word === undefined || leftMs <= 0) return;
      const { code, library, operation, status } = word;
      throw new KohaError({ code, library, operation, status, effect: 'none', retryAfterMs: leftMs });
    },
  };
}
