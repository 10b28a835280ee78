import { createHmac } from 'node:crypto';

/** A signed event, ready to be sent: Standard Webhooks 1.0. */
export interface SignedEvent {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The bytes of a `whsec_` secret. */
export const webhookKey = (secret: string): Buffer => Buffer.from(secret.replace(/^whsec_/, ''), 'base64');

/** Signs `id.timestamp.body` with a `whsec_` secret, as a webhook library would. */
export function signEvent(secret: string, id: string, atSeconds: number, body: string): SignedEvent {
  const signature = createHmac('sha256', webhookKey(secret))
    .update(`${id}.${atSeconds}.${body}`)
    .digest('base64');
  return {
    headers: {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': String(atSeconds),
      'webhook-signature': `v1,${signature}`,
    },
    body,
  };
}

/** `whsec_` and base64 of 24 to 64 bytes, as the plugin takes it; of anything else it has no key. */
export function isSecret(secret: string): boolean {
  const bytes = webhookKey(secret);
  return secret === `whsec_${bytes.toString('base64')}` && bytes.length >= 24 && bytes.length <= 64;
}
