import { createHmac } from 'node:crypto';
import type { Double } from '../double.ts';
import { sendTest } from './receiver.ts';
import { isSecret, webhookKey } from './sign-event.ts';

/** The plugin's settings, a proof of its secret and what became of a test event; what doctor compares. */
export async function checkSettings(double: Double, nonce: string): Promise<object> {
  const { webhook } = double.settings;
  const proof = (secret: string): string | null =>
    isSecret(secret)
      ? createHmac('sha256', webhookKey(secret)).update(`passport-proof:${nonce}`).digest('base64')
      : null;
  const isOn = (which: 'staff' | 'self_check' | 'sip' | 'copies'): boolean =>
    webhook?.off?.includes(which) !== true;
  return {
    library: textOf(webhook?.library),
    receiver_url: textOf(webhook?.receiver_url),
    secret_from: textOf(webhook?.secret) === null ? 'nowhere' : 'page',
    proof: webhook === null ? null : proof(webhook.secret),
    serves: {
      staff: isOn('staff'),
      self_check: isOn('self_check'),
      sip: isOn('sip'),
      copies: isOn('copies'),
    },
    delivery: await sendTest(double),
  };
}

const textOf = (text: string | undefined): string | null => (text === undefined || text === '' ? null : text);
