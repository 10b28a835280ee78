import type { JobLock } from '../provision/scan.ts';

/** Another run may start once the lock has expired in Redis; ours ends this much before. */
const MARGIN_MS = 1_000;
/** A quarter of the lock's duration: one renewal may get lost, and the next still comes in time. */
const RENEWALS_PER_LOCK = 4;

/**
 * Keeps the lock of one run until `release`. BullMQ reports late or never that a lock was lost (after a blocked event loop
 * once the next run has started; cut off from Redis never). So the lock is trusted from the *sending* of its last
 * successful renewal, for its duration less a margin, and each run renews its own: after a stall, another run in this very
 * process has the same job id. `takenAt`: when the command that took the job was sent (monotonic, ms).
 */
export function keepJobLock(deps: {
  readonly durationMs: number;
  readonly takenAt: number;
  readonly monotonicNow: () => number;
  /** Renews the lock in Redis; false when it is another run's, or has expired. */
  readonly renew: () => Promise<boolean>;
  /** Receives what Redis answered to a renewal that failed. */
  readonly onError: (error: unknown) => void;
}): JobLock & { release(): void } {
  const { durationMs, takenAt, monotonicNow, renew, onError } = deps;
  const controller = new AbortController();
  const { signal } = controller;
  let endsAt = 0;
  let expiry: NodeJS.Timeout | undefined;
  let nextRenewal: NodeJS.Timeout | undefined;
  let isReleased = false;

  const isOver = (): boolean => isReleased || signal.aborted;
  const trustFrom = (sentAt: number): void => {
    clearTimeout(expiry);
    endsAt = sentAt + durationMs - MARGIN_MS;
    expiry = setTimeout(() => controller.abort(new LockLost()), Math.max(0, endsAt - monotonicNow()));
  };
  const renewOnce = async (): Promise<void> => {
    const sentAt = monotonicNow();
    try {
      if ((await renew()) && !isOver()) trustFrom(sentAt);
    } catch (error) {
      onError(error);
    }
  };
  const renewLater = (): void => {
    nextRenewal = setTimeout(() => {
      void renewOnce().then(() => {
        if (!isOver()) renewLater();
      });
    }, durationMs / RENEWALS_PER_LOCK);
  };

  trustFrom(takenAt);
  renewLater();
  return {
    signal,
    assertHeld() {
      if (signal.aborted || monotonicNow() >= endsAt) throw new LockLost();
    },
    release() {
      isReleased = true;
      clearTimeout(expiry);
      clearTimeout(nextRenewal);
    },
  };
}

/** This process may no longer act for the job. */
export class LockLost extends Error {
  override readonly name = 'LockLost';
  constructor() {
    super('the lock of the job is lost');
  }
}
