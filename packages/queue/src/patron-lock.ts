import type { Redis } from '@passport/runtime';
import { QUEUE_PREFIX } from './keys.ts';
import { defineScript } from './script.ts';

/**
 * Takes a turn that is free, or that an earlier run of the same event held: a job runs once at a time, so that run is
 * dead. KEYS 1 turn; ARGV 1 event and a blank, 2 run, 3 life in ms
 */
const TAKE_LUA = `
local holder = redis.call('GET', KEYS[1])
if holder and string.sub(holder, 1, #ARGV[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1] .. ARGV[2], 'PX', ARGV[3])
return 1
`;

/** Gives a turn back only to its holder: it may have run out and been taken by the next one. */
const RELEASE_LUA = `
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
`;

/** Who wants a turn: one run of the job of one event. */
export interface LockOwner {
  /** `{library}.{event id}` */
  readonly event: string;
  /** Tells this run from every other. */
  readonly run: string;
}

/** Takes turns, across all worker processes. */
export interface PatronLocks {
  /**
   * Takes the turn `name` for at most `lifeMs`; null when another event has it. Returns the function that gives it
   * back. The holder must not rely on it past `lifeMs`.
   */
  take(name: string, holder: LockOwner, lifeMs: number): Promise<(() => Promise<void>) | null>;
}

/**
 * One key per turn with a life, in the one Redis that the jobs are in too (docs/decisions/0005: why no Redlock).
 */
export function openPatronLocks(redis: Redis): PatronLocks {
  const take = defineScript(redis, 'passportTake', TAKE_LUA);
  const release = defineScript(redis, 'passportRelease', RELEASE_LUA);
  return {
    async take(name, { event, run }, lifeMs) {
      const key = `${QUEUE_PREFIX}:turn:${name}`;
      const taken = await take([key], [`${event} `, run, lifeMs]);
      return taken === 1 ? async () => void (await release([key], [`${event} ${run}`])) : null;
    },
  };
}
