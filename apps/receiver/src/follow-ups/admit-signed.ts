import type { DeliveryHeaders } from '@passport/contract';
import { type Authentication, type Delivery, OF_ANOTHER_EVENT } from '../deliveries/authentication.ts';
import type { EventSink } from '../deliveries/event-sink.ts';
import { readJson } from '../deliveries/read-json.ts';

export interface FollowUpDeps {
  readonly authenticate: (delivery: Delivery) => Authentication;
  readonly sink: Pick<EventSink, 'check'>;
}

/** A body whose sender is known and within its rate. */
export interface FollowUp {
  readonly kind: 'admitted';
  /** The library's id. */
  readonly library: string;
  readonly headers: DeliveryHeaders;
  readonly json: unknown;
}

/** Why one is not looked at. */
export type FollowUpRefused =
  | Exclude<Authentication, { kind: 'genuine' }>
  | { readonly kind: 'not_json' }
  | { readonly kind: 'rate_limited' | 'unavailable'; readonly retryAfterMs: number };

/** How long whoever is answered `unavailable` is to wait. */
export const RETRY_MS = 1_000;

/**
 * Admits a signed body by the checks of a delivery in their order. That of a cancel or an answer is signed over the event's own
 * `webhook-id`, so that one that was made for another event is refused; one that is about no event (`eventId` null) has an id of its
 * own. Who reads the body has to see that it was made for this.
 */
export async function admitSigned(
  { authenticate, sink }: FollowUpDeps,
  delivery: Delivery,
  eventId: string | null,
): Promise<FollowUp | FollowUpRefused> {
  const sender = authenticate(delivery);
  if (sender.kind !== 'genuine') return sender;
  const { library, headers } = sender;
  if (eventId !== null && headers.id !== eventId) return { kind: 'unauthorized', why: OF_ANOTHER_EVENT };
  const admission = {
    library: library.id,
    eventId: headers.id,
    limits: library.limits,
    bodyHashes: [],
    scanHash: '',
  };
  const admitted = await sink.check({ ...admission, mode: 'rate' });
  if (admitted.kind === 'rate_limited') return admitted;
  if (admitted.kind !== 'pass') return { kind: 'unavailable', retryAfterMs: RETRY_MS };
  const content = readJson(delivery.body);
  return content === null
    ? { kind: 'not_json' }
    : { kind: 'admitted', library: library.id, headers, json: content.json };
}
