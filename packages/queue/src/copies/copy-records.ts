import type { Redis } from '@passport/runtime';
import { dropDeletion, readDeletions } from './deletions.ts';
import { copyOfHomeKey, copyRecordsKey, copySeenKey, findingsKey } from '../keys.ts';
import { defineScript, inBatches } from '../redis/index.ts';

/**
 * What the service itself knows of a copy that it made, whatever the lending Koha shows: whose it is, and what it has passed on.
 * Written with the receipts (receipts.ts), so that nothing is here of which no receipt is, or was.
 */
export interface CopyRecord {
  /** `{home library id}:{patron_id there}` */
  readonly homeKey: string;
  /** What the same patron's home key was before, the latest last: home had merged two records, or was renamed. */
  readonly formerKeys: readonly string[];
  /** Names of all fields that were passed on so far. */
  readonly fields: readonly string[];
  /** Names of the fields that the patron agreed to; null where consent was not requested. */
  readonly agreed: readonly string[] | null;
  /** When the copy was made, and when values were passed on last, in ms since 1970; null where that is not known. */
  readonly madeMs: number | null;
  readonly passedMs: number | null;
  /** The reasons against the patron that staff have overridden, and until when that holds; null: none. */
  readonly overridden: { readonly reasons: readonly string[]; readonly untilMs: number } | null;
}

/** What {@link COPY_RECORD_LUA} takes for an override. */
export const overrideText = ({ reasons, untilMs }: NonNullable<CopyRecord['overridden']>): string =>
  `${untilMs}:${reasons.join('+')}`;

/** So many former keys a record has at most: a patron's number at home changes once or twice in a life. */
export const MOST_FORMER_KEYS = 5;
/** How long a copy need not be noted as seen again. */
const SEEN_EVERY_MS = 30 * 24 * 3_600_000;
const SCANNED_AT_ONCE = 500;

/**
 * Lua: `forgetCopy(records, seen, homes, number)`. Of two copies that one library has of a patron, the later one is found by its home key,
 * and where that is forgotten, none is: whoever looks there learns only that a look at Koha is worth its call.
 */
const FORGET_LUA = `
local function forgetCopy(records, seen, homes, number)
  local key = string.match(redis.call('HGET', records, number) or '', '^(%S+) ')
  if key and redis.call('HGET', homes, key) == number then redis.call('HDEL', homes, key) end
  redis.call('HDEL', records, number)
  redis.call('ZREM', seen, number)
end
`;

/**
 * Lua: `noteCopy(records, seen, homes, number, what, homeKey, fields, now, override)`, where `what` is `made` or `adopted`, `agreed` (made, with the patron's consent), `passed`
 * (values of a copy that is on record) or `ended`. Part of the script that writes the receipt.
 * A record is `HOMEKEY FIELDS AGREED FORMERKEYS MADE,PASSED`, each list with commas, or `-`; after an override (`''`: none) the times are
 * followed by `,UNTIL:REASON+REASON`, which an older reader passes over.
 */
export const COPY_RECORD_LUA = `${FORGET_LUA}
local function noteCopy(records, seen, homes, number, what, homeKey, fields, now, override)
  local function join(list, more)
    local all = list == '-' and '' or list
    for _, name in ipairs(more) do
      if not string.find(',' .. all .. ',', ',' .. name .. ',', 1, true) then
        all = all == '' and name or all .. ',' .. name
      end
    end
    return all == '' and '-' or all
  end
  local record = redis.call('HGET', records, number) or ''
  local key, passed, agreed, former, times = string.match(record, '^(%S+) (%S+) (%S+) (%S+) ?(%S*)$')
  if what == 'ended' then
    if key == homeKey then forgetCopy(records, seen, homes, number) end
    return
  end
  if key ~= homeKey then
    if what == 'passed' then return end
    if record ~= '' then forgetCopy(records, seen, homes, number) end
    passed, agreed, former, times = '-', '-', '-', now .. ','
  end
  passed = join(passed, fields)
  if what == 'agreed' then agreed = join(agreed, fields) end
  if override == '' then override = string.match(times, '^[^,]*,[^,]*,(.+)$') or '' end
  times = (string.match(times, '^(%d+),') or '-') .. ',' .. now .. (override == '' and '' or ',' .. override)
  redis.call('HSET', records, number, table.concat({homeKey, passed, agreed, former, times}, ' '))
  redis.call('ZADD', seen, now, number)
  redis.call('HSET', homes, homeKey, number)
end
`;

