import type { PatronBody } from '@passport/koha-client';

/** The purpose of the keyed hashes of what was written; another purpose gives other hashes. */
export const WRITTEN_FIELD = 'copy-field';

/** Fields of a copy that come from home beside the contact fields. */
const OF_EVERY_COPY = ['cardnumber', 'expiry_date'] as const;

/**
 * The text whose keyed hash is remembered for one field of one copy. Koha never uses a patron's number twice, and equal values of two
 * patrons have different texts, so that no two hashes show who shares an address. Nothing is the same as ''.
 */
export function writtenText(
  { lending, patronId }: { readonly lending: string; readonly patronId: number },
  field: string,
  value: string | null,
): string {
  return [lending, patronId, field, (value ?? '').trim()].join('\n');
}

/** What of a create came from home and may be refreshed: the fields named, the card, and the expiry where home decides it. */
export function writtenValues(body: PatronBody, fields: readonly string[]): Readonly<Record<string, string>> {
  const names = [...fields, ...OF_EVERY_COPY];
  const entries = names.map((name) => [name, body[name]] as const);
  return Object.fromEntries(
    entries.flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])),
  );
}
