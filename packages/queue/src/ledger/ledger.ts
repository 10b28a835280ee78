import { LONGEST_KEPT_DAYS, type Outcome, isFailure } from '@passport/contract';
import type { Redis } from '@passport/runtime';
import { HOUR_KINDS, type HourKind, type HourUse } from './hour-use.ts';
import {
  KEPT_KINDS,
  type KeptKind,
  backlogKey,
  idempotencyKey,
  hourKey,
  keptKey,
  outcomesKey,
  statisticsKey,
  statisticsLibrariesKey,
} from '../keys.ts';
import { type JobDataWriter, buildJobDataWriter } from '../scans/index.ts';
import { NOW_LUA, defineScript } from '../redis/index.ts';
import {
  type EventStatistics,
  NO_HOME,
  NO_STATISTICS,
  STATISTICS_LUA,
  monthOf,
} from '../statistics/index.ts';

const HOUR_MS = 3_600_000;
/** Hourly counts are kept for a little more than the day that the dashboard shows. */
const OUTCOMES_LIFE_SECONDS = 26 * 3600;
/** It begins anew with the first event of an hour, so that it is long enough for the last one. */
const KEPT_LIFE_SECONDS = LONGEST_KEPT_DAYS * 24 * 3600 + 3600;
/** What has passed the hour is told from the rest where fewer than so many would be left otherwise, */
const ROOM = 400;
/** or where so many are there; and so many at most are taken off at once: Redis does nothing else meanwhile. */
const MANY = 1_000;

/**
 * Reserves one copy, one miss and one decision of the library's hourly quota before anything is looked up, so that many
 * jobs at once cannot exceed a limit together. An event that has a reservation keeps it (a second run costs nothing).
 * KEYS misses, copies, decisions (`verdicts`); ARGV 1 event id, 2 an hour in ms, then the limit of each.
 * Answers {which limit, ms until some quota is free}, or {'', the least that is left, or less}: what has passed the hour counts
 * as long as there is room for it, and where it is gone does not show.
 */
const RESERVE_LUA = `${NOW_LUA}
local now = nowMs()
local hour = tonumber(ARGV[2])
local function look(key, most)
  local count = redis.call('ZCARD', key)
  if most - count < ${ROOM} or count >= ${MANY} then
    local live = redis.call('ZCOUNT', key, '(' .. now - hour, '+inf')
    if live < count then redis.call('ZREMRANGEBYRANK', key, 0, math.min(count - live, ${MANY}) - 1) end
    count = live
  end
  if count < most or tonumber(redis.call('ZSCORE', key, ARGV[1]) or 0) > now - hour then return {count = count} end
  -- Entered before the clock was set back: they are no younger than now, or the hour would last that much longer.
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', key, '(' .. now, '+inf')) do redis.call('ZADD', key, now, id) end
  local oldest = redis.call('ZRANGEBYSCORE', key, '(' .. now - hour, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
  return {wait = oldest[2] and math.max(0, tonumber(oldest[2]) + hour - now) or hour}
end
local seen = {}
for index, name in ipairs({'misses', 'copies', 'verdicts'}) do
  seen[index] = look(KEYS[index], tonumber(ARGV[index + 2]))
  if seen[index].wait then return {name, seen[index].wait} end
end
local left = math.huge
for index, window in ipairs(seen) do
  if redis.call('ZADD', KEYS[index], 'NX', now, ARGV[1]) == 1 then
    redis.call('PEXPIRE', KEYS[index], hour)
    window.count = window.count + 1
  elseif tonumber(redis.call('ZSCORE', KEYS[index], ARGV[1])) <= now - hour then
    -- Its own of an hour ago, which has not been taken off.
    redis.call('ZADD', KEYS[index], now, ARGV[1])
    redis.call('PEXPIRE', KEYS[index], hour)
  end
  left = math.min(left, tonumber(ARGV[index + 2]) - window.count)
end
return {'', left}
`;

/**
 * What an ended event leaves behind: its idempotency key says so, it is off the backlog, its quota is released
 * unless it was used, its outcome is counted once, and it is among those that are kept. Safe to repeat.
 * KEYS 1 idempotency key, 2 backlog, 3 outcomes of the hour, 4 misses, 5 copies, 6 decisions, 7 kept finished, 8 kept failed,
 *      9 statistics of the month and library, 10 libraries with statistics of the month
 * ARGV 1 event id, 2 outcome field (empty: not counted), 3 used: misses, copies, `verdicts` or none, 4 life of the counts,
 *      5 kept among: finished, failed or none, 6 end in ms, 7 life of what is known of kept events,
 *      8 library, 9 what it adds to the statistics
 */
const SETTLE_LUA = `${STATISTICS_LUA}
local record = redis.call('GET', KEYS[1])
local ended = record and string.match(record, '^%S+ (%S)') == 'd'
if record and not ended then
  redis.call('SET', KEYS[1], (string.gsub(record, '^(%S+) %-', '%1 d', 1)), 'KEEPTTL')
end
local open = redis.call('ZREM', KEYS[2], ARGV[1])
for index, name in ipairs({'misses', 'copies', 'verdicts'}) do
  if ARGV[3] ~= name then redis.call('ZREM', KEYS[index + 3], ARGV[1]) end
end
local isCounted = open == 1 and ARGV[2] ~= ''
-- Whether an end of its kind before it, within the hour, has renewed the lives; a set that was empty since has none.
local isRenewed = false
if isCounted then
  isRenewed = redis.call('HINCRBY', KEYS[3], ARGV[2], 1) > 1
  if not isRenewed then redis.call('EXPIRE', KEYS[3], ARGV[4]) end
  count(KEYS[9], KEYS[10], ARGV[8], ARGV[9])
end
for index, kind in ipairs({'finished', 'failed'}) do
  if ARGV[5] == kind then
    redis.call('ZADD', KEYS[index + 6], ARGV[6], ARGV[1])
    if not isRenewed or redis.call('TTL', KEYS[index + 6]) < 0 then redis.call('EXPIRE', KEYS[index + 6], ARGV[7]) end
  elseif not record or ended then
    -- Of an event that ends for the first time nothing is kept.
    redis.call('ZREM', KEYS[index + 6], ARGV[1])
  end
end
return open
`;

