import { createHmac, timingSafeEqual } from 'node:crypto';
import { isRecord } from '../record.ts';

const header = encode({ alg: 'HS256' });

/** Koha's confirmation token: an HS256 JWT with one claim, `APIUSER:ITEM:KEY:KEY...`, and no end. */
export function signConfirmation(secret: string, id: string): string {
  const signed = `${header}.${encode({ id })}`;
  return `${signed}.${signature(secret, signed)}`;
}

/** The claim of a token, or null for one that is malformed or signed elsewhere: Koha's decoder dies on those. */
export function readConfirmation(secret: string, token: string): string | null {
  const [head = '', payload = '', given = ''] = token.split('.');
  const expected = Buffer.from(signature(secret, `${head}.${payload}`));
  const actual = Buffer.from(given);
  if (expected.length !== actual.length || !timingSafeEqual(expected, actual)) return null;
  const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
  return isRecord(claims) && typeof claims['id'] === 'string' ? claims['id'] : null;
}

/** The claim for an API user, an item and the keys that want confirming, data keys included. */
export function confirmationId(
  userId: number,
  itemId: number,
  confirms: Readonly<Record<string, unknown>>,
): string {
  return [String(userId), String(itemId), ...Object.keys(confirms).sort()].join(':');
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function signature(secret: string, signed: string): string {
  return createHmac('sha256', secret).update(signed).digest('base64url');
}
