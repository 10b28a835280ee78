import { randomUUID } from 'node:crypto';
import type { Redis } from '@passport/runtime';
import { unrememberedKey, unrememberedLockKey } from '../keys.ts';
import { openOwnedLock, type ReleaseLock } from '../locks/index.ts';
import { defineScript, inBatches } from '../redis/index.ts';

/** More than this of one library wait nowhere: what is beyond is reported by its sweep, never overwritten. */
const MOST_WAITING = 10_000;
/** A Koha that was away for longer has a sweep report what it does not know. */
const LIFE_SECONDS = 30 * 24 * 3600;
const READ_AT_ONCE = 50;

/** KEYS 1 what waits; ARGV 1 id, 2 text, 3 how much may wait, 4 life in s */
const NOTE_LUA = `
if redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[3]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[4])
return 1
`;

/** KEYS what may wait, of each library; the places of those of which something does */
const WAITING_LUA = `
local waiting = {}
for place, key in ipairs(KEYS) do
  if redis.call('EXISTS', key) == 1 then waiting[#waiting + 1] = place end
end
return waiting
`;

/** What was written into a copy and is not stored with the lending Koha yet: keyed hashes, no values. */
export interface Unremembered {
  /** Names the write: Koha's number of the copy, and the event. */
  readonly id: string;
  readonly text: string;
}

/** Keeps it until the lending Koha has stored it; false when too much waits there. */
export async function noteUnremembered(
  redis: Redis,
  library: string,
  { id, text }: Unremembered,
): Promise<boolean> {
  const note = defineScript(redis, 'passportNoteUnremembered', NOTE_LUA);
  return (await note([unrememberedKey(library)], [id, text, MOST_WAITING, LIFE_SECONDS])) === 1;
}

/** Those of these libraries that something waits for, in their order. */
export function librariesWithUnremembered(redis: Redis, libraries: readonly string[]): Promise<string[]> {
  const look = defineScript(redis, 'passportUnremembered', WAITING_LUA);
  return inBatches(libraries, async (some) => {
    const places = (await look(some.map(unrememberedKey), [])) as number[];
    return places.flatMap((place) => some[place - 1] ?? []);
  });
}

/**
 * Some of what waits for a library, another choice each time, so that an entry that its Koha does not take does not block the others. A scan from
 * cursor 0 would end at the slots that were emptied before, with thousands still in the others.
 */
export async function readUnremembered(redis: Redis, library: string): Promise<readonly Unremembered[]> {
  const found = (await redis.hrandfield(unrememberedKey(library), READ_AT_ONCE, 'WITHVALUES')) ?? [];
  return Array.from({ length: found.length / 2 }, (_, index) => ({
    id: String(found[2 * index]),
    text: String(found[2 * index + 1]),
  }));
}

/** Forgets one row that its library's Koha has stored. */
export async function dropUnremembered(redis: Redis, library: string, id: string): Promise<void> {
  await redis.hdel(unrememberedKey(library), id);
}

/**
 * The lock of whoever stores what waits for the library, for so long: the function that releases it for the others, unless it is
 * another's by then. Null where another worker has it.
 */
export async function lockUnremembered(
  redis: Redis,
  library: string,
  lifeMs: number,
): Promise<ReleaseLock | null> {
  const lock = openOwnedLock(redis, unrememberedLockKey(library), { id: randomUUID(), run: '1' });
  return (await lock.take(lifeMs)) ? lock.release : null;
}
