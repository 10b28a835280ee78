import type { Redis } from '@passport/runtime';
import {
  copyRecordsKey,
  seenCopiesKey,
  seenTodayKey,
  seenLibrariesKey,
  seenWaitingKeyPrefix,
  seenWorkingKey,
} from '../keys.ts';
import { NOW_LUA, defineScript } from '../redis/index.ts';

/** A copy is refreshed at a scan once in so long, however often it is scanned. */
const DAY_MS = 24 * 3_600_000;
/** Where the standing of its patron is checked at each visit; a self-check scans the card anew with each item. */
const VISIT_MS = 60_000;
const HOUR_MS = 3_600_000;
/** Most of one library that wait, and that are noted within an hour; what is beyond is left to the sweep. */
const MOST_WAITING = 1_000;
const MOST_AN_HOUR = 1_000;
/** A library that does not answer now is called again within the hour; then the copy waits for the sweep, or its next scan. */
const MOST_TRIES = 3;
const PAUSE_MS = 15 * 60_000;
/** Whoever works on a copy says so more often than this, or the library is another's. */
const LEASE_MS = 30_000;
/** A library rests no longer than this at once: beyond it, Redis's clock was set back. */
const LONGEST_REST_MS = 2 * HOUR_MS;
/** What nobody works on, since no worker serves the library any more, is gone after a day. */
const LIFE_SECONDS = 24 * 3600;

/** A copy that was scanned: the lending library and its Koha's number of the copy, and nothing else of the patron. */
export interface CopyRefresh {
  readonly library: string;
  readonly patron_id: number;
}

/** A copy whose turn it is. */
export interface TakenCopy extends CopyRefresh {
  /** When its scan was noted, in milliseconds since 1970: the same at each try. */
  readonly notedMs: number;
  /** Counts from 1. */
  readonly attempt: number;
}

/**
 * Lua: `turnOf(turns, waiting, library, now)` gives a library its next turn, when its first copy is due, behind all whose turn it is
 * already; none where no copy waits.
 */
const TURN_LUA = `
local function turnOf(turns, waiting, library, now)
  local first = redis.call('ZRANGE', waiting, 0, 0, 'WITHSCORES')
  if first[2] then redis.call('ZADD', turns, math.max(now, tonumber(first[2])), library) end
end
`;

/**
 * A copy that is noted again stands for its last time only, so each time before is an entry of its own: the hour counts them all.
 * KEYS 1 records of the library's copies, 2 those noted today, 3 those that wait, 4 turns, 5 libraries that are worked on
 * ARGV 1 library, 2 number of the copy, 3 how long its last scan stands for this one, in milliseconds
 */
const NOTE_LUA = `${NOW_LUA}
local library, number = ARGV[1], ARGV[2]
if redis.call('HEXISTS', KEYS[1], number) == 0 then return 0 end
local now = nowMs()
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - ${DAY_MS})
local last = tonumber(redis.call('ZSCORE', KEYS[2], number) or '')
if last and last > now - tonumber(ARGV[3]) then return 1 end
if redis.call('ZCARD', KEYS[3]) >= ${MOST_WAITING} then return 0 end
if redis.call('ZCOUNT', KEYS[2], now - ${HOUR_MS}, '+inf') >= ${MOST_AN_HOUR} then return 0 end
if last then
  for tries = 0, ${MOST_TRIES} do
    redis.call('ZREM', KEYS[3], string.format('%s %.0f %.0f', number, last, tries))
  end
  redis.call('ZADD', KEYS[2], last, string.format('%s %.0f', number, last))
end
redis.call('ZADD', KEYS[2], now, number)
redis.call('EXPIRE', KEYS[2], ${LIFE_SECONDS})
redis.call('ZADD', KEYS[3], now, string.format('%s %.0f 0', number, now))
redis.call('EXPIRE', KEYS[3], ${LIFE_SECONDS})
if not redis.call('ZSCORE', KEYS[5], library) then redis.call('ZADD', KEYS[4], 'LT', now, library) end
return 1
`;

/**
 * Takes the copy that is due first at the library that has waited longest. The copy is put back at once, for the next try: so it
 * is lost with no worker, and stops none for ever.
 * KEYS 1 turns, 2 libraries that are worked on
 */
const TAKE_LUA = `${NOW_LUA}${TURN_LUA}
local now = nowMs()
local function free(from, to)
  for _, library in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], from, to, 'LIMIT', 0, 100)) do
    redis.call('ZREM', KEYS[2], library)
    turnOf(KEYS[1], '${seenWaitingKeyPrefix}' .. library, library, now)
  end
end
free('-inf', now)
free(now + ${LONGEST_REST_MS}, '+inf')
for _ = 1, 100 do
  local library = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, 1)[1]
  if not library then return false end
  redis.call('ZREM', KEYS[1], library)
  local waiting = '${seenWaitingKeyPrefix}' .. library
  local copy = redis.call('ZRANGEBYSCORE', waiting, '-inf', now, 'LIMIT', 0, 1)[1]
  local number, noted, tries = string.match(copy or '', '^(%d+) (%d+) (%d+)$')
  if copy then redis.call('ZREM', waiting, copy) end
  if number and tonumber(tries) < ${MOST_TRIES} then
    local attempt = string.format('%.0f', tries + 1)
    redis.call('ZADD', waiting, now + ${PAUSE_MS}, table.concat({number, noted, attempt}, ' '))
    redis.call('EXPIRE', waiting, ${LIFE_SECONDS})
    redis.call('ZADD', KEYS[2], now + ${LEASE_MS}, library)
    return {library, number, noted, attempt}
  end
  turnOf(KEYS[1], waiting, library, now)
end
return false
`;

