import type { Redis } from '@passport/runtime';
import { jobKey, cancelledAheadKey } from '../keys.ts';
import { REMEMBERED_HOURS } from '@passport/contract';

/**
 * The mark of an event that its library has cancelled. It is BullMQ's own `progress` of the job, which nothing else uses: BullMQ
 * hands it over with the job, keeps it as long as the job, and no write of the job's data takes it away.
 */
export const CANCELLED = 'cancelled';
const STORED = JSON.stringify(CANCELLED);

/** Lua: `isCancelled(job key)`, and `markCancelled(job key)`. Parts of other scripts. */
export const IS_CANCELLED_LUA = `
local function isCancelled(job) return redis.call('HGET', job, 'progress') == '${STORED}' end
`;
export const MARK_CANCELLED_LUA = `
local function markCancelled(job) redis.call('HSET', job, 'progress', '${STORED}') end
`;

/** Whether the job's event had been cancelled when the job was read. */
export const wasCancelled = ({ progress }: { readonly progress: unknown }): boolean => progress === CANCELLED;

/** Whether the job's event is cancelled by now. */
export async function readCancelled(redis: Redis, jobId: string): Promise<boolean> {
  return (await redis.hget(jobKey(jobId), 'progress')) === STORED;
}

/**
 * As long as the ids of events are remembered. A sender signs each delivery anew, so one that got no answer may come much later than
 * its first signature holds, and again after it came.
 */
const KEPT_MS = REMEMBERED_HOURS * 3_600_000;
/** Most that are remembered of one library; the next cancel is refused. */
const MOST_AHEAD = 10_000;

/**
 * Lua: events of a library that were cancelled before they came, by the time until which that is remembered.
 * `rememberCancel(key, event id, now in ms)`: false where there are too many. `wasCancelledAhead(key, event id, now in ms)`, and
 * `keepCancel(key, event id, now in ms)` once it came. Parts of other scripts.
 */
export const CANCELLED_AHEAD_LUA = `
local function keepUntil(key, event_id, until_ms)
  local known = tonumber(redis.call('ZSCORE', key, event_id) or 0)
  if known < until_ms then redis.call('ZADD', key, string.format('%.0f', until_ms), event_id) end
  redis.call('PEXPIRE', key, ${KEPT_MS})
end
local function rememberCancel(key, event_id, now)
  redis.call('ZREMRANGEBYSCORE', key, '-inf', string.format('%.0f', now))
  if not redis.call('ZSCORE', key, event_id) and redis.call('ZCARD', key) >= ${MOST_AHEAD} then return false end
  keepUntil(key, event_id, now + ${KEPT_MS})
  return true
end
local function wasCancelledAhead(key, event_id, now) return tonumber(redis.call('ZSCORE', key, event_id) or 0) > now end
local function keepCancel(key, event_id, now) keepUntil(key, event_id, now + ${KEPT_MS}) end
`;

/** Whether the event is remembered as cancelled before it came. */
export async function isCancelledAhead(redis: Redis, library: string, eventId: string): Promise<boolean> {
  return (await redis.zscore(cancelledAheadKey(library), eventId)) !== null;
}