/** The hourly limits of a library (T-21: one leaked credential must not enumerate a consortium). */
export interface HourLimits {
  readonly copiesPerHour: number;
  readonly missesPerHour: number;
  readonly verdictsPerHour: number;
}

export type QuotaReservation =
  /** `left`: how many more events the hour has quota for, at least. */
  | { readonly kind: 'reserved'; readonly left: number }
  | { readonly kind: 'limit_reached'; readonly limit: HourKind; readonly freeInMs: number };

/** What each library's events use of its hourly quota, and which of them have ended. */
export interface Ledger {
  reserveQuota(library: string, eventId: string, limits: HourLimits): Promise<QuotaReservation>;
  /** Releases the event's quota, as long as it waits, or but for what was `used` by a question that is no event. */
  releaseQuota(library: string, eventId: string, used?: HourUse): Promise<void>;
  /** Settles an event that ended, and counts it once. */
  settle(library: string, eventId: string, outcome: Outcome, nowIso: string, more: SettleMore): Promise<void>;
  /** The same for an event that a person takes away unfinished: it never runs again, and nothing is counted. */
  strikeOut(library: string, eventId: string): Promise<void>;
  /** Whether the event was taken and is not settled, with a job or without one. */
  isOpen(library: string, eventId: string): Promise<boolean>;
  /** Readies a failed event for a retry: its job has the data `after`, and it is unfinished again. */
  readonly reopen: JobDataWriter['reopen'];
}

/** What is known of an ended event beside its outcome. */
export interface SettleMore {
  readonly used: HourUse;
  /** What it adds to the statistics; when left out, its outcome alone. */
  readonly statistics?: EventStatistics;
}

/** The end of an event, as it is settled. */
interface End {
  readonly field: string;
  readonly used: HourUse;
  readonly hour: string;
  readonly kind: KeptKind;
  readonly endedMs: number;
  readonly statistics: EventStatistics;
}

const hourKeys = (library: string): string[] => HOUR_KINDS.map((kind) => hourKey(kind, library));

/** Opens the ledger on a connection. Nothing in it is personal: event ids, times, counts. */
export function openLedger(redis: Redis): Ledger {
  const reserveQuota = defineScript(redis, 'passportReserve', RESERVE_LUA);
  const settle = defineScript(redis, 'passportSettle', SETTLE_LUA);
  const close = async (library: string, eventId: string, end: End | null): Promise<void> => {
    const keys = [idempotencyKey(library, eventId), backlogKey(library), outcomesKey(end?.hour ?? 'none')];
    const kept = KEPT_KINDS.map((kind) => keptKey(kind, library));
    const { field = '', used = 'none', kind = 'none', endedMs = 0 } = end ?? {};
    const { month, counted } = end?.statistics ?? NO_STATISTICS;
    await settle(
      [...keys, ...hourKeys(library), ...kept, statisticsKey(month, library), statisticsLibrariesKey(month)],
      [eventId, field, used, OUTCOMES_LIFE_SECONDS, kind, endedMs, KEPT_LIFE_SECONDS, library, counted],
    );
  };
  return {
    async reserveQuota(library, eventId, { copiesPerHour, missesPerHour, verdictsPerHour }) {
      const [limit, number] = (await reserveQuota(hourKeys(library), [
        eventId,
        HOUR_MS,
        missesPerHour,
        copiesPerHour,
        verdictsPerHour,
      ])) as [HourKind | '', number];
      return limit === ''
        ? { kind: 'reserved', left: number }
        : { kind: 'limit_reached', limit, freeInMs: number };
    },
    async releaseQuota(library, eventId, used = 'none') {
      const unused = HOUR_KINDS.filter((kind) => kind !== used);
      await Promise.all(unused.map((kind) => redis.zrem(hourKey(kind, library), eventId)));
    },
    settle: (library, eventId, outcome, nowIso, { used, statistics }) =>
      close(library, eventId, {
        field: `${library} ${outcome}`,
        used,
        statistics: statistics ?? { month: monthOf(nowIso), counted: `${NO_HOME} ${outcome}` },
        hour: nowIso.slice(0, 'YYYY-MM-DDTHH'.length),
        kind: isFailure(outcome) ? 'failed' : 'finished',
        endedMs: Date.parse(nowIso),
      }),
    strikeOut: (library, eventId) => close(library, eventId, null),
    async isOpen(library, eventId) {
      const [record, backlog] = await Promise.all([
        redis.get(idempotencyKey(library, eventId)),
        redis.zscore(backlogKey(library), eventId),
      ]);
      return backlog !== null || /^\S+ -/.test(record ?? '');
    },
    reopen: buildJobDataWriter(redis).reopen,
  };
}
