import { REMEMBERED_HOURS } from '@passport/contract';
import type { Redis } from '@passport/runtime';
import { COPY_RECORD_LUA, overrideText } from './copy-records.ts';
import { execAll, defineScript } from '../redis/index.ts';
import {
  RECEIPTS_KEY,
  copyOfHomeKey,
  copyRecordsKey,
  copySeenKey,
  deletionsKey,
  findingsKey,
  jobIdOf,
} from '../keys.ts';

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
  /** The scan, the sweep or the command that it belongs to. */
  readonly eventId: string;
  /** The lending Koha's number of the copy; left out where its answer was lost, and of a copy that was not made. */
  readonly patronId?: number;
  /**
   * A copy that got new values of its home record (`refreshed`), or its new number there (`rekeyed`), one that was there already and is
   * followed from now on (`adopted`; `fields` are those that equal home's), one that was deleted, one that the lending library made its own patron
   * (`released`), or one that was not made since the library only observes; without it, one that was made.
   */
  readonly what?: 'refreshed' | 'rekeyed' | 'adopted' | 'deleted' | 'released' | 'observed';
  /** Of a copy whose patron has another number at home now: the home key until then. */
  readonly formerKey?: string;
  /** That the patron agreed, where the lending library requests it: to which text, who requested it (its Koha's number), and when. */
  readonly consent?: { readonly text_id: string; readonly operator: number | null; readonly at: string };
  /**
   * That staff of the lending library have overridden why the patron was refused: the reasons against them, why (a code), who (its
   * Koha's number), when, and until when it holds.
   */
  readonly override?: {
    readonly reasons: readonly string[];
    readonly because: string;
    readonly operator: number;
    readonly at: string;
    readonly until: string;
  };
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
 * The mark has the names of all fields that are on record, each between two blanks, and the number of the copy (`#402`); the '1' of the
 * version before says nothing of them. The receipt, the record of the copy (copy-records.ts) and the end of its deletion (deletions.ts)
 * are written together.
 * KEYS 1 mark of event and patron, 2 receipts, 3 records of the library's copies, 4 when they were seen, 5 their numbers by home key,
 *      6 deletions that were begun, 7 what is open of copies: nothing of one that has ended, or is adopted now
 * ARGV 1 life of the mark, 2 oldest to keep, 3 receipt as JSON, 4 what it is for the copy's record, 5 number of the copy or '',
 *      6 home key, 7 now, 8 what was overridden or '', 9 ... its fields
 */
const APPEND_LUA = `${COPY_RECORD_LUA}
local known = redis.call('GET', KEYS[1])
local names, is_new, fields = known ~= '1' and known or ' ', not known, {}
for n = 9, #ARGV do
  local field = ARGV[n] .. ' '
  fields[#fields + 1] = ARGV[n]
  if not string.find(names, ' ' .. field, 1, true) then
    names, is_new = names .. field, true
  end
end
if ARGV[4] == 'ended' and ARGV[5] ~= '' then redis.call('HDEL', KEYS[6], ARGV[5]) end
local number = '#' .. ARGV[5] .. ' '
local is_numbered = ARGV[5] ~= '' and not string.find(names, ' ' .. number, 1, true)
if is_numbered then names = names .. number end
if not is_new and not is_numbered then return false end
if (ARGV[4] == 'ended' or ARGV[4] == 'adopted') and ARGV[5] ~= '' then redis.call('HDEL', KEYS[7], ARGV[5]) end
redis.call('SET', KEYS[1], names, 'EX', ARGV[1])
if ARGV[5] ~= '' then noteCopy(KEYS[3], KEYS[4], KEYS[5], ARGV[5], ARGV[4], ARGV[6], fields, ARGV[7], ARGV[8]) end
if not is_new then return false end
return redis.call('XADD', KEYS[2], 'MINID', '~', ARGV[2], '*', 'receipt', ARGV[3])
`;

/** What a receipt is for the record of its copy; `observed` makes none. */
const RECORDED = {
  refreshed: 'passed',
  rekeyed: 'passed',
  adopted: 'adopted',
  deleted: 'ended',
  released: 'ended',
  observed: null,
} as const;

/** The append-only record of disclosures. */
export interface Receipts {
  /**
   * Appends the receipt of one event and patron, unless others of the two name all of its fields, and drops those older than
   * `keepMs` before `nowMs`. The record of the copy is changed with it, and one that was deleted or
   * released has no deletion open any more. Returns the id of the receipt; null where there was one.
   */
  append(receipt: DisclosureReceipt, nowMs: number, keepMs: number): Promise<string | null>;
  /** Takes a receipt back that was appended for what then certainly did not leave. */
  withdraw(receipt: DisclosureReceipt, id: string): Promise<void>;
}

/** Opens the stream of disclosure receipts, on a connection that the caller owns. */
export function openReceipts(redis: Redis): Receipts {
  const append = defineScript(redis, 'passportReceipt', APPEND_LUA);
  return {
    async append(receipt, nowMs, keepMs) {
      const { lending, homeKey, fields, what, consent, patronId, override } = receipt;
      const recorded = what === undefined ? (consent === undefined ? 'made' : 'agreed') : RECORDED[what];
      const number = recorded === null ? '' : String(patronId ?? '');
      const id = await append(
        [
          markOf(receipt),
          RECEIPTS_KEY,
          copyRecordsKey(lending),
          copySeenKey(lending),
          copyOfHomeKey(lending),
          deletionsKey(lending),
          findingsKey(lending),
        ],
        [
          MARK_LIFE_SECONDS,
          Math.max(0, nowMs - keepMs),
          JSON.stringify(receipt),
          recorded ?? '',
          number,
          homeKey,
          nowMs,
          override === undefined
            ? ''
            : overrideText({ reasons: override.reasons, untilMs: Date.parse(override.until) }),
          ...fields,
        ],
      );
      return typeof id === 'string' ? id : null;
    },
    async withdraw(receipt, id) {
      await execAll(redis.multi().xdel(RECEIPTS_KEY, id).del(markOf(receipt)));
    },
  };
}

function markOf({ lending, eventId, homeKey, what }: DisclosureReceipt): string {
  // A library that stops to observe may copy the patron in the same event; and it chooses the ids of its scans, be it that of a sweep.
  const kind = what === undefined ? '' : `:${what}`;
  return `${RECEIPTS_KEY}:${jobIdOf(lending, eventId)}:${homeKey}${kind}`;
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
