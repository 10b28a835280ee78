import {
  cancelAnswerSchema,
  eventStateSchema,
  parseWebhookSecret,
  signDelivery,
  type CancelAnswer,
  type EventState,
} from '@passport/contract';
import { buildScanEvent, signedRequest, type SignedRequest } from './scan-event.ts';
import { waitFor } from './wait-for.ts';

/** What the receiver answered to one delivery. */
export interface ScanAnswer {
  readonly status: number;
  /** The `webhook-id` that was sent. */
  readonly id: string;
  /** The id to follow: another one than `id` when the scan was coalesced; `id` itself where the answer has none. */
  readonly eventId: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** A library's Koha as the receiver sees it: it reports scans and reads their states. */
export interface ReceiverClient {
  /** Signs and sends a scan; `data` replaces keys of a valid one (`buildScanEvent`). */
  scan(
    data?: Readonly<Record<string, unknown>>,
    how?: { id?: string; scannedAt?: string },
  ): Promise<ScanAnswer>;
  /** Sends a request that is signed already, once more if you like. */
  deliver(request: SignedRequest): Promise<ScanAnswer>;
  /** The state of an event, or null where the receiver answers 404. Throws at any other answer. */
  state(eventId: string): Promise<EventState | null>;
  /** Cancels an event; null where the receiver answers 404. Throws at any answer but 200 and 202. */
  cancel(eventId: string): Promise<CancelAnswer | null>;
  /** Reports the patron's answer; the status of the receiver's answer. */
  consent(
    eventId: string,
    data: { readonly answer: string; readonly text_id: string; readonly operator?: number },
  ): Promise<number>;
  /** Looks every `everyMs` (50) and at most for `timeoutMs` (60 s) until the event is done or failed, or `until` holds, and returns its state. */
  follow(
    eventId: string,
    how?: { timeoutMs?: number; everyMs?: number; until?: (state: EventState) => boolean },
  ): Promise<EventState>;
}

const isOver = ({ state }: EventState): boolean => state === 'done' || state === 'failed';

export function createReceiverClient(at: {
  receiverUrl: string;
  library: string;
  secret: string;
}): ReceiverClient {
  const url = `${at.receiverUrl}/webhooks/${at.library}`;
  async function deliver(request: SignedRequest): Promise<ScanAnswer> {
    const { method, headers, body, id } = request;
    const response = await fetch(url, { method, headers, body });
    const answer = readObject(await response.text());
    const eventId = typeof answer['event_id'] === 'string' ? answer['event_id'] : id;
    return { status: response.status, id, eventId, body: answer };
  }
  async function state(eventId: string): Promise<EventState | null> {
    const headers = signDelivery({
      secrets: [parseWebhookSecret(at.secret)],
      id: eventId,
      timestamp: Math.floor(Date.now() / 1_000),
      body: Buffer.alloc(0),
    });
    const response = await fetch(`${url}/${eventId}`, { headers });
    if (response.status === 404) return null;
    if (!response.ok) throw new Error(`the receiver answered ${response.status} to the question for a state`);
    return eventStateSchema.parse(await response.json());
  }
  async function cancel(eventId: string): Promise<CancelAnswer | null> {
    const event = buildScanEvent({}, { type: 'scan.cancelled' });
    const { method, headers, body } = signedRequest({ secret: at.secret, id: eventId, body: event });
    const response = await fetch(`${url}/${eventId}/cancel`, { method, headers, body });
    if (response.status === 404) return null;
    if (!response.ok) throw new Error(`the receiver answered ${response.status} to a cancel`);
    return cancelAnswerSchema.parse(await response.json());
  }
  async function consent(eventId: string, data: object): Promise<number> {
    const timestamp = new Date().toISOString();
    const event = JSON.stringify({ type: 'consent.answered', timestamp, data });
    const { method, headers, body } = signedRequest({ secret: at.secret, id: eventId, body: event });
    return (await fetch(`${url}/${eventId}/consent`, { method, headers, body })).status;
  }
  return {
    scan: (data = {}, { id, scannedAt } = {}) =>
      deliver(
        signedRequest({
          secret: at.secret,
          body: buildScanEvent(data, scannedAt === undefined ? {} : { timestamp: scannedAt }),
          ...(id === undefined ? {} : { id }),
        }),
      ),
    deliver,
    state,
    cancel,
    consent,
    follow: (eventId, { timeoutMs = 60_000, everyMs = 50, until = isOver } = {}) =>
      waitFor(
        `event ${eventId} of ${at.library} to get where the test wants it`,
        async () => {
          const now = await state(eventId);
          if (now !== null && until(now)) return now;
          return Promise.reject(new Error(`it is ${now === null ? 'unknown' : JSON.stringify(now)}`));
        },
        { timeoutMs, everyMs },
      ),
  };
}

function readObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
