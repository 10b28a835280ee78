import type { Redis } from '@passport/runtime';
import { defineScript } from '../redis/index.ts';

/**
 * Lua: locks whose value is `{id} {run}`, with a life; parts of other scripts.
 * `isOwner(owner, id)`, of a lock's value: an earlier run of the same id has it, which is dead, since a job runs once at a time.
 * `lockIsFree(lock, id)`: nobody has it, or such a run.
 * `takeLock(lock, id, run, life in ms)` without a look. `keepLock(lock, owner, life in ms)`: from now on for so long again, or no
 * longer where that is 0; 0 where it is not this owner's: it may have expired and been taken by the next one.
 */
export const OWNED_LOCK_LUA = `
local function isOwner(owner, id) return owner and string.sub(owner, 1, #id + 1) == id .. ' ' end
local function lockIsFree(lock, id)
  local owner = redis.call('GET', lock)
  return not owner or isOwner(owner, id)
end
local function takeLock(lock, id, run, life_ms) redis.call('SET', lock, id .. ' ' .. run, 'PX', life_ms) end
local function keepLock(lock, owner, life_ms)
  if redis.call('GET', lock) ~= owner then return 0 end
  if tonumber(life_ms) == 0 then return redis.call('DEL', lock) end
  return redis.call('PEXPIRE', lock, life_ms)
end
`;

/** KEYS 1 lock; ARGV 1 id, 2 run, 3 life in ms */
const TAKE_LUA = `${OWNED_LOCK_LUA}
if not lockIsFree(KEYS[1], ARGV[1]) then return 0 end
takeLock(KEYS[1], unpack(ARGV))
return 1
`;
/** KEYS 1 lock; ARGV 1 owner, 2 life in ms */
const KEEP_LUA = `${OWNED_LOCK_LUA}
return keepLock(KEYS[1], unpack(ARGV))
`;

/** A lock of one owner: one run of what runs once at a time. */
export interface OwnedLock {
  /** False where another has it. A newer run of the same id takes it from the older one, whose worker is dead or was paused. */
  take(lifeMs: number): Promise<boolean>;
  /** From now on for so long again; false where it is no longer this run's. */
  extend(lifeMs: number): Promise<boolean>;
  /** Releases it where it is still this run's. */
  release(): Promise<void>;
}

/** Opens the lock `key` for one owner, in the one Redis that the jobs are in too (docs/decisions/0005-patron-locks.md: why no Redlock); takes nothing yet. */
export function openOwnedLock(
  redis: Redis,
  key: string,
  { id, run }: { readonly id: string; readonly run: string },
): OwnedLock {
  const take = defineScript(redis, 'passportTake', TAKE_LUA);
  const keep = defineScript(redis, 'passportKeep', KEEP_LUA);
  const owner = `${id} ${run}`;
  return {
    take: async (lifeMs) => (await take([key], [id, run, lifeMs])) === 1,
    extend: async (lifeMs) => (await keep([key], [owner, lifeMs])) === 1,
    release: async () => void (await keep([key], [owner, 0])),
  };
}