/** KEYS 1 records, 2 numbers by home key; ARGV 1 number of the copy, 2 old home key, 3 new home key, 4 most former keys */
const REKEY_LUA = `
local record = redis.call('HGET', KEYS[1], ARGV[1]) or ''
local key, passed, agreed, former, times = string.match(record, '^(%S+) (%S+) (%S+) (%S+) ?(%S*)$')
if key ~= ARGV[2] then return 0 end
local keys = former == '-' and key or former .. ',' .. key
local _, commas = string.gsub(keys, ',', '')
if commas >= tonumber(ARGV[4]) then keys = string.match(keys, ',(.*)$') end
redis.call('HSET', KEYS[1], ARGV[1], table.concat({ARGV[3], passed, agreed, keys, times == '' and '-,-' or times}, ' '))
if redis.call('HGET', KEYS[2], key) == ARGV[1] then redis.call('HDEL', KEYS[2], key) end
redis.call('HSET', KEYS[2], ARGV[3], ARGV[1])
return 1
`;

/** KEYS 1 records, 2 when they were seen, 3 numbers by home key; ARGV numbers of copies */
const DROP_LUA = `${FORGET_LUA}
for _, number in ipairs(ARGV) do forgetCopy(KEYS[1], KEYS[2], KEYS[3], number) end
`;

const listOf = (text: string): readonly string[] => (text === '-' ? [] : text.split(','));

const timeOf = (text: string): number | null => (/^\d+$/.test(text) ? Number(text) : null);

function parseRecord(text: string | null): CopyRecord | null {
  const [homeKey, fields, agreed, former, times = '', ...more] = text?.split(' ') ?? [];
  if (homeKey === undefined || fields === undefined || agreed === undefined || former === undefined)
    return null;
  if (more.length > 0) return null;
  const [made = '', passed = '', override = ''] = times.split(',');
  const [, until, reasons = ''] = /^(\d+):(.+)$/.exec(override) ?? [];
  return {
    homeKey,
    fields: listOf(fields),
    agreed: agreed === '-' ? null : listOf(agreed),
    formerKeys: listOf(former),
    madeMs: timeOf(made),
    passedMs: timeOf(passed),
    overridden: until === undefined ? null : { reasons: reasons.split('+'), untilMs: Number(until) },
  };
}

/** What is on record of these copies at a lending library, by Koha's number of the copy; the others are none that the service knows. */
export async function readCopyRecords(
  redis: Redis,
  lending: string,
  patronIds: readonly number[],
): Promise<ReadonlyMap<number, CopyRecord>> {
  if (patronIds.length === 0) return new Map();
  const texts = await redis.hmget(copyRecordsKey(lending), ...patronIds.map(String));
  return new Map(
    patronIds.flatMap((id, index) => {
      const record = parseRecord(texts[index] ?? null);
      return record === null ? [] : [[id, record] as const];
    }),
  );
}

/** Reads what is on record of copies at a lending library, by Koha's number of the copy. */
export type ReadCopyRecords = (
  lending: string,
  patronIds: readonly number[],
) => Promise<ReadonlyMap<number, CopyRecord>>;

/** Reads the records of copies that a lending Koha shows, and notes that these copies are there still. */
export function buildCopyRecordReader(redis: Redis, now: () => number): ReadCopyRecords {
  return async (lending, patronIds) => {
    const found = await readCopyRecords(redis, lending, patronIds);
    await noteCopiesSeen(redis, lending, [...found.keys()], now());
    return found;
  };
}

/** Notes that these copies on record are there still: what is not seen for `retention.receipts` is forgotten, as its receipts are. */
export async function noteCopiesSeen(
  redis: Redis,
  lending: string,
  patronIds: readonly number[],
  nowMs: number,
): Promise<void> {
  if (patronIds.length === 0) return;
  const seen = await redis.zmscore(copySeenKey(lending), ...patronIds.map(String));
  const due = patronIds.filter((_, index) => {
    const at = seen[index] ?? null;
    return at !== null && nowMs - Number(at) > SEEN_EVERY_MS;
  });
  if (due.length === 0) return;
  await redis.zadd(copySeenKey(lending), 'XX', ...due.flatMap((id) => [nowMs, String(id)]));
}

/** The copy at a library that is on record with this home key, by Koha's number of it; the later one where there are two. */
export async function findCopyOf(redis: Redis, lending: string, homeKey: string): Promise<number | null> {
  const number = await redis.hget(copyOfHomeKey(lending), homeKey);
  return number === null ? null : Number(number);
}

