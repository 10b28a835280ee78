import { type CancelAnswer, findCancelFault } from '@passport/contract';
import { type Authentication, type Delivery, OF_ANOTHER_EVENT } from './authentication.ts';
import type { EventSink } from './event-sink.ts';
import { readJson } from './read-json.ts';

/** Cancels an event of this library in the queue; null where it has none of this id. */
export type CancelInQueue = (
  library: string,
  eventId: string,
) => Promise<CancelAnswer | null | 'unavailable'>;

export type Cancellation =
  | { readonly kind: 'cancelled'; readonly eventId: string; readonly answer: CancelAnswer }
  | Exclude<Authentication, { kind: 'genuine' }>
  | { readonly kind: 'not_json' | 'not_found' }
  | { readonly kind: 'rate_limited' | 'unavailable'; readonly retryAfterMs: number }
  | { readonly kind: 'invalid_field'; readonly field: string; readonly problem: string };

const RETRY_MS = 1_000;

/**
 * Cancels one event, by the checks of a delivery in their order. Its signature is over the event's own `webhook-id` and a body
 * that says `scan.cancelled`: one that was made for a report or a look at the state cancels nothing.
 */
export function cancelScan(deps: {
  readonly authenticate: (delivery: Delivery) => Authentication;
  readonly sink: Pick<EventSink, 'check'>;
  readonly cancel: CancelInQueue;
}): (delivery: Delivery, eventId: string) => Promise<Cancellation> {
  const { authenticate, sink, cancel } = deps;
  return async (delivery, eventId) => {
    const sender = authenticate(delivery);
    if (sender.kind !== 'genuine') return sender;
    const { library, headers } = sender;
    if (headers.id !== eventId) return { kind: 'unauthorized', why: OF_ANOTHER_EVENT };
    const admission = { library: library.id, eventId, limits: library.limits, bodyHashes: [], scanHash: '' };
    const admitted = await sink.check({ ...admission, mode: 'rate' });
    if (admitted.kind === 'rate_limited') return admitted;
    if (admitted.kind !== 'pass') return { kind: 'unavailable', retryAfterMs: RETRY_MS };

    const content = readJson(delivery.body);
    if (content === null) return { kind: 'not_json' };
    const fault = findCancelFault(content.json);
    if (fault !== null) return { kind: 'invalid_field', ...fault };
    const answer = await cancel(library.id, eventId);
    if (answer === null) return { kind: 'not_found' };
    if (answer === 'unavailable') return { kind: 'unavailable', retryAfterMs: RETRY_MS };
    return { kind: 'cancelled', eventId: answer.event_id, answer };
  };
}
