import type { EventState } from '@passport/contract';
import type { Redis } from '@passport/runtime';
import { readEventState } from './event-state.ts';
import { changesKey } from './keys.ts';

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
