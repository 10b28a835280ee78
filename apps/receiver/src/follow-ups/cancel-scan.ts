import { type CancelAnswer, findCancelFault } from '@passport/contract';
import { type FollowUpDeps, type FollowUpRefused, RETRY_MS, admitSigned } from './admit-signed.ts';
import type { Delivery } from '../deliveries/authentication.ts';
import type { NotFoundReason } from '../http/problem.ts';

/** Cancels an event of this library in the queue, or says why there is none of this id. */
export type CancelInQueue = (
  library: string,
  eventId: string,
) => Promise<CancelAnswer | NotFoundReason | 'unavailable'>;

export type Cancellation =
  | { readonly kind: 'cancelled'; readonly eventId: string; readonly answer: CancelAnswer }
  | FollowUpRefused
  | { readonly kind: 'not_found'; readonly reason: NotFoundReason }
  | { readonly kind: 'invalid_field'; readonly field: string; readonly problem: string };

/**
 * Cancels one event, by the checks of a delivery in their order. Its signature is over the event's own `webhook-id` and a body
 * that says `scan.cancelled`: one that was made for a report or a look at the state cancels nothing.
 */
export function cancelScan(
  deps: FollowUpDeps & { readonly cancel: CancelInQueue },
): (delivery: Delivery, eventId: string) => Promise<Cancellation> {
  const { cancel } = deps;
  return async (delivery, eventId) => {
    const sent = await admitSigned(deps, delivery, eventId);
    if (sent.kind !== 'admitted') return sent;
    const fault = findCancelFault(sent.json);
    if (fault !== null) return { kind: 'invalid_field', ...fault };
    const answer = await cancel(sent.library, eventId);
    if (answer === 'unavailable') return { kind: 'unavailable', retryAfterMs: RETRY_MS };
    if (typeof answer === 'string') return { kind: 'not_found', reason: answer };
    return { kind: 'cancelled', eventId: answer.event_id, answer };
  };
}
