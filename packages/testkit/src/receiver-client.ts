import { randomUUID } from 'node:crypto';
import {
  parseWebhookSecret,
  signDelivery,
  cancelAnswerSchema,
  eventStateSchema,
  type CancelAnswer,
  type EventState,
} from '@passport/contract';
import { waitFor } from './wait-for.ts';

/** The body of an event as a library's Koha sends it (docs/integrating.md). */
interface ScanEvent {
  readonly type: string;
  readonly timestamp: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** A valid scan of a card at branch MAIN, now; each key of `data` may be replaced, or left out by undefined. */
export function buildScanEvent(
  data: Readonly<Record<string, unknown>> = {},
  envelope: { type?: string; timestamp?: string } = {},
): ScanEvent {
  return {
    type: envelope.type ?? 'patron.not_found',
    timestamp: envelope.timestamp ?? new Date().toISOString().replace('Z', '+00:00'),
    data: {
      cardnumber: '21234000000017',
      branch: 'MAIN',
      item_barcode: '39999000012345',
      interface: 'staff',
      operator: 51,
      ...data,
    },
  };
}

/** A request ready for `fetch` or `inject`, with the id that it carries. */
export interface SignedRequest {
  readonly method: 'POST';
  readonly headers: Record<string, string>;
  readonly body: string;
  readonly id: string;
}

/**
 * Signs `body` (an event, or text as it is) with `secret` (`whsec_...`). `id` is new unless given; `timestamp` is in
 * Unix seconds, by default now.
 */
export function signedRequest(options: {
  secret: string;
  body?: ScanEvent | string;
  id?: string;
  timestamp?: number;
}): SignedRequest {
  const id = options.id ?? `evt_${randomUUID()}`;
  const event = options.body ?? buildScanEvent();
  const body = typeof event === 'string' ? event : JSON.stringify(event);
  const headers = signDelivery({
    secrets: [parseWebhookSecret(options.secret)],
    id,
    timestamp: options.timestamp ?? Math.floor(Date.now() / 1_000),
    body: Buffer.from(body),
  });
  return { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body, id };
}

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
  /** Reports what staff have decided; the status of the receiver's answer. */
  decide(
    eventId: string,
    data: { readonly question: string; readonly option: string; readonly branch?: string },
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
  const send = ({ method, headers, body }: SignedRequest, path = ''): Promise<Response> =>
    fetch(url + path, { method, headers, body });
  async function deliver(request: SignedRequest): Promise<ScanAnswer> {
    const response = await send(request);
    const answer = readObject(await response.text());
    const eventId = typeof answer['event_id'] === 'string' ? answer['event_id'] : request.id;
    return { status: response.status, id: request.id, eventId, body: answer };
  }
  async function state(eventId: string): Promise<EventState | null> {
    const { headers } = signedRequest({ secret: at.secret, id: eventId, body: '' });
    const response = await fetch(`${url}/${eventId}`, { headers });
    if (response.status === 404) return null;
    if (!response.ok) throw new Error(`the receiver answered ${response.status} to the question for a state`);
    return eventStateSchema.parse(await response.json());
  }
  async function cancel(eventId: string): Promise<CancelAnswer | null> {
    const body = buildScanEvent({}, { type: 'scan.cancelled' });
    const response = await send(
      signedRequest({ secret: at.secret, id: eventId, body }),
      `/${eventId}/cancel`,
    );
    if (response.status === 404) return null;
    if (!response.ok) throw new Error(`the receiver answered ${response.status} to a cancel`);
    return cancelAnswerSchema.parse(await response.json());
  }
  async function follows(eventId: string, type: string, data: object, path: string): Promise<number> {
    const body = JSON.stringify({ type, timestamp: new Date().toISOString(), data });
    return (await send(signedRequest({ secret: at.secret, id: eventId, body }), `/${eventId}/${path}`))
      .status;
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
    consent: (eventId, data) => follows(eventId, 'consent.answered', data, 'consent'),
    decide: (eventId, data) =>
      follows(eventId, 'scan.decided', { branch: 'MAIN', operator: 51, ...data }, 'decision'),
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
