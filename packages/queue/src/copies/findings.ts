import type { Redis } from '@passport/runtime';
import { findingsKey } from '../keys.ts';
import { defineScript } from '../redis/index.ts';

/** Copies of one library that something is open of; those beyond are in the counts of the sweep alone. */
const MOST_COPIES = 10_000;
/** As long as the report of the last sweep. */
const LIFE_SECONDS = 60 * 24 * 3600;
const AT_ONCE = 500;
/** Of a copy whose home key cannot be read, or is none. */
export const NO_NUMBER = '?';

/** What a look at one copy has left open: codes of findings, none where all is well; null: home was not asked, and it is as it was. */
export interface FoundCopy {
  /** The lending Koha's number of the copy. */
  readonly patronId: number;
  /** `{home library id}:{patron_id there}`, or with NO_NUMBER instead of what is none. */
  readonly homeKey: string;
  readonly open: readonly string[] | null;
}

/** One finding of one copy that somebody has to look at. */
export interface OpenFinding {
  readonly patronId: number;
  readonly homeKey: string;
  readonly finding: string;
  /** Since when it was found at every look; milliseconds since 1970. */
  readonly sinceMs: number;
  /** Somebody has looked at it, and it shall stay as it is. */
  readonly isKept: boolean;
}

/**
 * An entry is `HOMEKEY SEEN CODE:SINCE:KEPT,...`. What was found before keeps its time, and that it is to be kept, so that the same sweep
 * twice, or by two workers, makes no difference.
 * KEYS 1 entries; ARGV 1 now, 2 life in s, 3 most entries, then number, home key, and codes with commas, `-` (none) or `=` (as before)
 */
const NOTE_LUA = `
for n = 4, #ARGV, 3 do
  local number, homeKey, codes = ARGV[n], ARGV[n + 1], ARGV[n + 2]
  local key, before = string.match(redis.call('HGET', KEYS[1], number) or '', '^(%S+) %S+ (%S+)$')
  local found = {}
  if codes == '=' and key == homeKey then found[1] = before end
  if codes ~= '=' and codes ~= '-' then
    for code in string.gmatch(codes, '[^,]+') do
      local since = key == homeKey and string.match(',' .. before .. ',', ',' .. code .. ':([^,]+),')
      found[#found + 1] = code .. ':' .. (since or ARGV[1] .. ':0')
    end
  end
  if #found == 0 then
    redis.call('HDEL', KEYS[1], number)
  elseif key or redis.call('HLEN', KEYS[1]) < tonumber(ARGV[3]) then
    redis.call('HSET', KEYS[1], number, homeKey .. ' ' .. ARGV[1] .. ' ' .. table.concat(found, ','))
  end
end
redis.call('EXPIRE', KEYS[1], ARGV[2])
`;

/** KEYS 1 entries; ARGV number and entry of each that goes, unless somebody has changed it since */
const PRUNE_LUA = `
for n = 1, #ARGV, 2 do
  if redis.call('HGET', KEYS[1], ARGV[n]) == ARGV[n + 1] then redis.call('HDEL', KEYS[1], ARGV[n]) end
end
`;

/** KEYS 1 entries; ARGV numbers of copies. Returns those that have an entry. */
const KEEP_LUA = `
local done = {}
for _, number in ipairs(ARGV) do
  local entry = redis.call('HGET', KEYS[1], number)
  if entry then
    redis.call('HSET', KEYS[1], number, (string.gsub(entry, ':0%f[,%z]', ':1')))
    done[#done + 1] = number
  end
end
return done
`;

/** Notes what looks at copies have found: what is not found any more is handled, and forgotten. */
export async function noteFindings(
  redis: Redis,
  library: string,
  copies: readonly FoundCopy[],
  nowMs: number,
): Promise<void> {
  const note = defineScript(redis, 'passportNoteFindings', NOTE_LUA);
  for (let at = 0; at < copies.length; at += AT_ONCE) {
    const entries = copies
      .slice(at, at + AT_ONCE)
      .flatMap(({ patronId, homeKey, open }) => [
        String(patronId),
        homeKey,
        open === null ? '=' : open.join(',') || '-',
      ]);
    await note([findingsKey(library)], [nowMs, LIFE_SECONDS, MOST_COPIES, ...entries]);
  }
}

/** Forgets what was found of the copies of these homes that nobody has seen since then: they are not there any more. */
export async function pruneFindings(
  redis: Redis,
  library: string,
  { isOf, beforeMs }: { readonly isOf: (home: string) => boolean; readonly beforeMs: number },
): Promise<void> {
  const prune = defineScript(redis, 'passportPruneFindings', PRUNE_LUA);
  for await (const [number, text] of entriesOf(redis, library)) {
    const [homeKey = '', seen = ''] = text.split(' ');
    if (Number(seen) >= beforeMs || !isOf(homeOf(homeKey))) continue;
    await prune([findingsKey(library)], [number, text]);
  }
}

/** What is open at a library, the latest first. An entry of another version is left out. */
export async function readFindings(redis: Redis, library: string): Promise<readonly OpenFinding[]> {
  const found: OpenFinding[] = [];
  for (const [number, text] of Object.entries(await redis.hgetall(findingsKey(library)))) {
    const [homeKey = '', , findings = ''] = text.split(' ');
    for (const each of findings.split(',')) {
      const [finding = '', since, kept] = each.split(':');
      if (kept === undefined) continue;
      found.push({
        patronId: Number(number),
        homeKey,
        finding,
        sinceMs: Number(since),
        isKept: kept === '1',
      });
    }
  }
  const order = (one: OpenFinding, other: OpenFinding): number =>
    other.sinceMs - one.sinceMs || one.patronId - other.patronId;
  return found.toSorted(order);
}

/** Notes that the findings of these copies are looked at, and stay as they are: they are not open any more. Returns which had some. */
export async function keepFindings(
  redis: Redis,
  library: string,
  patronIds: readonly number[],
): Promise<readonly number[]> {
  const keep = defineScript(redis, 'passportKeepFindings', KEEP_LUA);
  const done = await keep([findingsKey(library)], patronIds.map(String));
  return Array.isArray(done) ? done.map(Number) : [];
}

const homeOf = (homeKey: string): string => homeKey.slice(0, homeKey.lastIndexOf(':'));

async function* entriesOf(redis: Redis, library: string): AsyncGenerator<readonly [string, string]> {
  let cursor = '0';
  do {
    const [next, entries] = await redis.hscan(findingsKey(library), cursor, 'COUNT', AT_ONCE);
    for (let at = 0; at < entries.length; at += 2) yield [entries[at] ?? '', entries[at + 1] ?? ''];
    cursor = next;
  } while (cursor !== '0');
}
