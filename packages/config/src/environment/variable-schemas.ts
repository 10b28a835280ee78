import { isIP } from 'node:net';
import { RedisUrlError, parseRedisUrl } from '@passport/contract';
import * as z from 'zod';
import { formatDuration, parseDuration } from '../schema/duration.ts';
import { isWeakKey } from '../secrets/secret-strength.ts';

export const refuse = (message: string) => ({ error: message });

export function integer(from: number, to: number) {
  const schema = z
    .string()
    .regex(/^\d{1,9}$/, refuse('is not a whole number'))
    .transform(Number)
    .refine((value) => value >= from && value <= to, refuse('is out of bounds'));
  return { schema, allowed: `a whole number from ${from} to ${to}` };
}

export const port = { ...integer(0, 65_535), allowed: 'a port from 1 to 65535, or 0 for any free one' };

export const host = {
  schema: z.string().regex(/^[A-Za-z0-9.:_-]{1,253}$/, refuse('is no host name or address')),
  allowed: 'a host name or an address, 0.0.0.0 for all of IPv4',
};

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const MOST_KEYS = 16;

export const keyList = z.string().transform((text, context): readonly Buffer[] => {
  const parts = text.split(',').map((part) => part.trim());
  const keys = parts.map((part) => Buffer.from(part, 'base64'));
  const fault = (message: string) => context.addIssue({ code: 'custom', message });
  if (parts.length > MOST_KEYS) fault(`has more than ${MOST_KEYS} keys`);
  for (const [place, part] of parts.entries()) {
    const bytes = keys[place]?.length ?? 0;
    if (!BASE64.test(part)) fault(`key ${place + 1} is not base64`);
    else if (bytes !== 32) fault(`key ${place + 1} has ${bytes} bytes`);
    else if (isWeakKey(keys[place] ?? Buffer.alloc(0))) fault(`key ${place + 1} was not made at random`);
    else if (parts.indexOf(part) < place) fault(`key ${place + 1} is the same as one before it`);
  }
  return keys;
});

const isProxy = (text: string) => {
  const [address = '', mask, ...more] = text.trim().split('/');
  if (['loopback', 'linklocal', 'uniquelocal'].includes(text.trim())) return true;
  const version = isIP(address);
  const longest = version === 4 ? 32 : 128;
  return (
    version !== 0 &&
    more.length === 0 &&
    (mask === undefined || (/^\d{1,3}$/.test(mask) && Number(mask) <= longest))
  );
};

export const trustProxy = z.string().transform((text, context): boolean | number | string => {
  if (text === 'true' || text === 'false') return text === 'true';
  if (/^\d{1,2}$/.test(text)) return Number(text);
  if (!text.split(',').every(isProxy)) {
    context.addIssue({ code: 'custom', message: 'names no proxy that can be trusted' });
  }
  return text;
});

export const proxies = z.string().refine((text) => text.split(',').every(isProxy), refuse('names no proxy'));

export const headerName = z.string().regex(/^[A-Za-z][A-Za-z0-9-]{0,63}$/, refuse('is no name of a header'));

export const grace = z.string().transform((text, context) => {
  const ms = parseDuration(text);
  if (ms === null || ms < 1000 || ms > 600_000) {
    const message = ms === null ? 'is not a duration' : `is ${formatDuration(ms)}, out of bounds`;
    context.addIssue({ code: 'custom', message });
  }
  return ms ?? 0;
});

export const httpUrl = z
  .string()
  .refine(
    (text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol),
    refuse('is no http or https URL'),
  );

/** Whatever the connection is made from later is understood here, or refused in the same words. */
export const redisUrl = z.string().superRefine((text, context) => {
  try {
    parseRedisUrl(text);
  } catch (error) {
    if (!(error instanceof RedisUrlError)) throw error;
    context.addIssue({ code: 'custom', message: error.message });
  }
});

export const basePath = z
  .string()
  .regex(/^\/(?:[A-Za-z0-9_~.-]+\/?)*$/, refuse('is no path'))
  .transform((path) => path.replace(/\/$/, ''));

export const user = {
  schema: z.string().regex(/^[^\s:\p{Cc}]{1,64}$/u, refuse('is no user name')),
  allowed: '1 to 64 characters without blanks and colons',
};
export const password = {
  schema: z.string().max(200, refuse('is too long')),
  allowed: '12 to 200 characters that nobody can guess',
};
