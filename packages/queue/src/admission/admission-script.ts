import { REMEMBERED_HOURS } from '@passport/contract';
import { STALE_LUA, IS_CANCELLED_LUA, CANCELLED_AHEAD_LUA } from '../scans/index.ts';
import { idempotencyKeyPrefix, jobKeyPrefix } from '../keys.ts';

const IDEMPOTENCY_LIFE_SECONDS = REMEMBERED_HOURS * 3600;
/** Scans of one card and item within this time are one scan. */
const COALESCE_MS = 10_000;

/**
 * Admission: everything the receiver must check and record before it queues events, in one round trip for all that
 * arrived together (a call each would cost more than the checks). Events are checked one after the other.
 *
 * KEYS of each: 1 idempotency key, 2 coalescing key (mode take only), 3 rate, 4 backlog, 5 ids remembered,
 *      6 events that were cancelled before they came
 * ARGV of each: 1 mode: rate | look | take  2 library  3 event id
 *      4 keyed hashes of the body, one per known key, comma separated; the first is stored
 *      5 microseconds between two events  6 burst  7 most unfinished events
 *      8 most ids remembered
 *
 * Answers of each {'rate', wait in us} | {'reuse'} | {'backlog'} | {'pass'} (modes rate and look)
 *       | {kind, event id to follow, add? 0/1, priority, now in ms, cancelled before it came? 0/1}, kind: new | duplicate | coalesced
 *       | {'broken'}: one of its keys has a value that we did not write. The other events are answered all the same.
 *
 * An idempotency key without a job is the dangerous gap (a crash between admission and the add): whoever finds one whose
 * event has not ended must add the job again. Its value ends in "d" once the job has ended.
 */
