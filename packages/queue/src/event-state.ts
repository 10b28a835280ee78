import { type EventState, eventStateOf, parseJob } from '@passport/contract';
import type { Redis } from '@passport/runtime';
import { FOLLOWED_EVENT_LUA } from './followed-event.ts';
import { activeKey, idempotencyKey, jobIdOf, jobKeyPrefix } from './keys.ts';
import { readJson } from './parse-stored.ts';
import { defineScript } from './script.ts';

/**
 * The data of an event's job, or of the first event's where it was coalesced, and whether that job is active.
 * KEYS 1 idempotency key, 2 active jobs; ARGV 1 prefix of the library's jobs, 2 prefix of their ids, 3 event id
 */
const READ_LUA = `${FOLLOWED_EVENT_LUA}
local id = followedEvent(KEYS[1], ARGV[3])
local data = redis.call('HGET', ARGV[1] .. id, 'data')
return {data, redis.call('LPOS', KEYS[2], ARGV[2] .. id) and 1 or 0}
`;

/**
 * The state of an event as of now, under its own id or the id of a scan that was coalesced with it; null when the queue does
 * not have it (or cannot read it). One round trip, and all of it from the same moment: a desk polls it.
 */
export async function readEventState(
  redis: Redis,
  library: string,
  eventId: string,
  nameOf: (libraryId: string) => string,
): Promise<EventState | null> {
  const read = defineScript(redis, 'passportEventState', READ_LUA);
  const ids = jobIdOf(library, '');
  const keys = [idempotencyKey(library, eventId), activeKey];
  const [data, isActive] = (await read(keys, [`${jobKeyPrefix}${ids}`, ids, eventId])) as [
    string | null,
    0 | 1,
  ];
  const parsed = parseJob(readJson(data));
  return parsed.kind === 'unreadable' ? null : eventStateOf(parsed.job, isActive === 1, nameOf);
}
