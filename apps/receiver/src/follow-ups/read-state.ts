import { type EventState, stateWithoutWorker } from '@passport/contract';
import { readEventState } from '@passport/queue';
import { type RedisInTime, callRedis } from '../deliveries/call-redis.ts';

/** The state of an event under its own id or the id of a scan that was coalesced with it. */
export type ReadState = (library: string, eventId: string) => Promise<EventState | null | 'unavailable'>;

/**
 * Reads states from the queue; what Redis does not answer in time is `unavailable`. An event that has not ended says so
 * when no worker is there.
 */
export function buildReadState(
  deps: RedisInTime & {
    readonly hasWorker: () => Promise<boolean>;
    readonly nameOf: (libraryId: string) => string;
  },
): ReadState {
  const { redis, nameOf, hasWorker } = deps;
  const read: ReadState = async (library, eventId) => {
    const state = await readEventState(redis, library, eventId, nameOf);
    if (state === null || state.state === 'done' || state.state === 'failed') return state;
    return (await hasWorker()) ? state : stateWithoutWorker(state);
  };
  const task = { doing: 'reading a state', failed: 'state not read' };
  return async (library, eventId) => callRedis(deps, task, () => read(library, eventId));
}
