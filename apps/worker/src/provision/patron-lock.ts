import type { PatronLocks } from '@passport/queue';
import type { JobLock, Scan } from './scan.ts';

/** How long a patron lock lives beside one write: longer than a copy and its checkout take when all goes well. */
const LOCK_LIFE_MS = 20_000;
/** A worker's slot is not kept longer than this for somebody else's patron lock. */
const PATIENCE_MS = 2_000;
const RETRY_EVERY_MS = 40;

export interface PatronLockDeps {
  readonly patronLocks: PatronLocks;
  /** The longest that a write to a library's Koha takes, with all that it waits for. */
  readonly longestWriteMs: (library: string) => number;
  readonly newId: () => string;
  readonly monotonicNow: () => number;
  readonly pause: (ms: number) => Promise<void>;
}

/** The patron lock ends before a write that starts now would surely be over. */
class PatronLockOver extends Error {
  override readonly name = 'PatronLockOver';
}

/**
 * One job at a time writes for one home key at one lending library. Koha counts unique attributes without a lock, so the
 * old and the new card of a patron at two desks at once could make two copies. Null when the lock is not free in time, or ran out before all was
 * written. `work` gets the lock that says for how long it may write.
 */
export function buildPatronLock(
  deps: PatronLockDeps,
): <T>(
  scan: Pick<Scan, 'lending' | 'eventId'>,
  homeKey: string,
  lock: JobLock,
  work: (writeLock: JobLock) => Promise<T>,
) => Promise<T | null> {
  return async (scan, homeKey, lock, work) => {
    const patronLock = await waitForLock(scan, homeKey, lock.signal, deps);
    if (patronLock === null) return null;
    const lastStart = patronLock.endsAt - deps.longestWriteMs(scan.lending);
    const writeLock: JobLock = {
      signal: lock.signal,
      assertHeld() {
        lock.assertHeld();
        if (deps.monotonicNow() > lastStart) throw new PatronLockOver();
      },
    };
    try {
      return await work(writeLock);
    } catch (error) {
      if (error instanceof PatronLockOver) return null;
      throw error;
    } finally {
      void patronLock.release().catch(() => undefined); // not waited for: it runs out by itself
    }
  };
}

async function waitForLock(
  { lending, eventId }: Pick<Scan, 'lending' | 'eventId'>,
  homeKey: string,
  signal: AbortSignal,
  { patronLocks, longestWriteMs, newId, monotonicNow, pause }: PatronLockDeps,
): Promise<{ readonly endsAt: number; release(): Promise<void> } | null> {
  const owner = { event: `${lending}.${eventId}`, run: newId() };
  const lifeMs = LOCK_LIFE_MS + longestWriteMs(lending);
  const until = monotonicNow() + PATIENCE_MS;
  for (;;) {
    signal.throwIfAborted();
    const sentAt = monotonicNow();
    const release = await patronLocks.take(`${lending}:${homeKey}`, owner, lifeMs);
    if (release !== null) return { endsAt: sentAt + lifeMs, release };
    if (monotonicNow() >= until) return null;
    await pause(RETRY_EVERY_MS);
  }
}
