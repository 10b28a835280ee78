import { stateWithoutWorker } from '@passport/contract';
import { readEventState } from '@passport/queue';
import { type Logger, type Redis, translateRedisError, within } from '@passport/runtime';
import type { ReadState } from './status-route.ts';

/**
 * Reads states from the queue; what Redis does not answer in time is `unavailable`. An event that has not ended says so
 * when no worker is there.
 */
export function buildReadState(deps: {
  readonly redis: Redis;
  readonly hasWorker: () => Promise<boolean>;
  readonly nameOf: (libraryId: string) => string;
  readonly deadlineMs: number;
  readonly log: Logger;
}): ReadState {
  const { redis, nameOf, hasWorker, deadlineMs, log } = deps;
  const read: ReadState = async (library, eventId) => {
    const state = await readEventState(redis, library, eventId, nameOf);
    if (state === null || state.state === 'done' || state.state === 'failed') return state;
    return (await hasWorker()) ? state : stateWithoutWorker(state);
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
