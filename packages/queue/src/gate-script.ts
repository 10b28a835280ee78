import { STALE_LUA } from './backlog-script.ts';
import { guardKeyPrefix, jobKeyPrefix } from './keys.ts';

/** How long a `webhook-id` is remembered. Standard Webhooks senders give up well before. */
const GUARD_LIFE_SECONDS = 80 * 3600;
/** Scans of one card and item within this time are one scan. */
const JOIN_LIFE_MS = 10_000;

/**
 * The gate: everything the receiver must know and hold before it queues an event, in one round trip.
 *
 * KEYS 1 guard of this event, 2 join (mode take only), 3 rate, 4 backlog
 * ARGV 1 mode: rate | look | take  2 library  3 event id
 *      4 keyed hashes of the body, one per known key, comma separated; the first is stored
 *      5 microseconds between two events  6 burst  7 most unfinished events
 *
 * Answers {'rate', wait in us} | {'reuse'} | {'backlog'} | {'pass'} (modes rate and look)
 *       | {verdict, event id to follow, add? 0/1, priority, now in ms}, verdict: new | duplicate | joined.
 *
 * A guard without a job is the dangerous gap (a crash between the gate and the add): whoever meets one whose event has
 * not ended is told to add the job again. The guard ends in "d" once the job has ended.
 */
export const GATE_LUA = `
${STALE_LUA}
local guard_key, join_key, rate_key, backlog_key = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local mode, library, event_id, hashes = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local interval, burst, most = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local guard_life, join_life = ${GUARD_LIFE_SECONDS}, ${JOIN_LIFE_MS}
local guard_prefix, job_prefix = '${guardKeyPrefix}' .. library .. '.', '${jobKeyPrefix}' .. library .. '.'
local time = redis.call('TIME')
local now_us = tonumber(time[1]) * 1000000 + tonumber(time[2])
local now_ms = math.floor(now_us / 1000)

-- 1. Rate (GCRA): one number per library, the time at which it would be empty again. It is never further off than a
-- whole burst, unless the clock was set back (as by a failover) or the limits are new.
local arrival = tonumber(redis.call('GET', rate_key) or '0')
arrival = math.max(now_us, math.min(arrival, now_us + burst * interval))
local wait = arrival + interval - burst * interval - now_us
if wait > 0 then return {'rate', wait} end
redis.call('SET', rate_key, string.format('%.0f', arrival + interval), 'PX', math.ceil((arrival + interval - now_us) / 1000) + 1000)
if mode == 'rate' then return {'pass'} end

-- 2. Guard: "hash state first", state - or d.
local function read_guard(key)
  local value = redis.call('GET', key)
  if not value then return nil end
  local hash, state, first = string.match(value, '^(%S+) (%S) ?(%S*)$')
  return {hash = hash, ended = state == 'd', first = first ~= '' and first or nil}
end
local function job_key(id) return job_prefix .. id end
local function finished(id) return redis.call('HEXISTS', job_key(id), 'finishedOn') == 1 end
local function present(id) return redis.call('EXISTS', job_key(id)) == 1 end
local function enter(id)
  redis.call('ZADD', backlog_key, 'NX', now_ms, id)
  return redis.call('ZCARD', backlog_key)
end
-- Without its own guard the event to follow was remembered for its whole time, so it is not to run again.
local function follow(verdict, id)
  local own = read_guard(guard_prefix .. id)
  if not own or own.ended or present(id) then return {verdict, id, 0, 1, now_ms} end
  return {verdict, id, 1, enter(id), now_ms}
end

local guard = read_guard(guard_key)
if guard then
  if not string.find(',' .. hashes .. ',', ',' .. guard.hash .. ',', 1, true) then return {'reuse'} end
  if mode == 'look' then return {'pass'} end
  return follow('duplicate', guard.first or event_id)
end
if mode == 'look' then return {'pass'} end
if present(event_id) then return {'duplicate', event_id, 0, 1, now_ms} end

local hash = string.match(hashes, '^[^,]+')
-- 3. Join: a double scan follows the first one, while that is unfinished.
local first = redis.call('GET', join_key)
local first_guard = first and read_guard(guard_prefix .. first)
if first_guard and not first_guard.ended and not finished(first) then
  redis.call('SET', guard_key, hash .. ' - ' .. first, 'EX', guard_life)
  return follow('joined', first)
end

-- 4. Backlog: only when it is full, look whether the oldest count no longer.
if redis.call('ZCARD', backlog_key) >= most then
  local oldest = redis.call('ZRANGE', backlog_key, 0, 99, 'WITHSCORES')
  for index = 1, #oldest, 2 do
    if stale(job_key(oldest[index]), tonumber(oldest[index + 1]), now_ms) then
      redis.call('ZREM', backlog_key, oldest[index])
    end
  end
  if redis.call('ZCARD', backlog_key) >= most then return {'backlog'} end
end

redis.call('SET', guard_key, hash .. ' -', 'EX', guard_life)
redis.call('SET', join_key, event_id, 'PX', join_life)
return {'new', event_id, 1, enter(event_id), now_ms}
`;
