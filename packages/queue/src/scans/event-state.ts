import { type EventState, eventStateOf, parseJob } from '@passport/contract';
import type { Redis } from '@passport/runtime';
import { FOLLOWED_EVENT_LUA } from './followed-event.ts';
import { activeKey, idempotencyKey, jobIdOf, jobKeyPrefix, changesKey } from '../keys.ts';
import { readJson, defineScript } from '../redis/index.ts';

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

/** BullMQ keeps about a thousand of its changes (lenient-job.ts), so that a reader must come often. */
const MOST_AT_ONCE = 2_000;
const STATES_AT_ONCE = 50;

/** What one look found: the states of the events that have changed since the look before. */
export interface Changes {
  readonly states: readonly EventState[];
  /** More has changed than is kept: some changes were not seen. */
  readonly isIncomplete: boolean;
}

/**
 * Watches what changes from now on. Each call of the returned function reads the states, as they are by then, of the events that have
 * changed since the one before: an event that changed twice in between is there once.
 */
export async function watchEvents(
  redis: Redis,
  nameOf: (libraryId: string) => string,
): Promise<() => Promise<Changes>> {
  let lastId = (await redis.xrevrange(changesKey, '+', '-', 'COUNT', 1))[0]?.[0] ?? '0-0';
  return async () => {
    const entries = await redis.xrange(changesKey, `(${lastId}`, '+', 'COUNT', MOST_AT_ONCE);
    // The entry that was read last is gone: so are those right after it, unless nothing was there before.
    const isIncomplete =
      lastId !== '0-0' && entries.length > 0 && (await redis.xrange(changesKey, lastId, lastId)).length === 0;
    lastId = entries.at(-1)?.[0] ?? lastId;
    const ids = new Set(entries.map(([, fields]) => fields[fields.indexOf('jobId') + 1] ?? ''));
    const states: EventState[] = [];
    const all = [...ids].filter((id) => id.includes('.'));
    for (let next = 0; next < all.length; next += STATES_AT_ONCE) {
      const some = all.slice(next, next + STATES_AT_ONCE).map((id) => {
        const dot = id.indexOf('.');
        return readEventState(redis, id.slice(0, dot), id.slice(dot + 1), nameOf);
      });
      states.push(...(await Promise.all(some)).filter((state) => state !== null));
    }
    return { states, isIncomplete };
  };
}
