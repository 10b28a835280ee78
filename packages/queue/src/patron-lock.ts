import type { Redis } from '@passport/runtime';
import { patronLockKey } from './keys.ts';
import { defineScript } from './script.ts';

/**
 * The part of a script that says whether an event may take a lock: it is free, or an earlier run of the same event has it. A job
 * runs once at a time, so that run is dead.
 */
export const LOCK_IS_FREE_LUA = `
local function lockIsFree(lock, event)
  local owner = redis.call('GET', lock)
  return not owner or string.sub(owner, 1, #event + 1) == event .. ' '
end
`;

/** KEYS 1 lock; ARGV 1 event, 2 run, 3 life in ms */
const TAKE_LUA = `${LOCK_IS_FREE_LUA}
if not lockIsFree(KEYS[1], ARGV[1]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1] .. ' ' .. ARGV[2], 'PX', ARGV[3])
return 1
`;

/** Releases a lock only for its owner: it may have expired and been taken by the next one. */
const RELEASE_LUA = `
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
`;

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

/**
 * One key per lock with a life, in the one Redis that the jobs are in too (docs/decisions/0005: why no Redlock).
 */
export function openPatronLocks(redis: Redis): PatronLocks {
  const take = defineScript(redis, 'passportTake', TAKE_LUA);
  const release = defineScript(redis, 'passportRelease', RELEASE_LUA);
  const taken =
    (name: string, { event, run }: LockOwner): ReleaseLock =>
    async () =>
      void (await release([patronLockKey(name)], [`${event} ${run}`]));
  return {
    async take(name, owner, lifeMs) {
      const answer = await take([patronLockKey(name)], [owner.event, owner.run, lifeMs]);
      return answer === 1 ? taken(name, owner) : null;
    },
    taken,
  };
}
