import { looksLikeError, plainError } from './plain-error.ts';
import { plainText } from './plain-text.ts';

/** Printed instead of a value that has no place in a log. */
const WITHHELD = '[not logged]';
const MAX_DEPTH = 6;

/**
 * Where libraries keep requests, credentials and command arguments. The list is the second line of defence: the
 * first is that errors are reduced to {@link plainError} and that nobody logs whole objects.
 */
const WITHHELD_KEYS = new Set(
  `cause errors options opts args argv command headers rawheaders cookie body rawbody payload data query
  params url uri href originalurl redisurl request response req res socket password passphrase secret
  token authorization auth credentials clientsecret webhooksecret apikey env cardnumber card barcode
  itembarcode surname firstname email phone mobile address dateofbirth patron`.split(/\s+/),
);

/** A copy of the fields of a log line that is safe to print: errors reduced, URLs cut, risky keys withheld. */
export function plainFields(fields: Record<string, unknown>): Record<string, unknown> {
  return plainObject(fields, 0);
}

/** The same for one value of any kind. */
export function plainValue(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return plainText(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return typeof value === 'function' ? undefined : value;
  if (looksLikeError(value)) return plainError(value);
  if (depth >= MAX_DEPTH) return WITHHELD;
  if (Array.isArray(value)) return value.map((entry: unknown) => plainValue(entry, depth + 1));
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  return isPlainObject(value) ? plainObject(value, depth + 1) : WITHHELD;
}

function plainObject(fields: Record<string, unknown>, depth: number): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [
      key,
      isWithheld(key, value) ? WITHHELD : plainValue(value, depth),
    ]),
  );
}

function isWithheld(key: string, value: unknown): boolean {
  if (value === null || value === undefined || typeof value === 'boolean') return false;
  return isWithheldKey(key);
}

/** Lines have few keys, and always the same: what was found of them is kept, of so many at most. */
const MOST_KNOWN_KEYS = 1_000;
const knownKeys = new Map<string, boolean>();

function isWithheldKey(key: string): boolean {
  const known = knownKeys.get(key);
  if (known !== undefined) return known;
  const withheld = WITHHELD_KEYS.has(key.toLowerCase().replaceAll(/[^a-z]/g, ''));
  if (knownKeys.size < MOST_KNOWN_KEYS) knownKeys.set(key, withheld);
  return withheld;
}

/** Objects of another realm have another Object.prototype, so its absence of a parent is what counts. */
function isPlainObject(value: object): value is Record<string, unknown> {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
