import type { Redis } from '@passport/runtime';
import { RECEIPTS_KEY } from './keys.ts';

/** What a home library may know of a disclosure: who received which fields of whom, and when. Never a value. */
export interface DisclosureReceipt {
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly home: string;
  readonly lending: string;
  /** `{home library id}:{patron_id there}` */
  readonly homeKey: string;
  /** Koha's field names. */
  readonly fields: readonly string[];
  readonly eventId: string;
}

/** Appends a receipt and drops those older than the retention. */
export async function appendReceipt(
  redis: Redis,
  receipt: DisclosureReceipt,
  keep: { readonly nowMs: number; readonly receiptsMs: number },
): Promise<void> {
  const { at, home, lending, homeKey, fields, eventId } = receipt;
  const values = { at, home, lending, home_key: homeKey, fields: fields.join(' '), event: eventId };
  await redis.xadd(
    RECEIPTS_KEY,
    'MINID',
    '~',
    Math.max(0, keep.nowMs - keep.receiptsMs),
    '*',
    ...Object.entries(values).flat(),
  );
}

/** Drops receipts past their retention, exactly; for a timer. */
export async function trimReceipts(redis: Redis, nowMs: number, receiptsMs: number): Promise<void> {
  await redis.xtrim(RECEIPTS_KEY, 'MINID', Math.max(0, nowMs - receiptsMs));
}

/** All receipts, oldest first, read in pages so that a long history does not fill memory. */
export async function* readReceipts(redis: Redis): AsyncGenerator<DisclosureReceipt> {
  let from = '-';
  for (;;) {
    const page = await redis.xrange(RECEIPTS_KEY, from, '+', 'COUNT', 500);
    for (const [, values] of page) yield parseReceipt(values);
    const last = page.at(-1)?.[0];
    if (last === undefined || page.length < 500) return;
    from = `(${last}`;
  }
}

function parseReceipt(values: readonly string[]): DisclosureReceipt {
  const value = (name: string): string => values[values.indexOf(name) + 1] ?? '';
  return {
    at: value('at'),
    home: value('home'),
    lending: value('lending'),
    homeKey: value('home_key'),
    fields: value('fields').split(' '),
    eventId: value('event'),
  };
}
