import { type EventState, stateWithoutWorker } from '@passport/contract';
import { readEventState } from '@passport/queue/scans';
import type { Delivery } from '../deliveries/authentication.ts';
import { callRedis } from '../deliveries/call-redis.ts';
import type { Refusal } from '../deliveries/refusal.ts';
import { type FollowUpDeps, UNAVAILABLE, authenticateFor } from './follow-up.ts';

export type StateRead = { readonly kind: 'state'; readonly state: EventState } | Refusal;

/**
 * Reads the state of an event from the queue, under its own id or the id of a scan that was coalesced with it; what Redis does not answer
 * in time is `unavailable`. An event that has not ended says so when no worker is there.
 */
export function buildReadState(
  deps: Omit<FollowUpDeps, 'sink' | 'queue' | 'replicated'>,
): (delivery: Delivery, eventId: string) => Promise<StateRead> {
  const { redis, authenticate, hasWorker, nameOf } = deps;
  const task = { doing: 'reading a state', failed: 'state not read' };
  const read = async (library: string, eventId: string): Promise<EventState | null> => {
    const state = await readEventState(redis, library, eventId, nameOf);
    if (state === null || state.state === 'done' || state.state === 'failed') return state;
    return (await hasWorker()) ? state : stateWithoutWorker(state);
  };
  return async (delivery, eventId) => {
    const sender = authenticateFor(authenticate, delivery, eventId);
    if (sender.kind !== 'genuine') return sender;
    const state = await callRedis(deps, task, () => read(sender.library.id, eventId));
    if (state === 'unavailable') return UNAVAILABLE;
    return state === null ? { kind: 'not_found' } : { kind: 'state', state };
  };
}
