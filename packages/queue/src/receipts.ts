import { REMEMBERED_HOURS } from '@passport/contract';
import type { Redis } from '@passport/runtime';
import { RECEIPTS_KEY, jobIdOf } from './keys.ts';
import { defineScript } from './script.ts';

/** What a home library may know of a disclosure: who received which fields of whom, and when. Never a value. */
export interface DisclosureReceipt {
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly home: string;
  readonly lending: string;
  /** `{home library id}:{patron_id there}` */
  readonly homeKey: string;
  /** Koha's field names: what has left for the lending library. */
  readonly fields: readonly string[];
  readonly eventId: string;
  /** A copy that was deleted, or one that was not made since the lending library only observes; without it, one that was made. */
  readonly what?: 'deleted' | 'observed';
  /** That the patron agreed, where the lending library requests it: to which text, who requested it (its Koha's number), and when. */
  readonly consent?: { readonly text_id: string; readonly operator: number | null; readonly at: string };
  /** Of one that was not made: the fields that were read at home, and would have been copied. */
  readonly read?: readonly string[];
}

/** A receipt as it is stored. */
export interface StoredReceipt {
  readonly id: string;
  readonly receipt: DisclosureReceipt;
}

/**
 * A receipt is written once for each event and patron, also when the step that writes it runs again; and once more where a later
 * run sent fields that no receipt of them names.
 */
const MARK_LIFE_SECONDS = REMEMBERED_HOURS * 3600;

/**
 * The mark has the names of all fields that are on record, each between two blanks; the '1' of the version before
 * says nothing of them.
 * KEYS 1 mark of event and patron, 2 receipts; ARGV 1 life of the mark, 2 oldest to keep, 3 receipt as JSON, 4 ... its fields.
 */
const APPEND_LUA = `
local known = redis.call('GET', KEYS[1])
local fields, is_new = known ~= '1' and known or ' ', not known
for n = 4, #ARGV do
  local field = ARGV[n] .. ' '
  if not string.find(fields, ' ' .. field, 1, true) then
    fields, is_new = fields .. field, true
  end
end
if not is_new then return 0 end
redis.call('SET', KEYS[1], fields, 'EX', ARGV[1])
redis.call('XADD', KEYS[2], 'MINID', '~', ARGV[2], '*', 'receipt', ARGV[3])
return 1
`;

/** The append-only record of disclosures. */
export interface Receipts {
  /**
   * Appends the receipt of one event and patron, unless others of the two name all of its fields, and drops those older than
   * `keepMs` before `nowMs`.
   */
  append(receipt: DisclosureReceipt, nowMs: number, keepMs: number): Promise<void>;
}

/** Opens the stream of disclosure receipts, on a connection that the caller owns. */
export function openReceipts(redis: Redis): Receipts {
  const append = defineScript(redis, 'passportReceipt', APPEND_LUA);
  return {
    async append(receipt, nowMs, keepMs) {
      const { lending, eventId, homeKey, fields, what } = receipt;
      // A library that stops to observe may copy the patron in the same event.
      const observed = what === 'observed' ? ':observed' : '';
      const mark = `${RECEIPTS_KEY}:${jobIdOf(lending, eventId)}:${homeKey}${observed}`;
      await append(
        [mark, RECEIPTS_KEY],
        [MARK_LIFE_SECONDS, Math.max(0, nowMs - keepMs), JSON.stringify(receipt), ...fields],
      );
    },
  };
}

/** Drops receipts past their retention, exactly; for a timer. */
export async function trimReceipts(redis: Redis, nowMs: number, receiptsMs: number): Promise<void> {
  await redis.xtrim(RECEIPTS_KEY, 'MINID', Math.max(0, nowMs - receiptsMs));
}

/** All receipts, oldest first, read in pages so that a long history does not fill memory. */
export async function* readReceipts(redis: Redis): AsyncGenerator<DisclosureReceipt> {
  for await (const { receipt } of readStoredReceipts(redis)) yield receipt;
}

/** All receipts with their ids, oldest first. */
export async function* readStoredReceipts(redis: Redis): AsyncGenerator<StoredReceipt> {
  let from = '-';
  for (;;) {
    const page = await redis.xrange(RECEIPTS_KEY, from, '+', 'COUNT', 500);
    for (const [id, values] of page) yield { id, receipt: parseReceipt(values) };
    const last = page.at(-1)?.[0];
    if (last === undefined || page.length < 500) return;
    from = `(${last}`;
  }
}

/**
 * Removes these receipts, since what they record is erased, and returns how many there were. The mark of event and patron stays
 * until it expires, so that an event which is repeated does not write them anew.
 */
export async function removeReceipts(redis: Redis, ids: readonly string[]): Promise<number> {
  return ids.length === 0 ? 0 : redis.xdel(RECEIPTS_KEY, ...ids);
}

function parseReceipt([, text = '{}']: readonly string[]): DisclosureReceipt {
  return JSON.parse(text) as DisclosureReceipt;
}
