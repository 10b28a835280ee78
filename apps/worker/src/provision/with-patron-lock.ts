import type { CreateClaim, PatronLocks, ReleaseLock } from '@passport/queue/locks';
import type { Claimed, JobLock, Scan, ScanLock } from './scan.ts';
import type { WorkContext } from '../work-context.ts';

/** How long a patron lock lives beside one write: longer than a copy and its checkout take when all goes well. */
const LOCK_LIFE_MS = 20_000;
/** A worker's slot is not kept longer than this for somebody else's patron lock. */
const PATIENCE_MS = 2_000;
const RETRY_EVERY_MS = 40;

interface PatronLockDeps extends Pick<WorkContext, 'newId' | 'monotonicNow' | 'pause'> {
  readonly patronLocks: PatronLocks;
  /** The longest that a write to a library's Koha takes, with all that it waits for. */
  readonly longestWriteMs: (library: string) => number;
}

/** The patron lock is not free in time, or ends before a write that starts now would surely be over. */
class PatronLockOver extends Error {
  override readonly name = 'PatronLockOver';
}

/** The patron lock of one run, which has the job's lock, too. It says for how long may be written. */
export interface PatronLock extends JobLock {
  /** Takes it, unless the run has it. Throws where it is not free in time. */
  take(): Promise<void>;
  /** Takes it with what `claim` takes, both or neither. */
  takeWith(claim: (wish: CreateClaim['patronLock']) => Promise<Claimed>): Promise<Claimed>;
}

/** All that a step which writes must hold. */
export interface Locks {
  readonly lock: Pick<ScanLock, 'noteSent' | 'narrowSent' | 'noteCopy' | 'noteMade' | 'assertWanted'>;
  readonly patronLock: PatronLock;
}

/** Does `work` with a patron lock; null where it was not to be had, or ran out before all was written. */
export type WithPatronLock = <T>(
  scan: Pick<Scan, 'lending' | 'eventId'>,
  homeKey: string,
  lock: JobLock,
  work: (patronLock: PatronLock) => Promise<T>,
) => Promise<T | null>;

/**
 * One job at a time writes for one home key at one lending library. Koha counts unique attributes without a lock, so the
 * old and the new card of a patron at two desks at once could make two copies. The work takes the lock before it writes
 * anything; it is released when the work is over.
 */
export function buildPatronLock(deps: PatronLockDeps): WithPatronLock {
  return async (scan, homeKey, lock, work) => {
    const { patronLock, release } = openPatronLock(scan, homeKey, lock, deps);
    try {
      return await work(patronLock);
    } catch (error) {
      if (error instanceof PatronLockOver) return null;
      throw error;
    } finally {
      release();
    }
  };
}

function openPatronLock(
  { lending, eventId }: Pick<Scan, 'lending' | 'eventId'>,
  homeKey: string,
  lock: JobLock,
  { patronLocks, longestWriteMs, newId, monotonicNow, pause }: PatronLockDeps,
): { readonly patronLock: PatronLock; release(): void } {
  const name = `${lending}:${homeKey}`;
  const owner = { event: `${lending}.${eventId}`, run: newId() };
  const longestMs = longestWriteMs(lending);
  const lifeMs = LOCK_LIFE_MS + longestMs;
  let release: ReleaseLock | null = null;
  let lastStart = -Infinity;
  const taken = (sentAt: number, releaseIt: ReleaseLock): void => {
    release = releaseIt;
    lastStart = sentAt + lifeMs - longestMs;
  };

  const patronLock: PatronLock = {
    signal: lock.signal,
    assertHeld() {
      lock.assertHeld();
      if (monotonicNow() > lastStart) throw new PatronLockOver();
    },
    async take() {
      if (release !== null) return;
      const until = monotonicNow() + PATIENCE_MS;
      for (;;) {
        lock.signal.throwIfAborted();
        const sentAt = monotonicNow();
        const releaseIt = await patronLocks.take(name, owner, lifeMs);
        if (releaseIt !== null) return taken(sentAt, releaseIt);
        if (monotonicNow() >= until) throw new PatronLockOver();
        await pause(RETRY_EVERY_MS);
      }
    },
    async takeWith(claim) {
      lock.assertHeld();
      const sentAt = monotonicNow();
      const answer = await claim({ name, run: owner.run, lifeMs });
      if (answer === 'taken') taken(sentAt, patronLocks.taken(name, owner));
      else if (answer === 'patron_busy') release = null; // it had run out
      return answer;
    },
  };
  return {
    patronLock,
    release: () => void release?.().catch(() => undefined), // not waited for: it runs out by itself
  };
}
