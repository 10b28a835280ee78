import type { OwnedLock } from '@passport/queue';
import { SweepPaused } from './sweep-paused.ts';

/** How long the lock outlives a worker that died. */
const LIFE_MS = 180_000;
const EXTEND_EACH_MS = 15_000;
/** Who finds it taken looks again after so long: the other's slice may be over. */
const TAKEN_MS = 15_000;

export interface SweepLockDeps {
  readonly monotonicNow: () => number;
  readonly now: () => number;
  /** The process stops. */
  readonly stopping: AbortSignal;
  readonly lifeMs?: number;
  readonly extendEachMs?: number;
}

/** What the work under the lock has of it. */
export interface HeldLock {
  /** Aborted when the process stops, and when the lock is lost: make no call after that. */
  readonly signal: AbortSignal;
  /** Throws where the lock is lost: right before something that only its owner may write. */
  assertHeld(): Promise<void>;
}

/**
 * Does the work of a sweep while it has its library's lock, which is extended for as long as the work takes. A lock that another run
 * has, or that could not be extended for half of its life, ends the work before its next call. Throws SweepPaused where another sweep
 * has it.
 */
export async function underSweepLock(
  lock: OwnedLock,
  { monotonicNow, now, stopping, lifeMs = LIFE_MS, extendEachMs = EXTEND_EACH_MS }: SweepLockDeps,
  work: (held: HeldLock) => Promise<void>,
): Promise<void> {
  const lost = new AbortController();
  const signal = AbortSignal.any([stopping, lost.signal]);
  const lose = (): void => lost.abort(new Error('the lock of this sweep is lost'));
  signal.throwIfAborted();
  let extendedAt = monotonicNow();
  if (!(await lock.take(lifeMs))) throw new SweepPaused(now() + TAKEN_MS);
  const extend = async (): Promise<void> => {
    const at = monotonicNow();
    if (await lock.extend(lifeMs)) extendedAt = at;
    else lose();
  };
  const timer = setInterval(() => {
    if (monotonicNow() - extendedAt > lifeMs / 2) lose();
    else void extend().catch(() => undefined); // Redis may be back in time; the connection logs its outages
  }, extendEachMs);
  try {
    await work({
      signal,
      async assertHeld() {
        await extend();
        lost.signal.throwIfAborted();
      },
    });
  } finally {
    clearInterval(timer);
    await lock.release().catch(() => undefined); // it ends by itself
  }
}