/**
 * KEYS 1 turns, 2 libraries that are worked on, 3 copies of the library that wait
 * ARGV 1 library, 2 number of the copy and when it was noted, 3 which try this was, 4 `done`, `failed` or `later`, 5 until when the
 *      library rests, or 0
 */
const END_LUA = `${NOW_LUA}${TURN_LUA}
local library, copy, attempt, what, rest = ARGV[1], ARGV[2] .. ' ', tonumber(ARGV[3]), ARGV[4], tonumber(ARGV[5])
local now = nowMs()
if what ~= 'failed' or attempt >= ${MOST_TRIES} then redis.call('ZREM', KEYS[3], copy .. ARGV[3]) end
if what == 'later' then
  redis.call('ZADD', KEYS[3], now, copy .. string.format('%.0f', attempt - 1))
  redis.call('EXPIRE', KEYS[3], ${LIFE_SECONDS})
end
if rest > now then
  redis.call('ZADD', KEYS[2], math.min(rest, now + ${LONGEST_REST_MS / 2}), library)
  return
end
redis.call('ZREM', KEYS[2], library)
turnOf(KEYS[1], KEYS[3], library, now)
`;

/** KEYS 1 libraries that are worked on; ARGV 1 library */
const KEEP_LUA = `${NOW_LUA}
redis.call('ZADD', KEYS[1], 'XX', nowMs() + ${LEASE_MS}, ARGV[1])
`;

/**
 * The copies that were scanned and wait for their refresh. All of it is in sorted sets that a script reads and changes as a whole, so
 * nothing is between a look at what waits and the end of the work, where a scan could be overlooked.
 */
export interface SeenCopies {
  /**
   * Notes the scan of a copy that the service has a record of, once a day, or with `isVisit` once a minute, instead of one that waits. False, and nothing stored, for any other number, and where
   * too many of this library wait, or were noted in the last hour.
   */
  note(copy: CopyRefresh, isVisit?: boolean): Promise<boolean>;
  /**
   * The next copy, of the library that has waited longest; null where none is due. Over all workers one copy of a library is worked on
   * at a time. A copy whose worker is lost comes again after 15 minutes, as one that failed, and three times at most.
   */
  take(): Promise<TakenCopy | null>;
  /** Says that a copy of the library is still worked on; to be called more often than every 30 seconds. */
  keep(library: string): Promise<void>;
  /** The copy needs no more work today. */
  done(copy: TakenCopy): Promise<void>;
  /** It is tried again after 15 minutes, unless this was the third time. */
  failed(copy: TakenCopy): Promise<void>;
  /** It was not tried: it is due again at once, or where `untilMs` is given, then, and so are all others of its library (an hour at most). */
  later(copy: TakenCopy, untilMs?: number): Promise<void>;
}

/** Opens them on a connection that the caller owns. */
export function openSeenCopies(redis: Redis): SeenCopies {
  const note = defineScript(redis, 'passportNoteSeen', NOTE_LUA);
  const take = defineScript(redis, 'passportTakeSeen', TAKE_LUA);
  const keep = defineScript(redis, 'passportKeepSeen', KEEP_LUA);
  const endSeen = defineScript(redis, 'passportEndSeen', END_LUA);
  const end = async (
    { library, patron_id, notedMs, attempt }: TakenCopy,
    what: 'done' | 'failed' | 'later',
    restUntilMs = 0,
  ): Promise<void> => {
    const keys = [seenLibrariesKey, seenWorkingKey, seenCopiesKey(library)];
    await endSeen(keys, [library, `${patron_id} ${notedMs}`, attempt, what, restUntilMs]);
  };
  return {
    async note({ library, patron_id }, isVisit = false) {
      const ofLibrary = [copyRecordsKey(library), seenTodayKey(library), seenCopiesKey(library)];
      const onceInMs = isVisit ? VISIT_MS : DAY_MS;
      const keys = [...ofLibrary, seenLibrariesKey, seenWorkingKey];
      return (await note(keys, [library, patron_id, onceInMs])) === 1;
    },
    async take() {
      const taken = (await take([seenLibrariesKey, seenWorkingKey], [])) as
        [library: string, number: string, noted: string, attempt: string] | null;
      if (taken === null) return null;
      const [library, number, noted, attempt] = taken;
      return { library, patron_id: Number(number), notedMs: Number(noted), attempt: Number(attempt) };
    },
    keep: async (library) => void (await keep([seenWorkingKey], [library])),
    done: (copy) => end(copy, 'done'),
    failed: (copy) => end(copy, 'failed'),
    later: (copy, untilMs) => end(copy, 'later', untilMs),
  };
}
