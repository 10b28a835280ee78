import type { Redis } from '@passport/runtime';
import { patronLockKey } from '../keys.ts';
import { type OwnedLock, openOwnedLock } from './owned-lock.ts';

/** Who wants a lock: one run of the job of one event. */
export interface LockOwner {
  /** `{library}.{event id}` */
  readonly event: string;
  /** Unique to this run. */
  readonly run: string;
}

/** Releases a lock that was taken. */
export type ReleaseLock = () => Promise<void>;

/** The patron locks, across all worker processes. */
export interface PatronLocks {
  /**
   * Takes the lock `name` for at most `lifeMs`; null when another event has it. Returns the function that releases
   * it. The owner must not rely on it past `lifeMs`.
   */
  take(name: string, owner: LockOwner, lifeMs: number): Promise<ReleaseLock | null>;
  /** Of a lock that `owner` has taken together with something else (create-claim.ts). */
  taken(name: string, owner: LockOwner): ReleaseLock;
}

/** One key per lock. */
export function openPatronLocks(redis: Redis): PatronLocks {
  const lockOf = (name: string, { event, run }: LockOwner): OwnedLock =>
    openOwnedLock(redis, patronLockKey(name), { id: event, run });
  return {
    async take(name, owner, lifeMs) {
      const lock = lockOf(name, owner);
      return (await lock.take(lifeMs)) ? lock.release : null;
    },
    taken: (name, owner) => lockOf(name, owner).release,
  };
}
