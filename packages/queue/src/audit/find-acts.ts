import * as z from 'zod';
import type { Redis } from '@passport/runtime';
import { ACT_KINDS, type Act, actSchema } from './act.ts';
import { auditKey, auditStreamsKey } from '../keys.ts';
import { parseStored, defineScript } from '../redis/index.ts';

const entrySchema = actSchema.extend({ count: z.number(), late_ms: z.number() });

/** An act as it is listed. */
export interface ListedAct extends Act {
  /** Where it stands: a page may begin after it. */
  readonly id: string;
  readonly atMs: number;
  /** How often the same was done about that time. */
  readonly count: number;
}

export interface ActSearch {
  /** Acts at these libraries, and of each act these alone; null: all acts, those at no library as well. */
  readonly among: readonly string[] | null;
  readonly library: string | null;
  readonly by: string | null;
  readonly act: string | null;
  readonly fromMs: number | null;
  readonly untilMs: number | null;
  /** The id of the last one of the page before. */
  readonly after: string | null;
  readonly most: number;
}

export const ANY_ACT: ActSearch = {
  among: null,
  library: null,
  by: null,
  act: null,
  fromMs: null,
  untilMs: null,
  after: null,
  most: 100,
};

export interface FoundActs {
  /** The newest first. */
  readonly acts: readonly ListedAct[];
  /** Where the next page begins; null: there is none. */
  readonly next: string | null;
}

/** Of each account's stream. */
const AT_ONCE = 200;
const PLACE = /^(\d{1,15})-(\d{1,15})-((?:acts|refusals)(?::.{1,250})?)$/s;

/** Where an entry stands: entries of two streams may have one time. */
interface Place {
  readonly ms: number;
  readonly seq: number;
  readonly stream: string;
}

interface Placed {
  readonly place: Place;
  readonly act: ListedAct | null;
}

const idOf = ({ ms, seq, stream }: Place): string => `${ms}-${seq}-${stream}`;

function parsePlace(text: string): Place | null {
  const [, ms, seq, stream] = PLACE.exec(text) ?? [];
  return stream === undefined ? null : { ms: Number(ms), seq: Number(seq), stream };
}

/** All streams: also those that a process of another version has written without naming them. */
async function readStreams(redis: Redis): Promise<readonly string[]> {
  return [...new Set([...ACT_KINDS, ...(await redis.smembers(auditStreamsKey))])];
}

const isNewer = (one: Place, other: Place): boolean =>
  one.ms !== other.ms
    ? one.ms > other.ms
    : one.seq !== other.seq
      ? one.seq > other.seq
      : one.stream < other.stream;

/** Whether this is where a page may begin. */
export const isActPlace = (text: string): boolean => parsePlace(text) !== null;

/** Finds acts, the newest first. An `after` that names no place counts as none. */
export async function findActs(redis: Redis, search: ActSearch): Promise<FoundActs> {
  const after = search.after === null ? null : parsePlace(search.after);
  const names = await readStreams(redis);
  const streams = names.map((stream) => entriesOf(redis, stream, after, search.fromMs));
  const acts: ListedAct[] = [];
  for await (const { place, act } of newestFirst(streams)) {
    const seen = act === null ? null : asSeen(act, search);
    if (seen === null) continue;
    const last = acts.at(-1);
    if (acts.length >= search.most && last !== undefined) return { acts, next: last.id };
    acts.push({ ...seen, id: idOf(place) });
  }
  return { acts, next: null };
}

/** An act with the libraries that may be seen of it; null: it is not wanted. */
function asSeen(act: ListedAct, search: ActSearch): ListedAct | null {
  const { among, library, by, fromMs, untilMs } = search;
  const libraries = among === null ? act.libraries : act.libraries.filter((id) => among.includes(id));
  const isWanted =
    (among === null || libraries.length > 0) &&
    (library === null || libraries.includes(library)) &&
    (by === null || act.by === by) &&
    (search.act === null || act.act === search.act) &&
    (fromMs === null || act.atMs >= fromMs) &&
    (untilMs === null || act.atMs <= untilMs);
  return isWanted ? { ...act, libraries } : null;
}

/** The entries of several streams, each newest first, as one. */
async function* newestFirst(streams: readonly AsyncGenerator<Placed>[]): AsyncGenerator<Placed> {
  const heads = await Promise.all(streams.map((stream) => stream.next()));
  for (;;) {
    let newest = -1;
    let best: Placed | null = null;
    for (const [index, head] of heads.entries()) {
      if (head.done === true || (best !== null && isNewer(best.place, head.value.place))) continue;
      [newest, best] = [index, head.value];
    }
    const stream = streams[newest];
    if (best === null || stream === undefined) return;
    yield best;
    heads[newest] = await stream.next();
  }
}

/** An entry is written after its act, so entries from before `fromMs` are of acts from before it, and are not read. */
async function* entriesOf(
  redis: Redis,
  stream: string,
  after: Place | null,
  fromMs: number | null,
): AsyncGenerator<Placed> {
  let end = '+';
  if (after !== null) {
    const at = `${after.ms}-${after.seq}`;
    end = isNewer(after, { ...after, stream }) ? at : `(${at}`;
  }
  const start = fromMs === null ? '-' : String(Math.max(0, Math.floor(fromMs)));
  for (;;) {
    const page = await redis.xrevrange(auditKey(stream), end, start, 'COUNT', AT_ONCE);
    for (const [id, [, text = null]] of page) {
      const [ms = 0, seq = 0] = id.split('-').map(Number);
      yield { place: { ms, seq, stream }, act: parseEntry(text, ms) };
    }
    const last = page.at(-1)?.[0];
    if (last === undefined || page.length < AT_ONCE) return;
    end = `(${last}`;
  }
}

/** Null: it was written by another version, or is damaged. */
function parseEntry(text: string | null, ms: number): ListedAct | null {
  const read = parseStored(entrySchema, text);
  if (read === null) return null;
  const { late_ms: lateMs, ...act } = read;
  return { ...act, id: '', atMs: ms - lateMs };
}

/** Nothing stays of an account that has done nothing for so long, not even its name. KEYS stream, names of streams; ARGV least id, name */
const TRIM_LUA = `
if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('XTRIM', KEYS[1], 'MINID', ARGV[1]) end
if redis.call('EXISTS', KEYS[1]) == 0 or redis.call('XLEN', KEYS[1]) == 0 then
  redis.call('DEL', KEYS[1])
  redis.call('SREM', KEYS[2], ARGV[2])
end
`;

/** Drops what is older than it is kept; for a timer. */
export async function trimActs(redis: Redis, nowMs: number, auditMs: number): Promise<void> {
  const trim = defineScript(redis, 'passportTrimActs', TRIM_LUA);
  for (const stream of await readStreams(redis))
    await trim([auditKey(stream), auditStreamsKey], [Math.max(0, nowMs - auditMs), stream]);
}
