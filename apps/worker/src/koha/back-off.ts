import { KohaError } from '@passport/koha-client';

export type BackOff = ReturnType<typeof buildBackOff>;

/**
 * The library is called again after this, whatever it requested: a proxy's slip must not close a library for a day. A job
 * waits no longer than this either (retry-policy.ts), or one scan would pay for what all others are spared.
 */
export const LONGEST_BACK_OFF_MS = 60_000;

/** Builds the back-off that one library requests, over a monotonic clock in milliseconds. */
export function buildBackOff(monotonicNow: () => number) {
  let until = 0;
  let failure: KohaError | undefined;
  return {
    /** Hears how a call ended: a failure with `retry-after` begins the back-off, or extends it. */
    hear(error: unknown): void {
      if (!(error instanceof KohaError) || error.retryAfterMs === null) return;
      const end = monotonicNow() + Math.min(error.retryAfterMs, LONGEST_BACK_OFF_MS);
      if (end <= until) return;
      until = end;
      failure = error;
    },
    get isOver() {
      return until <= monotonicNow();
    },
    /** Throws the library's failure again, with what is left of its `retry-after`, during the back-off. */
    assertOver(): void {
      const leftMs = until - monotonicNow();
      if (failure === undefined || leftMs <= 0) return;
      const { code, library, operation, status } = failure;
      const repeated = { code, library, operation, status, retryAfterMs: leftMs };
      throw new KohaError({ ...repeated, effect: 'none', wasSent: false });
    },
  };
}
