import { type ScanJobs, resolveEventId, readEventState } from '@passport/queue';
import { type Logger, type Redis, translateRedisError, within } from '@passport/runtime';
import type { ReadState } from './status-route.ts';

/** Reads states from the queue; what Redis does not answer in time is `unavailable`. */
export function buildReadState(deps: {
  readonly redis: Redis;
  readonly queue: ScanJobs;
  readonly nameOf: (libraryId: string) => string;
  readonly deadlineMs: number;
  readonly log: Logger;
}): ReadState {
  const { redis, queue, nameOf, deadlineMs, log } = deps;
  const read = async (library: string, eventId: string) => {
    const followed = await resolveEventId(redis, library, eventId);
    return readEventState(queue, library, followed, nameOf);
  };
  return async (library, eventId) => {
    if (redis.status !== 'ready') return 'unavailable';
    try {
      return await within(deadlineMs, read(library, eventId), 'reading a state');
    } catch (error) {
      const failure = translateRedisError(error);
      if (failure.kind === 'bug') log.error({ error }, 'state not read');
      else log.warn({ redis: failure.kind, problem: failure.message }, 'state not read');
      return 'unavailable';
    }
  };
}
