import type { Double } from '../double.ts';
import { isRecord } from '../record.ts';
import { isSecret, signEvent } from './sign-event.ts';

/** A scanned card that this Koha does not know. */
export interface Scan {
  readonly cardnumber: string;
  readonly branch: string;
  readonly interface: 'staff' | 'self_check';
  readonly operator: number | null;
  /** Only when the service is to check it out; a page that goes on with the checkout itself never sends it. */
  readonly itemBarcode?: string;
}

/** What became of an event: the receiver took it, refused it, or did not answer in time. */
export type Sent =
  | {
      readonly kind: 'accepted';
      readonly eventId: string;
      readonly answer: Readonly<Record<string, unknown>>;
    }
  | { readonly kind: 'refused'; readonly status: number; readonly retryAfter: string | null }
  | { readonly kind: 'unreachable' };

/** Connecting and answering together: after this a page goes on without us. */
const limitMs = 500;
const testLimitMs = 1_500;

/** Signs and sends one `patron.not_found`, under this id. Never throws. */
export function sendEvent(double: Double, scan: Scan, eventId = double.newId()): Promise<Sent> {
  return deliver(double, eventId, 'patron.not_found', {
    cardnumber: scan.cardnumber.trim(),
    branch: scan.branch,
    interface: scan.interface,
    operator: scan.operator,
    ...(scan.itemBarcode === undefined ? {} : { item_barcode: scan.itemBarcode }),
  });
}

/** Signs and sends one `patron.seen`, as the background job of the plugin does. Never throws. */
export function sendSeen(double: Double, patronId: number): Promise<Sent> {
  return deliver(double, double.newId(), 'patron.seen', { patron_id: patronId });
}

/** What a test event showed; a receiver that was not set up was sent none. Never throws. */
export async function sendTest(double: Double): Promise<Readonly<Record<string, unknown>>> {
  const { webhook } = double.settings;
  if (
    webhook === null ||
    webhook.receiver_url === '' ||
    webhook.library === '' ||
    !isSecret(webhook.secret)
  ) {
    return { kind: 'not_sent' };
  }
  const startedMs = performance.now();
  const timestamp = new Date(double.clock.nowMs()).toISOString().replace('Z', '+00:00');
  const event = { type: 'passport.test', timestamp, data: {} };
  const answered = await exchange(double, 'POST', '', double.newId(), JSON.stringify(event), testLimitMs);
  const ms = Math.floor(performance.now() - startedMs);
  if (answered === null) return { kind: 'unreachable', why: ms >= testLimitMs ? 'timeout' : 'refused', ms };
  const { status, body } = answered;
  if (status === 202) return { kind: 'accepted', ms };
  const { code = null, reason = null } = isRecord(body) ? body : {};
  return { kind: 'refused', status, code, reason, ms };
}

async function deliver(double: Double, id: string, type: string, data: object): Promise<Sent> {
  const timestamp = new Date(double.clock.nowMs()).toISOString().replace('Z', '+00:00');
  const event = { type, timestamp, data };
  const answered = await exchange(double, 'POST', '', id, JSON.stringify(event));
  if (answered === null) return { kind: 'unreachable' };
  const { status, body, retryAfter } = answered;
  if (status !== 202) return { kind: 'refused', status, retryAfter };
  if (!isRecord(body) || !isEventId(body['event_id'])) return { kind: 'unreachable' };
  return { kind: 'accepted', eventId: body['event_id'], answer: body };
}

/** An id that the plugin believes a receiver (its `Sender.pm`). */
export const isEventId = (id: unknown): id is string =>
  typeof id === 'string' && /^[A-Za-z0-9_-]{1,128}$/.test(id);

/** The receiver's own view of an event, or null. Never throws. */
export async function queryReceiver(
  double: Double,
  eventId: string,
): Promise<Readonly<Record<string, unknown>> | null> {
  const answered = await exchange(double, 'GET', `/${encodeURIComponent(eventId)}`, eventId, '');
  return answered?.status === 200 && isRecord(answered.body) ? answered.body : null;
}

/** What the receiver says of a cancel, by its HTTP status; null where it did not answer. Never throws. */
export function cancelAtReceiver(double: Double, eventId: string): Promise<Answered | null> {
  const timestamp = new Date(double.clock.nowMs()).toISOString().replace('Z', '+00:00');
  const body = JSON.stringify({ type: 'scan.cancelled', timestamp, data: {} });
  return exchange(double, 'POST', `/${encodeURIComponent(eventId)}/cancel`, eventId, body);
}

/** The same of a patron's answer. */
export function answerAtReceiver(double: Double, eventId: string, data: object): Promise<Answered | null> {
  const timestamp = new Date(double.clock.nowMs()).toISOString().replace('Z', '+00:00');
  const body = JSON.stringify({ type: 'consent.answered', timestamp, data });
  return exchange(double, 'POST', `/${encodeURIComponent(eventId)}/consent`, eventId, body);
}

export interface Answered {
  readonly status: number;
  readonly body: unknown;
  readonly retryAfter: string | null;
}

async function exchange(
  double: Double,
  method: 'GET' | 'POST',
  path: string,
  id: string,
  body: string,
  deadlineMs = limitMs,
): Promise<Answered | null> {
  const { webhook } = double.settings;
  if (webhook === null) return null;
  const { headers } = signEvent(webhook.secret, id, Math.floor(double.clock.nowMs() / 1000), body);
  const base = `${webhook.receiver_url.replace(/\/+$/, '')}/webhooks/${encodeURIComponent(webhook.library)}`;
  try {
    const response = await fetch(base + path, {
      method,
      headers,
      redirect: 'manual',
      signal: AbortSignal.timeout(deadlineMs),
      ...(method === 'POST' ? { body } : {}),
    });
    const text = await response.text();
    return { status: response.status, body: asJson(text), retryAfter: response.headers.get('retry-after') };
  } catch {
    return null;
  }
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}
