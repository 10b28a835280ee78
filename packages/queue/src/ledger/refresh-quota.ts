import type { Redis } from '@passport/runtime';
import { hourKey } from '../keys.ts';
import { NOW_LUA, defineScript } from '../redis/index.ts';

const HOUR_MS = 3_600_000;

/** KEYS 1 refreshes of the hour; ARGV 1 what takes a place, 2 an hour in ms, 3 most; answers the ms until there is one, or 0. */
const TAKE_LUA = `${NOW_LUA}
local now, hour = nowMs(), tonumber(ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - hour)
if redis.call('ZSCORE', KEYS[1], ARGV[1]) then return 0 end
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[3]) then
  local oldest = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
  return math.min(hour, math.max(1, tonumber(oldest[2]) + hour - now))
end
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('PEXPIRE', KEYS[1], hour)
return 0
`;

/**
 * Takes a place of the lending library's hour for one copy that gets new values; the same `name` takes one place, however often. Returns
 * the milliseconds until there is one, or 0 where it was taken.
 */
export async function takeRefreshQuota(
  redis: Redis,
  library: string,
  name: string,
  most: number,
): Promise<number> {
  const take = defineScript(redis, 'passportTakeRefresh', TAKE_LUA);
  return Number(await take([hourKey('refreshes', library)], [name, HOUR_MS, most]));
}
