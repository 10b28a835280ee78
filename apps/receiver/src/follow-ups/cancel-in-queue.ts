import {
  type ReplicaCheck,
  type ScanJobs,
  cancelEvent,
  isCancelledAhead,
  readEventState,
} from '@passport/queue';
import { type RedisInTime, callRedis } from '../deliveries/call-redis.ts';
import type { CancelInQueue } from './cancel-scan.ts';

/** Cancels events in the queue; what Redis does not answer in time is `unavailable`, and may have been cancelled. */
export function buildCancelInQueue(
  deps: RedisInTime & {
    readonly queue: ScanJobs;
    /** Null: the answer waits for no replica. */
    readonly replicated: ReplicaCheck | null;
    readonly nameOf: (libraryId: string) => string;
  },
): CancelInQueue {
  const { redis, queue, replicated, nameOf } = deps;
  // That it is unknown is said only once it is sure to be cancelled should it still come: as for a 202, replicas have to know.
  const isRemembered = async (library: string, id: string): Promise<boolean> =>
    replicated === null || ((await replicated([])) && (await isCancelledAhead(redis, library, id)));
  const cancel: CancelInQueue = async (library, id) => {
    const cancelled = await cancelEvent(redis, queue, library, id);
    if (cancelled === null) return 'not_kept';
    if (cancelled === 'ahead') return (await isRemembered(library, id)) ? 'not_seen' : 'unavailable';
    if (cancelled === 'not_added' || cancelled === 'full') return 'unavailable';
    const { eventId, result } = cancelled;
    if (replicated !== null && !(await replicated([{ library, eventId }]))) return 'unavailable';
    const state = await readEventState(redis, library, eventId, nameOf);
    return state === null ? 'not_kept' : { event_id: eventId, result, state };
  };
  const task = { doing: 'cancelling an event', failed: 'an event was not cancelled' };
  return async (library, eventId) => callRedis(deps, task, () => cancel(library, eventId));
}
