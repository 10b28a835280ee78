import { createHmac } from 'node:crypto';
import type { Double } from '../double.ts';
import { hasPermission } from '../auth/permissions.ts';
import { isRecord } from '../record.ts';

/** A digit somewhere and no blanks: a name typed into the same box is not taken for a card. As the plugin's default. */
export const defaultPattern = '^(?=.*[0-9])[0-9A-Za-z._-]{4,32}$';

/** Whether what was scanned or typed is shaped like a card; names must not leave this Koha. A pattern that is none fits nothing. */
export function isCardShaped(text: string, patterns: readonly string[]): boolean {
  const card = text.trim();
  if (card === '' || card.length > 32 || /\p{Cc}/u.test(card)) return false;
  return patterns.some((pattern) => {
    try {
      return new RegExp(pattern).test(card);
    } catch {
      return false;
    }
  });
}

/** Whether an item here has this code for its barcode (the plugin's `Code.pm`); this stand-in cleans none. */
export const isItem = ({ db }: Double, code: string): boolean =>
  db.items.withBarcode(code.trim()) !== undefined;

/** Whether somebody has said what cards look like here; the default fits much else. */
export const hasPatterns = (patterns: readonly string[]): boolean =>
  patterns.some((pattern) => pattern !== defaultPattern);

/** The bytes of a `whsec_` secret. */
const webhookKey = (secret: string): Buffer => Buffer.from(secret.replace(/^whsec_/, ''), 'base64');

/** `whsec_` and base64 of 24 to 64 bytes, as the plugin takes it; of anything else it has no key. */
function isSecret(secret: string): boolean {
  const bytes = webhookKey(secret);
  return secret === `whsec_${bytes.toString('base64')}` && bytes.length >= 24 && bytes.length <= 64;
}

/** What proves to whoever knows the secret that we do; null where it is none. */
export const proofOf = (secret: string, nonce: string): string | null =>
  isSecret(secret)
    ? createHmac('sha256', webhookKey(secret)).update(`passport-proof:${nonce}`).digest('base64')
    : null;

/** By what two scans of one card at one desk are known to be of one: a keyed hash under the webhook secret, as the plugin keeps it. */
export const scanKey = (secret: string, card: string, desk?: string): string =>
  createHmac('sha256', webhookKey(secret))
    .update([card.trim(), ...(desk === undefined ? [] : [desk])].join('\n'))
    .digest('hex');

/** The desk that a session is at, as the plugin names it (its `Caller.pm`). */
export const deskOf = (secret: string, session: string): string =>
  createHmac('sha256', webhookKey(secret)).update(`desk ${session}`).digest('hex').slice(0, 32);

/** Signs `id.timestamp.body` with a `whsec_` secret, as a webhook library would (Standard Webhooks 1.0), and returns the headers. */
export function signEvent(
  secret: string,
  id: string,
  atSeconds: number,
  body: string,
): Readonly<Record<string, string>> {
  const signature = createHmac('sha256', webhookKey(secret))
    .update(`${id}.${atSeconds}.${body}`)
    .digest('base64');
  return {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': String(atSeconds),
    'webhook-signature': `v1,${signature}`,
  };
}

interface Staff {
  readonly permissions: ReadonlySet<string>;
}

/** Koha's permission to force a checkout although something limits it (the plugin's `User.pm`). */
export const mayOverride = ({ permissions }: Staff): boolean =>
  hasPermission(permissions, 'circulate', 'force_checkout');

/** What staff can be asked about a scan of theirs. */
export const decidesOf = (staff: Staff): readonly string[] => [
  'HOME_CHOICE',
  ...(mayOverride(staff) ? ['OVERRIDE'] : []),
];

/** A scanned card that this Koha does not know. */
export interface Scan {
  readonly cardnumber: string;
  readonly branch: string;
  readonly interface: 'staff' | 'self_check' | 'sip';
  readonly operator: number | null;
  /** What whoever stands there can be asked. */
  readonly decides?: readonly string[];
  /** Where it was scanned. */
  readonly desk?: string;
  /** Only when the service is to check it out; a page that goes on with the checkout itself never sends it. */
  readonly item_barcode?: string;
}

/** The outcome of an event: the receiver took it, refused it, or did not answer in time. */
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

/** Signs and sends one `patron.not_found`, under this id. Never throws. */
export async function sendScan(double: Double, scan: Scan, eventId = double.newId()): Promise<Sent> {
  const data = { ...scan, cardnumber: scan.cardnumber.trim() };
  const answered = await postEvent(double, eventId, 'patron.not_found', data);
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
export async function queryReceiver(double: Double, eventId: string): Promise<unknown> {
  const answered = await exchange(double, 'GET', `/${encodeURIComponent(eventId)}`, eventId, '');
  return answered?.status === 200 ? answered.body : null;
}

interface Answered {
  readonly status: number;
  readonly body: unknown;
  readonly retryAfter: string | null;
}

/** Signs and posts an event, or what is said of one (`/cancel` of it); null where the receiver did not answer. Never throws. */
export function postEvent(
  double: Double,
  id: string,
  type: string,
  data: object,
  about: '' | '/cancel' | '/consent' | '/decision' = '',
): Promise<Answered | null> {
  const timestamp = new Date(double.clock.nowMs()).toISOString().replace('Z', '+00:00');
  const path = about === '' ? '' : `/${encodeURIComponent(id)}${about}`;
  return exchange(double, 'POST', path, id, JSON.stringify({ type, timestamp, data }));
}

async function exchange(
  { settings: { webhook }, clock }: Double,
  method: 'GET' | 'POST',
  path: string,
  id: string,
  body: string,
): Promise<Answered | null> {
  if (webhook === null) return null;
  const base = `${webhook.receiver_url.replace(/\/+$/, '')}/webhooks/${encodeURIComponent(webhook.library)}`;
  try {
    const response = await fetch(base + path, {
      method,
      headers: signEvent(webhook.secret, id, Math.floor(clock.nowMs() / 1000), body),
      redirect: 'manual',
      signal: AbortSignal.timeout(limitMs),
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