/** Gives a copy that is on record under the home key `from` the key `to`: it is the same patron's. False where it is not. */
export async function rekeyCopyRecord(
  redis: Redis,
  lending: string,
  { patronId, from, to }: { readonly patronId: number; readonly from: string; readonly to: string },
): Promise<boolean> {
  const rekey = defineScript(redis, 'passportRekeyCopy', REKEY_LUA);
  const keys = [copyRecordsKey(lending), copyOfHomeKey(lending)];
  const done = await rekey(keys, [String(patronId), from, to, MOST_FORMER_KEYS]);
  return done === 1;
}

/**
 * Forgets copies at a library that have this home key, and deletions of them that were begun, since what they record is erased; returns
 * how many there were. A copy that was made since `findCopyRecords` stays.
 */
export async function dropCopyRecords(
  redis: Redis,
  lending: string,
  { homeKey, patronIds }: { readonly homeKey: string; readonly patronIds: readonly number[] },
): Promise<number> {
  for (const { patronId, homeKey: key } of await readDeletions(redis, lending)) {
    if (key === homeKey) await dropDeletion(redis, lending, patronId);
  }
  if (patronIds.length > 0) await redis.hdel(findingsKey(lending), ...patronIds.map(String));
  const records = await readCopyRecords(redis, lending, patronIds);
  const found = patronIds.filter((id) => records.get(id)?.homeKey === homeKey);
  await drop(redis, lending, found.map(String));
  return found.length;
}

/** The copies at a library that are on record with this home key, by Koha's number of each. Reads all records of the library. */
export async function findCopyRecords(
  redis: Redis,
  lending: string,
  homeKey: string,
): Promise<readonly number[]> {
  const records = await scanCopyRecords(redis, lending, (record) => record.homeKey === homeKey);
  return [...records.keys()];
}

/** The copies at a library whose records are wanted, by Koha's number of each. Reads all records of the library. */
export async function scanCopyRecords(
  redis: Redis,
  lending: string,
  isWanted: (record: CopyRecord) => boolean,
): Promise<ReadonlyMap<number, CopyRecord>> {
  // What changes while it is read can come twice.
  const found = new Map<number, CopyRecord>();
  for await (const [patronId, record] of recordsOf(redis, lending)) {
    if (isWanted(record)) found.set(patronId, record);
  }
  return found;
}

/** The home libraries whose patrons have a copy on record at a library. Reads all records of the library. */
export async function homesOnRecord(redis: Redis, lending: string): Promise<ReadonlySet<string>> {
  const homes = new Set<string>();
  for await (const [, { homeKey }] of recordsOf(redis, lending)) {
    homes.add(homeKey.slice(0, homeKey.lastIndexOf(':')));
  }
  return homes;
}

async function* recordsOf(redis: Redis, lending: string): AsyncGenerator<readonly [number, CopyRecord]> {
  let cursor = '0';
  do {
    const [next, entries] = await redis.hscan(copyRecordsKey(lending), cursor, 'COUNT', SCANNED_AT_ONCE);
    for (let at = 0; at < entries.length; at += 2) {
      const record = parseRecord(entries[at + 1] ?? null);
      if (record !== null) yield [Number(entries[at]), record];
    }
    cursor = next;
  } while (cursor !== '0');
}

/** KEYS copies by when they were seen, of each library; ARGV 1 a time in ms; the places of those with an earlier one */
const UNSEEN_LUA = `
local unseen = {}
for place, key in ipairs(KEYS) do
  local oldest = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')[2]
  if oldest and tonumber(oldest) < tonumber(ARGV[1]) then unseen[#unseen + 1] = place end
end
return unseen
`;

/** Forgets copies that nobody has seen since then, 500 of each library at most. */
export async function trimCopyRecords(
  redis: Redis,
  libraries: readonly string[],
  beforeMs: number,
): Promise<void> {
  const look = defineScript(redis, 'passportUnseenCopies', UNSEEN_LUA);
  const old = await inBatches(libraries, async (some) => {
    const places = (await look(some.map(copySeenKey), [beforeMs])) as number[];
    return places.flatMap((place) => some[place - 1] ?? []);
  });
  for (const lending of old) {
    const before = `(${beforeMs}`;
    const seen = copySeenKey(lending);
    await drop(redis, lending, await redis.zrangebyscore(seen, '-inf', before, 'LIMIT', 0, SCANNED_AT_ONCE));
  }
}

async function drop(redis: Redis, lending: string, patronIds: readonly string[]): Promise<void> {
  if (patronIds.length === 0) return;
  const dropAll = defineScript(redis, 'passportDropCopies', DROP_LUA);
  const keys = [copyRecordsKey(lending), copySeenKey(lending), copyOfHomeKey(lending)];
  for (let at = 0; at < patronIds.length; at += SCANNED_AT_ONCE) {
    await dropAll(keys, patronIds.slice(at, at + SCANNED_AT_ONCE));
  }
}
