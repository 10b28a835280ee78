import { randomUUID } from 'node:crypto';
import { parseWebhookSecret, signDelivery } from '@passport/contract';

/** The body of an event as a library's Koha sends it (docs/integrating.md). */
export interface ScanEvent {
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
