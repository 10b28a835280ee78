import { createHmac } from 'node:crypto';
import { webhookKey } from './sign-event.ts';

/** By what two scans of one card are known to be of one: a keyed hash under the webhook secret, as the plugin keeps it. */
export function scanKey(secret: string, card: string): string {
  return createHmac('sha256', webhookKey(secret)).update(card.trim()).digest('hex');
}
