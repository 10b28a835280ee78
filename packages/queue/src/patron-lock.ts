import type { Redis } from '@passport/runtime';
import { patronLockKey } from './keys.ts';
import { defineScript } from './script.ts';

/**
 * Takes a lock that is free, or that an earlier run of the same event has: a job runs once at a time, so that run is
 * dead. KEYS 1 lock; ARGV 1 event and a blank, 2 run, 3 life in ms
 */
const TAKE_LUA = `
local owner = redis.call('GET', KEYS[1])
if owner and string.sub(owner, 1, #ARGV[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1] .. ARGV[2], 'PX', ARGV[3])
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

/** The patron locks, across all worker processes. */
export interface PatronLocks {
  /**
   * Takes the lock `name` for at most `lifeMs`; null when another event has it. Returns the function that releases
   * it. The owner must not rely on it past `lifeMs`.
   */
  take(name: string, owner: LockOwner, lifeMs: number): Promise<(() => Promise<void>) | null>;
}

/**
 * One key per lock with a life, in the one Redis that the jobs are in too (docs/decisions/0005: why no Redlock).
 */
export function openPatronLocks(redis: Redis): PatronLocks {
  const take = defineScript(redis, 'passportTake', TAKE_LUA);
  const release = defineScript(redis, 'passportRelease', RELEASE_LUA);
  return {
    async take(name, { event, run }, lifeMs) {
      const key = patronLockKey(name);
      const taken = await take([key], [`${event} `, run, lifeMs]);
      return taken === 1 ? async () => void (await release([key], [`${event} ${run}`])) : null;
    },
  };
}
