import { type KeyObject, createHmac, createSecretKey, timingSafeEqual } from 'node:crypto';

/** Standard Webhooks 1.0: a delivery is refused when its timestamp is further off than this, either way. */
export const TIMESTAMP_TOLERANCE_SECONDS = 300;
/** Signatures beyond this many in one header are not read. */
export const MOST_SIGNATURES = 8;

export const SIGNATURE_HEADERS = ['webhook-id', 'webhook-timestamp', 'webhook-signature'] as const;
export type SignatureHeader = (typeof SIGNATURE_HEADERS)[number];

const EVENT_ID = /^[A-Za-z0-9_-]{1,128}$/;
const TIMESTAMP = /^[1-9]\d{0,11}$/;
const SIGNATURE = /^v\d+[a-z]?,[A-Za-z0-9+/]+={0,2}$/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** The three headers of a delivery, after their grammar was checked. */
export interface DeliveryHeaders {
  readonly id: string;
  /** Unix seconds of this delivery. */
  readonly timestamp: number;
  readonly signatures: readonly string[];
}

/**
 * Decodes `whsec_` + base64 of 24 to 64 bytes (Standard Webhooks 1.0, "Symmetric"). Throws a RangeError whose
 * message never holds the secret.
 */
export function parseWebhookSecret(text: string): Buffer {
  const encoded = text.startsWith('whsec_') ? text.slice('whsec_'.length) : null;
  if (encoded === null || !BASE64.test(encoded)) {
    throw new RangeError('a webhook secret is "whsec_" followed by base64');
  }
  const bytes = Buffer.from(encoded, 'base64');
  if (bytes.length < 24 || bytes.length > 64) {
    throw new RangeError(`a webhook secret has 24 to 64 bytes, this one has ${bytes.length}`);
  }
  return bytes;
}

/** Writes a webhook secret: the inverse of `parseWebhookSecret`. `bytes` should be 32 random ones. */
export function formatWebhookSecret(bytes: Buffer): string {
  return `whsec_${bytes.toString('base64')}`;
}

const keys = new WeakMap<Buffer, KeyObject>();

/** With a secret of bytes Node 24 takes eight times as long for each signature as with a key object. */
function keyOf(secret: Buffer): KeyObject {
  const known = keys.get(secret);
  if (known !== undefined) return known;
  const key = createSecretKey(secret);
  keys.set(secret, key);
  return key;
}

function signatureOf(secret: Buffer, id: string, timestamp: string | number, body: Buffer): Buffer {
  return createHmac('sha256', keyOf(secret)).update(`${id}.${timestamp}.`).update(body).digest();
}

/**
 * Signs one delivery: returns the three headers that `isSignedWith` accepts. `timestamp` is in Unix seconds;
 * several secrets give several signatures, as a sender does while it changes its secret.
 */
export function signDelivery(delivery: {
  readonly secrets: readonly Buffer[];
  readonly id: string;
  readonly timestamp: number;
  readonly body: Buffer;
}): Record<SignatureHeader, string> {
  const { secrets, id, timestamp, body } = delivery;
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': secrets
      .map((secret) => `v1,${signatureOf(secret, id, timestamp, body).toString('base64')}`)
      .join(' '),
  };
}

export type HeaderReading =
  | { readonly kind: 'read'; readonly headers: DeliveryHeaders }
  | { readonly kind: 'malformed'; readonly header: SignatureHeader; readonly problem: string };

/**
 * Checks the grammar of the three headers. `read` gives every value that a header name (lower case) came with, so
 * that a repeated header is seen, which Node's merged `req.headers` hides.
 */
export function readDeliveryHeaders(read: (name: SignatureHeader) => readonly string[]): HeaderReading {
  const values = new Map<SignatureHeader, string>();
  for (const header of SIGNATURE_HEADERS) {
    const [value, ...more] = read(header);
    if (value === undefined) return { kind: 'malformed', header, problem: 'is missing' };
    if (more.length > 0) return { kind: 'malformed', header, problem: 'is repeated' };
    values.set(header, value);
  }
  const id = values.get('webhook-id') ?? '';
  const timestamp = values.get('webhook-timestamp') ?? '';
  const signatures = (values.get('webhook-signature') ?? '').split(' ').slice(0, MOST_SIGNATURES);
  if (!EVENT_ID.test(id)) {
    return { kind: 'malformed', header: 'webhook-id', problem: 'must be 1 to 128 of A-Z a-z 0-9 _ -' };
  }
  if (!TIMESTAMP.test(timestamp)) {
    return { kind: 'malformed', header: 'webhook-timestamp', problem: 'must be whole Unix seconds' };
  }
  if (!signatures.every((signature) => SIGNATURE.test(signature))) {
    return {
      kind: 'malformed',
      header: 'webhook-signature',
      problem: 'must be a list of v1,BASE64, separated by one space',
    };
  }
  return { kind: 'read', headers: { id, timestamp: Number(timestamp), signatures } };
}

/** Whether `id` may be a `webhook-id`. */
export function isEventId(id: string): boolean {
  return EVENT_ID.test(id);
}

/** How many seconds a delivery's timestamp is ahead of `nowSeconds`, when that is more than the window allows; else 0. */
export function secondsOutsideWindow({ timestamp }: DeliveryHeaders, nowSeconds: number): number {
  const ahead = timestamp - nowSeconds;
  return Math.abs(ahead) <= TIMESTAMP_TOLERANCE_SECONDS ? 0 : ahead;
}

/**
 * Whether one of `secrets` made one of the delivery's `v1` signatures over these very bytes, whatever its age. Every pair is
 * compared, in constant time, so that nothing can be learned from how long it takes and the change of a secret is no special case.
 */
export function isSignedWith(
  secrets: readonly Buffer[],
  { headers, body }: { readonly headers: DeliveryHeaders; readonly body: Buffer },
): boolean {
  const given = headers.signatures
    .filter((signature) => signature.startsWith('v1,'))
    .map((signature) => Buffer.from(signature.slice('v1,'.length), 'base64'));
  let matches = 0;
  for (const secret of secrets) {
    const wanted = signatureOf(secret, headers.id, headers.timestamp, body);
    for (const signature of given) {
      if (signature.length === wanted.length && timingSafeEqual(signature, wanted)) matches += 1;
    }
  }
  return matches > 0;
}