export const ADMISSION_LUA = `
${STALE_LUA}${IS_CANCELLED_LUA}${CANCELLED_AHEAD_LUA}
local time = redis.call('TIME')
local now_us = tonumber(time[1]) * 1000000 + tonumber(time[2])
local now_ms = math.floor(now_us / 1000)

-- An idempotency key's value: "hash state first", state - or d.
local function read_record(key)
  local value = redis.call('GET', key)
  if not value then return nil end
  local hash, state, first = string.match(value, '^(%S+) (%S) ?(%S*)$')
  if not hash then error('GARBAGE') end
  return {hash = hash, ended = state == 'd', first = first ~= '' and first or nil}
end
local function finished(job_key) return redis.call('HEXISTS', job_key, 'finishedOn') == 1 end
local function present(job_key) return redis.call('EXISTS', job_key) == 1 end

-- Rate (GCRA): the time at which it would be empty again, and after a dot when that was written, in us. (The dot, since
-- a receiver of the version before reads and writes the first alone, as a number.) Redis's clock may be set back, by hand
-- or by a failover to another machine: then the time that is left moves with it, and nobody waits for what has not
-- happened. Further off than a whole burst it is only with new limits, or set back unseen: the burst begins anew.
-- Returns how long to wait.
local function take_rate(rate_key, interval, burst)
  local stored, written = string.match(redis.call('GET', rate_key) or '', '^(%d+)%.?(%d*)$')
  local arrival = tonumber(stored) or now_us
  local set_back = math.max(0, (tonumber(written) or 0) - now_us)
  arrival = math.max(now_us, arrival - set_back)
  if arrival > now_us + burst * interval then arrival = now_us end
  local function write(until_us)
    local life_ms = math.ceil((until_us - now_us) / 1000) + 1000
    redis.call('SET', rate_key, string.format('%.0f.%.0f', until_us, now_us), 'PX', life_ms)
  end
  local wait = arrival + interval - burst * interval - now_us
  if wait > 0 then
    if set_back > 0 then write(arrival) end
    return wait
  end
  write(arrival + interval)
  return 0
end

-- How many are in a backlog, or nil where it is full; only then, those of its oldest that count no longer are dropped.
local function count_unless_full(backlog_key, most, jobs)
  local count = redis.call('ZCARD', backlog_key)
  if count < most then return count end
  local oldest = redis.call('ZRANGE', backlog_key, 0, 99, 'WITHSCORES')
  for index = 1, #oldest, 2 do
    if stale(jobs .. oldest[index], tonumber(oldest[index + 1]), now_ms) then
      redis.call('ZREM', backlog_key, oldest[index])
    end
  end
  count = redis.call('ZCARD', backlog_key)
  return count < most and count or nil
end

-- Idempotency keys live long and are cheap to make: each library has only so many, or one could fill Redis with them. An
-- event whose key was removed early is still recognised by its job, for as long as that is kept.
local function remember(records, remembered_key, event_id, value, most)
  redis.call('SET', records .. event_id, value, 'EX', ${IDEMPOTENCY_LIFE_SECONDS})
  local count = redis.call('RPUSH', remembered_key, event_id)
  if count % 100 == 1 then redis.call('EXPIRE', remembered_key, ${IDEMPOTENCY_LIFE_SECONDS}) end
  if count <= most then return end
  for _, oldest in ipairs(redis.call('LPOP', remembered_key, math.min(count - most, 10))) do
    redis.call('DEL', records .. oldest)
  end
end

local function admit(keys, mode, library, event_id, hashes, interval, burst, most, most_ids)
  local record_key, coalescing_key, rate_key, backlog_key, remembered_key, cancelled_key = unpack(keys)
  local records, jobs = '${idempotencyKeyPrefix}' .. library .. '.', '${jobKeyPrefix}' .. library .. '.'
  local function enter(id, count)
    local added = redis.call('ZADD', backlog_key, 'NX', now_ms, id)
    return count and count + added or redis.call('ZCARD', backlog_key)
  end
  -- The event to follow has no idempotency key: it was remembered for its whole time, so it must not run again.
  local function follow(kind, id)
    local own = read_record(records .. id)
    if not own or own.ended or present(jobs .. id) then return {kind, id, 0, 1, now_ms, 0} end
    return {kind, id, 1, enter(id), now_ms, wasCancelledAhead(cancelled_key, id, now_ms) and 1 or 0}
  end

  local wait = take_rate(rate_key, interval, burst)
  if wait > 0 then return {'rate', wait} end
  if mode == 'rate' then return {'pass'} end

  local record = read_record(record_key)
  if record then
    if not string.find(',' .. hashes .. ',', ',' .. record.hash .. ',', 1, true) then return {'reuse'} end
    if mode == 'look' then return {'pass'} end
    return follow('duplicate', record.first or event_id)
  end
  if mode == 'look' then return {'pass'} end
  if present(jobs .. event_id) then return {'duplicate', event_id, 0, 1, now_ms, 0} end

  -- Cancelled before it came: it is added as one that has ended. It is coalesced with none, and none with it: whoever cancelled it
  -- may have scanned the card again by now, and wants that.
  if wasCancelledAhead(cancelled_key, event_id, now_ms) then
    local unfinished = count_unless_full(backlog_key, most, jobs)
    if not unfinished then return {'backlog'} end
    remember(records, remembered_key, event_id, string.match(hashes, '^[^,]+') .. ' -', most_ids)
    keepCancel(cancelled_key, event_id, now_ms)
    return {'new', event_id, 1, enter(event_id, unfinished), now_ms, 1}
  end

  -- A double scan is coalesced with the first one, while that is unfinished; who scans again after a cancel wants it anew.
  local hash = string.match(hashes, '^[^,]+')
  local first = redis.call('GET', coalescing_key)
  local first_record = first and read_record(records .. first)
  if first_record and not first_record.ended and not finished(jobs .. first) and not isCancelled(jobs .. first) then
    remember(records, remembered_key, event_id, hash .. ' - ' .. first, most_ids)
    return follow('coalesced', first)
  end

  local unfinished = count_unless_full(backlog_key, most, jobs)
  if not unfinished then return {'backlog'} end
  remember(records, remembered_key, event_id, hash .. ' -', most_ids)
  redis.call('SET', coalescing_key, event_id, 'PX', ${COALESCE_MS})
  return {'new', event_id, 1, enter(event_id, unfinished), now_ms, 0}
end

-- Broken keys of one event must not affect the others; trouble with Redis itself affects all.
local function admit_apart(...)
  local ok, answer = pcall(admit, ...)
  if ok then return answer end
  local text = type(answer) == 'table' and tostring(answer.err) or tostring(answer)
  if string.find(text, 'GARBAGE', 1, true) or string.find(text, 'WRONGTYPE', 1, true) then return {'broken'} end
  error(answer)
end

local answers = {}
for index = 1, #KEYS / 6 do
  local k, a = (index - 1) * 6, (index - 1) * 8
  answers[index] = admit_apart(
    {KEYS[k + 1], KEYS[k + 2], KEYS[k + 3], KEYS[k + 4], KEYS[k + 5], KEYS[k + 6]},
    ARGV[a + 1], ARGV[a + 2], ARGV[a + 3], ARGV[a + 4],
    tonumber(ARGV[a + 5]), tonumber(ARGV[a + 6]), tonumber(ARGV[a + 7]), tonumber(ARGV[a + 8])
  )
end
return answers
`;
