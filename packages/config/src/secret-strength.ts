import { parseWebhookSecret } from '@passport/contract';
import { isSampleSecret } from './sample-secrets.ts';
import type { Secret } from './secret.ts';

const SHORTEST_SECRET = 8;
const SAMPLE = 'is a sample secret that everybody knows';

/** What is wrong with a client secret, or null. Koha itself makes keys of 36 characters. */
export function faultOfClientSecret(secret: Secret<string>, clientId: Secret<string> | null): string | null {
  const text = secret.reveal();
  if (isSampleSecret(text)) return SAMPLE;
  if (text === clientId?.reveal()) return 'is the same as client_id';
  return text.length < SHORTEST_SECRET ? `is shorter than ${SHORTEST_SECRET} characters` : null;
}

/** What is wrong with a webhook secret, or null. */
export function faultOfWebhookSecret(secret: Secret<string>): string | null {
  if (isSampleSecret(secret.reveal())) return SAMPLE;
  try {
    parseWebhookSecret(secret.reveal());
    return null;
  } catch (error) {
    if (error instanceof RangeError) return `does not fit: ${error.message}`;
    throw error;
  }
}

/** What is wrong with a dashboard password, or null. */
export function faultOfPassword(secret: Secret<string>, user: string | null): string | null {
  const text = secret.reveal();
  if (isSampleSecret(text)) return SAMPLE;
  if (text === user) return 'is the same as the user name';
  return text.length < SHORTEST_SECRET ? `is shorter than ${SHORTEST_SECRET} characters` : null;
}
