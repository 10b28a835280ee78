import type { Redis } from '@passport/runtime';
import { createPlaceKeys } from '../keys.ts';
import { OWNED_LOCK_LUA } from './owned-lock.ts';
import { NOW_LUA, defineScript } from '../redis/index.ts';

/**
 * The part of a script that takes the place where a library's copies are created when it is free and nobody older is in
 * line, or when an earlier run of the same event had it: a job runs once at a time, so that run is dead. Whoever does not get
 * it stays in line for a moment, until it tries again; a time too far ahead is one from before the clock was set back.
 * Needs OWNED_LOCK_LUA before it. `age`: smaller is older; `lifeMs` of the place; `inLineMs`: how long one stays in line.
 */
export const TAKE_PLACE_LUA = `${NOW_LUA}
local function takePlace(place, line, event, run, age, lifeMs, inLineMs)
  local isOldest, isInLine = true, false
  local waiting = redis.call('HGETALL', line)
  local now = #waiting > 0 and nowMs()
  for index = 1, #waiting, 2 do
    local itsAge, untilText = string.match(waiting[index + 1], '^(%S+) (%S+)$')
    local untilMs = tonumber(untilText)
    if untilMs < now or untilMs > now + tonumber(inLineMs) then redis.call('HDEL', line, waiting[index])
    elseif waiting[index] == event then isInLine = true
    elseif tonumber(itsAge) < tonumber(age) then isOldest = false end
  end
  local owner = redis.call('GET', place)
  if isOwner(owner, event) or (isOldest and not owner) then
    takeLock(place, event, run, lifeMs)
    if isInLine then redis.call('HDEL', line, event) end
    return true
  end
  now = now or nowMs()
  redis.call('HSET', line, event, age .. ' ' .. string.format('%d', now + tonumber(inLineMs)))
  redis.call('PEXPIRE', line, 10 * tonumber(inLineMs))
  return false
end
`;

/** KEYS 1 place, 2 line; ARGV 1 event, 2 run, 3 age, 4 life in ms, 5 how long one stays in line */
const TAKE_LUA = `${OWNED_LOCK_LUA}${TAKE_PLACE_LUA}
return takePlace(KEYS[1], KEYS[2], unpack(ARGV)) and 1 or 0
`;

/** KEYS 1 place; ARGV 1 owner, 2 life in ms (0: release it). Whoever has the place has left the line. */
const KEEP_LUA = `${OWNED_LOCK_LUA}
return keepLock(KEYS[1], ARGV[1], ARGV[2])
`;

/** Who wants the place: one run of the job of one event. */
export interface PlaceOwner {
  /** `{library}.{event id}` */
  readonly event: string;
  /** Unique to this run. */
  readonly run: string;
  /** When its scan began to be worked on: of those who wait at the same moment, the oldest is next. */
  readonly sinceMs: number;
}

/** A place that was taken. It is lost `lifeMs` after it was taken or last extended. */
export interface CreatePlace {
  /** Extends it by another `lifeMs`; false when it is somebody else's by now. */
  keep(): Promise<boolean>;
  release(): Promise<void>;
}

/** The one place of each lending library at which a copy may be created, across all worker processes. */
export interface CreatePlaces {
  /** Takes the place of `library`; null when somebody has it, or an older one waits for it: try again soon. */
  take(library: string, owner: PlaceOwner, lifeMs: number): Promise<CreatePlace | null>;
  /** The place that `owner` has taken together with something else (create-claim.ts). */
  taken(library: string, owner: PlaceOwner, lifeMs: number): CreatePlace;
  /** Leaves the line: does not want the place any more. */
  leave(library: string, owner: PlaceOwner): Promise<void>;
}

/** Longer than the pause between two tries; a worker that died in line delays the others for no longer. */
export const IN_LINE_MS = 300;

/** Opens the places on a connection. docs/decisions/0017-one-create-at-a-time.md says why two creates at once are one too many. */
export function openCreatePlaces(redis: Redis): CreatePlaces {
  const take = defineScript(redis, 'passportTakePlace', TAKE_LUA);
  const keep = defineScript(redis, 'passportKeepPlace', KEEP_LUA);
  const taken = (library: string, { event, run }: PlaceOwner, lifeMs: number): CreatePlace => {
    const [place] = createPlaceKeys(library);
    const change = (newLifeMs: number): Promise<unknown> => keep([place], [`${event} ${run}`, newLifeMs]);
    return {
      keep: async () => (await change(lifeMs)) === 1,
      release: async () => void (await change(0)),
    };
  };
  return {
    async take(library, owner, lifeMs) {
      const { event, run, sinceMs } = owner;
      const answer = await take(createPlaceKeys(library), [event, run, sinceMs, lifeMs, IN_LINE_MS]);
      return answer === 1 ? taken(library, owner, lifeMs) : null;
    },
    taken,
    async leave(library, { event }) {
      const [, line] = createPlaceKeys(library);
      await redis.hdel(line, event);
    },
  };
}
