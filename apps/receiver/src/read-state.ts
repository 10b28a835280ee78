import { readEventState } from '@passport/queue';
import { type Logger, type Redis, translateRedisError, within } from '@passport/runtime';
import type { ReadState } from './status-route.ts';

/** Reads states from the queue; what Redis does not answer in time is `unavailable`. */
export function buildReadState(deps: {
  readonly redis: Redis;
  readonly nameOf: (libraryId: string) => string;
  readonly deadlineMs: number;
  readonly log: Logger;
}): ReadState {
  const { redis, nameOf, deadlineMs, log } = deps;
  return async (library, eventId) => {
    if (redis.status !== 'ready') return 'unavailable';
    try {
      return await within(deadlineMs, readEventState(redis, library, eventId, nameOf), 'reading a state');
    } catch (error) {
      const failure = translateRedisError(error);
      if (failure.kind === 'bug') log.error({ error }, 'state not read');
      else log.warn({ redis: failure.kind, problem: failure.message }, 'state not read');
      return 'unavailable';
    }
  };
}
