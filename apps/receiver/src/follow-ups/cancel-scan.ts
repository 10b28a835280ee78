import { type CancelAnswer, findCancelFault } from '@passport/contract';
import { cancelEvent, isCancelledAhead, readEventState } from '@passport/queue/scans';
import type { Delivery } from '../deliveries/authentication.ts';
import { callRedis } from '../deliveries/call-redis.ts';
import type { NotFoundReason, Refusal } from '../deliveries/refusal.ts';
import { type FollowUpDeps, takeFollowUp } from './follow-up.ts';

export type Cancellation =
  { readonly kind: 'cancelled'; readonly eventId: string; readonly answer: CancelAnswer } | Refusal;

/**
 * Cancels one event, by the checks of a delivery in their order. Its signature is over the event's own `webhook-id` and a body
 * that says `scan.cancelled`: one that was made for a report or a look at the state cancels nothing. What Redis does not answer in time
 * is `unavailable`, and may have been cancelled.
 */
export function cancelScan(
  deps: FollowUpDeps,
): (delivery: Delivery, eventId: string) => Promise<Cancellation> {
  const task = { doing: 'cancelling an event', failed: 'an event was not cancelled' };
  return (delivery, eventId) =>
    takeFollowUp<Cancellation>(deps, delivery, eventId, async ({ library, json }) => {
      const fault = findCancelFault(json);
      if (fault !== null) return { kind: 'invalid_field', ...fault };
      const answer = await callRedis(deps, task, () => cancelInQueue(deps, library, eventId));
      if (answer === 'unavailable') return answer;
      if (typeof answer === 'string') return { kind: 'not_found', reason: answer };
      return { kind: 'cancelled', eventId: answer.event_id, answer };
    });
}

async function cancelInQueue(
  { redis, queue, replicated, nameOf }: FollowUpDeps,
  library: string,
  id: string,
): Promise<CancelAnswer | NotFoundReason | 'unavailable'> {
  const cancelled = await cancelEvent(redis, queue, library, id);
  if (cancelled === null) return 'not_kept';
  if (cancelled === 'ahead') {
    // That it is unknown is said only once it is sure to be cancelled should it still come: as for a 202, replicas have to know.
    const isRemembered =
      replicated === null || ((await replicated([])) && (await isCancelledAhead(redis, library, id)));
    return isRemembered ? 'not_seen' : 'unavailable';
  }
  if (cancelled === 'not_added' || cancelled === 'full') return 'unavailable';
  const { eventId, result } = cancelled;
  if (replicated !== null && !(await replicated([{ library, eventId }]))) return 'unavailable';
  const state = await readEventState(redis, library, eventId, nameOf);
  return state === null ? 'not_kept' : { event_id: eventId, result, state };
}
