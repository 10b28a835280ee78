import type { DeliveryHeaders } from '@passport/contract';
import type { ReplicaCheck } from '@passport/queue/redis';
import type { ScanJobs } from '@passport/queue/scans';
import { type Authentication, type Delivery, OF_ANOTHER_EVENT } from '../deliveries/authentication.ts';
import type { RedisInTime } from '../deliveries/call-redis.ts';
import type { EventSink } from '../deliveries/event-sink.ts';
import { readJson } from '../deliveries/read-json.ts';
import type { Refusal } from '../deliveries/refusal.ts';

/** What follows a delivery (a cancel, a consent, a look at a state or at the service) works with. */
export interface FollowUpDeps extends RedisInTime {
  readonly authenticate: (delivery: Delivery) => Authentication;
  readonly sink: Pick<EventSink, 'check'>;
  readonly queue: ScanJobs;
  /** Null: the answer waits for no replica. */
  readonly replicated: ReplicaCheck | null;
  readonly hasWorker: () => Promise<boolean>;
  readonly nameOf: (libraryId: string) => string;
}

/** A body whose sender is known and within its rate. */
interface FollowUp {
  /** The library's id. */
  readonly library: string;
  readonly headers: DeliveryHeaders;
  readonly json: unknown;
}

/** How long whoever is answered `unavailable` is to wait. */
export const RETRY_MS = 1_000;
export const UNAVAILABLE = { kind: 'unavailable', retryAfterMs: RETRY_MS } as const satisfies Refusal;

/**
 * Takes a signed body by the checks of a delivery in their order. That of a cancel or an answer is signed over the event's own
 * `webhook-id`, so that one that was made for another event is refused; one that is about no event (`eventId` null) has an id of its
 * own. `take`, who reads the body, has to see that it was made for this.
 */
export async function takeFollowUp<T>(
  { authenticate, sink }: FollowUpDeps,
  delivery: Delivery,
  eventId: string | null,
  take: (sent: FollowUp) => Promise<T | 'unavailable'>,
): Promise<T | Refusal> {
  const sender = authenticateFor(authenticate, delivery, eventId);
  if (sender.kind !== 'genuine') return sender;
  const { library, headers } = sender;
  const admitted = await sink.check({
    library: library.id,
    eventId: headers.id,
    limits: library.limits,
    bodyHashes: [],
    scanHash: '',
    mode: 'rate',
  });
  if (admitted.kind === 'rate_limited') return admitted;
  if (admitted.kind !== 'pass') return UNAVAILABLE;
  const content = readJson(delivery.body);
  if (content === null) return { kind: 'not_json' };
  const taken = await take({ library: library.id, headers, json: content.json });
  return taken === 'unavailable' ? UNAVAILABLE : taken;
}

/** Who sends this, if it is signed for this event. */
export function authenticateFor(
  authenticate: FollowUpDeps['authenticate'],
  delivery: Delivery,
  eventId: string | null,
): Authentication {
  const sender = authenticate(delivery);
  const isOfAnother = sender.kind === 'genuine' && eventId !== null && sender.headers.id !== eventId;
  return isOfAnother ? { kind: 'unauthorized', why: OF_ANOTHER_EVENT } : sender;
}
