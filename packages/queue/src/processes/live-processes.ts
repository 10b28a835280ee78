import * as z from 'zod';
import { type Redis, within } from '@passport/runtime';
import { PROCESSES_KEY } from '../keys.ts';
import { parseStored, NOW_LUA, defineScript } from '../redis/index.ts';

export const PROCESS_KINDS = ['worker', 'receiver', 'dashboard'] as const;
export type ProcessKind = (typeof PROCESS_KINDS)[number];

const identitySchema = z.object({
  kind: z.enum(PROCESS_KINDS),
  version: z.string(),
  host: z.string(),
});

const noteSchema = identitySchema.extend({
  /** The configuration in force: the first digits of the file's SHA-256, and when it was taken over. */
  config: z.object({ hash: z.string(), loaded_ms: z.number() }).nullable().default(null),
  /** Why the last reload changed nothing: one sentence for each problem, without values; null: it changed something. */
  refused: z
    .object({ at_ms: z.number(), problems: z.array(z.string()) })
    .nullable()
    .default(null),
  /** The last request for a reload that it has dealt with. */
  reload: z.string().nullable().default(null),
  /** It takes all its clients for one address: they are behind a proxy that it does not trust. */
  shares_address: z.boolean().default(false),
  /** How many of its secrets no reload renews: they are those of its start. */
  fixed_secrets: z.number().default(0),
  /** Its last log line could not be written. */
  log_fails: z.boolean().default(false),
  /** How many audit lines it has lost since its start. */
  audit_lost: z.number().default(0),
});

/** Which process it is, the version of Patron Passport, and the name of its machine or container. */
export type ProcessIdentity = Readonly<z.infer<typeof identitySchema>>;
/** What a process says of itself; one of a version before does not say which configuration it has. */
export type ProcessNote = Readonly<z.input<typeof noteSchema>>;

/** What a process knows of how it is set up. */
export type ProcessFacts = Pick<ProcessNote, 'shares_address' | 'fixed_secrets'>;

/** A process that was seen lately. Times are milliseconds of Redis's clock. */
export interface SeenProcess extends Readonly<z.infer<typeof noteSchema>> {
  readonly id: string;
  /** Since when it has been known. */
  readonly sinceMs: number;
  readonly lastSeenMs: number;
  /** False: it was not stopped, and has said nothing for {@link LIVE_MS}. */
  readonly isLive: boolean;
}

/** A process announces itself at this pace. */
const ANNOUNCE_EVERY_MS = 2_000;
/** A process that was silent for five announcements is missing. */
export const LIVE_MS = 10_000;
/** A process that disappeared without being stopped is shown as missing for so long. */
const FORGOTTEN_MS = 10 * 60_000;
const CLOSE_MS = 1_000;

/**
 * All times are Redis's own: processes on machines with different clocks are compared.
 * KEYS 1 processes; ARGV 1 id, 2 note, 3 known since (empty: since now), 4 forgotten after
 */
const ANNOUNCE_LUA = `${NOW_LUA}
local now = nowMs()
local fields = redis.call('HGETALL', KEYS[1])
for place = 1, #fields, 2 do
  local at = tonumber(string.match(fields[place + 1], '^(%d+) ') or '0')
  if now - at > tonumber(ARGV[4]) then redis.call('HDEL', KEYS[1], fields[place]) end
end
local present = string.format('%.0f', now)
local since = ARGV[3] == '' and present or ARGV[3]
redis.call('HSET', KEYS[1], ARGV[1], present .. ' ' .. since .. ' ' .. ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return since
`;

const READ_LUA = `${NOW_LUA}
return {string.format('%.0f', nowMs()), redis.call('HGETALL', KEYS[1])}
`;

/**
 * Announces a process in Redis, at once and then every two seconds, until it is closed; then it is gone from the list.
 * `note` is called each time; while it returns null nothing is announced. Redis's own trouble is reported by the connection.
 */
export function announceProcess(
  redis: Redis,
  id: string,
  note: () => ProcessNote | null,
): { readonly close: () => Promise<void>; readonly again: () => Promise<void> } {
  const announce = defineScript(redis, 'passportAnnounce', ANNOUNCE_LUA);
  let since = '';
  let running: Promise<void> | null = null;
  let isClosed = false;
  const announceOnce = async (): Promise<void> => {
    const present = note();
    if (present === null) return;
    try {
      since = String(await announce([PROCESSES_KEY], [id, JSON.stringify(present), since, FORGOTTEN_MS]));
    } catch {
      // The next one is due in two seconds.
    }
    // An announcement that was under way when the process closed may have come after its removal.
    if (isClosed) await remove();
  };
  const run = async (): Promise<void> => {
    if (running !== null || isClosed) return;
    running = announceOnce().finally(() => {
      running = null;
    });
    await running;
  };
  const remove = (): Promise<unknown> =>
    within(CLOSE_MS, redis.hdel(PROCESSES_KEY, id), 'leaving the list of processes').catch(() => undefined);
  const timer = setInterval(() => void run(), ANNOUNCE_EVERY_MS);
  void run();
  return {
    async again() {
      await running;
      await run();
    },
    async close() {
      isClosed = true;
      clearInterval(timer);
      await remove();
    },
  };
}

/**
 * The processes that are live, and those that disappeared in the last ten minutes without being stopped; workers first, the
 * oldest first. What cannot be read was written by another version and is left out.
 */
export async function readProcesses(redis: Redis): Promise<readonly SeenProcess[]> {
  const read = defineScript(redis, 'passportProcesses', READ_LUA);
  const [now, fields] = (await read([PROCESSES_KEY], [])) as [string, string[]];
  const seen: SeenProcess[] = [];
  for (let place = 0; place + 1 < fields.length; place += 2) {
    const one = parseSeen(fields[place] ?? '', fields[place + 1] ?? '', Number(now));
    if (one !== null) seen.push(one);
  }
  return seen.toSorted(
    (a, b) => PROCESS_KINDS.indexOf(a.kind) - PROCESS_KINDS.indexOf(b.kind) || a.sinceMs - b.sinceMs,
  );
}

function parseSeen(id: string, text: string, nowMs: number): SeenProcess | null {
  const [, at, since, json] = /^(\d{1,16}) (\d{1,16}) (.*)$/s.exec(text) ?? [];
  const note = parseStored(noteSchema, json ?? null);
  if (note === null) return null;
  const lastSeenMs = Number(at);
  return { ...note, id, sinceMs: Number(since), lastSeenMs, isLive: nowMs - lastSeenMs <= LIVE_MS };
}
