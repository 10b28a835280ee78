import type { Redis } from '@passport/runtime';
import { sweepLockKey } from './keys.ts';
import { LOCK_IS_FREE_LUA } from './patron-lock.ts';
import { defineScript } from './script.ts';

/** KEYS 1 lock; ARGV 1 sweep, 2 run, 3 life in ms */
const TAKE_LUA = `${LOCK_IS_FREE_LUA}
if not lockIsFree(KEYS[1], ARGV[1]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1] .. ' ' .. ARGV[2], 'PX', ARGV[3])
return 1
`;
/** KEYS 1 lock; ARGV 1 owner, 2 life in ms */
const EXTEND_LUA = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
`;
/** KEYS 1 lock; ARGV 1 owner */
const RELEASE_LUA = `
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
`;

/** One run of one sweep of a library; a sweep that another worker goes on with keeps its id, and has a new run. */
export interface SweepRun {
  readonly library: string;
  readonly sweep: string;
  readonly run: string;
}

/** The lock that makes a run the only one at the copies of its library. */
export interface SweepLock {
  /** False where another sweep has it. A newer run of the same sweep takes it from the older one, whose worker is dead or was paused. */
  take(lifeMs: number): Promise<boolean>;
  /** From now on for so long again; false where it is no longer this run's. */
  extend(lifeMs: number): Promise<boolean>;
  release(): Promise<void>;
}

/** Opens the lock that one run of a sweep needs while it writes at a library; takes nothing yet. */
export function openSweepLock(redis: Redis, { library, sweep, run }: SweepRun): SweepLock {
  const keys = [sweepLockKey(library)];
  const owner = `${sweep} ${run}`;
  return {
    take: async (lifeMs) =>
      (await defineScript(redis, 'passportTakeSweep', TAKE_LUA)(keys, [sweep, run, lifeMs])) === 1,
    extend: async (lifeMs) =>
      (await defineScript(redis, 'passportExtendSweep', EXTEND_LUA)(keys, [owner, lifeMs])) === 1,
    release: async () => void (await defineScript(redis, 'passportReleaseSweep', RELEASE_LUA)(keys, [owner])),
  };
}
