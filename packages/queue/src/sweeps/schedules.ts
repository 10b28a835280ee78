import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { Redis } from '@passport/runtime';
import { execAll, parseFields } from '../redis/index.ts';
import { schedulesDoneKey, schedulesKey } from '../keys.ts';
import type { SweepJobs } from './sweeps.ts';

const NIGHTLY_KINDS = ['sweep', 'owed', 'loans', 'set_up'] as const;
/**
 * What is done once a day: at every lending library that wants it a sweep over its copies, a reading of what they owe, a counting of their
 * loans; and at every library a check of its set-up.
 */
export type NightlyKind = (typeof NIGHTLY_KINDS)[number];

interface TimeOfDay {
  readonly hour: number;
  readonly minute: number;
}

/** One of them at one library, at this time of day of the process's time zone. */
export interface Nightly {
  readonly kind: NightlyKind;
  readonly library: string;
  readonly at: TimeOfDay;
}

/** What is known of one of them. Times in ms since 1970. */
export interface NightlySeen {
  readonly kind: NightlyKind;
  readonly library: string;
  /** Since when it has been done every day. */
  readonly sinceMs: number;
  readonly nextMs: number;
  /** When the last one was done; null where none was. */
  readonly doneMs: number | null;
}

const scheduleSchema = z.object({ since_ms: z.number(), queued_ms: z.number(), next_ms: z.number() });

/** What was queued for a later time than this was so by a clock that has been set back since. */
const A_DAY_AHEAD_MS = 25 * 3_600_000;

const nameOf = ({ kind, library }: Pick<Nightly, 'kind' | 'library'>): string => `${kind}.${library}`;

interface Times {
  readonly lastMs: number;
  readonly nextMs: number;
}

/** The last such time of day that is not after `nowMs`, and the first one that is. */
function timesOf({ hour, minute }: TimeOfDay, nowMs: number): Times {
  const at = (days: number): number => {
    const day = new Date(nowMs);
    day.setDate(day.getDate() + days);
    return day.setHours(hour, minute, 0, 0);
  };
  const times = [-1, 0, 1, 2].map(at);
  return {
    lastMs: Math.max(...times.filter((each) => each <= nowMs)),
    nextMs: Math.min(...times.filter((each) => each > nowMs)),
  };
}

/** The same at one moment of many libraries, which have many times in common: a calendar is slow. */
function timesAt(nowMs: number): (at: TimeOfDay) => Times {
  const known = new Map<number, Times>();
  return (at) => {
    const minute = 60 * at.hour + at.minute;
    const times = known.get(minute) ?? timesOf(at, nowMs);
    known.set(minute, times);
    return times;
  };
}

/** Set-ups are checked between 01:00 and 05:00, each library's at a minute that its id decides: no night has them all at once. */
const SET_UP_FROM_HOUR = 1;
const SET_UP_MINUTES = 240;

function setUpTimeOf(library: string): TimeOfDay {
  const minutes = createHash('sha256').update(library).digest().readUInt32BE() % SET_UP_MINUTES;
  return { hour: SET_UP_FROM_HOUR + Math.floor(minutes / 60), minute: minutes % 60 };
}

/** What the libraries of a configuration want done every day. */
export function nightlyOf(
  libraries: readonly {
    readonly id: string;
    readonly enabled: boolean;
    readonly refresh: { readonly sweep: TimeOfDay | null } | null;
    readonly owed: { readonly read: TimeOfDay } | null;
    readonly loans: { readonly count: TimeOfDay } | null;
  }[],
): readonly Nightly[] {
  return libraries.flatMap(({ id: library, enabled, refresh, owed, loans }) => {
    const times = {
      sweep: refresh?.sweep ?? null,
      owed: owed?.read ?? null,
      loans: loans?.count ?? null,
      set_up: setUpTimeOf(library),
    };
    return NIGHTLY_KINDS.flatMap((kind) => {
      const at = enabled ? times[kind] : null;
      return at === null ? [] : [{ kind, library, at }];
    });
  });
}

/**
 * Queues what is due since its last time of day and was not queued for it, once however many processes call this: the id of the job is
 * that of the day, and so a process that was not there at the time, or a clock that jumped past it, costs no day. One that is new
 * (`known` does not have it, and neither has Redis) begins with its next time. One whose job of an earlier day has not ended is not
 * queued twice. `known` belongs to this process, which knows by it what Redis has lost.
 */
export async function queueDue(
  redis: Redis,
  queue: SweepJobs,
  nightly: readonly Nightly[],
  { nowMs, known }: { readonly nowMs: number; readonly known: Set<string> },
): Promise<void> {
  if (nightly.length === 0) return;
  const names = nightly.map(nameOf);
  const texts = await redis.hmget(schedulesKey, ...names);
  const stored = parseFields(
    scheduleSchema,
    Object.fromEntries(names.map((name, index) => [name, texts[index] ?? ''])),
  );
  const changed: Record<string, string> = {};
  const now = timesAt(nowMs);
  for (const each of nightly) {
    const { kind, library } = each;
    const name = nameOf(each);
    const before = stored.get(name) ?? null;
    const { lastMs } = now(each.at);
    const isAhead = before !== null && before.queued_ms > nowMs + A_DAY_AHEAD_MS;
    const isDue = before === null ? known.has(name) : before.queued_ms < lastMs || isAhead;
    if (isDue) {
      const options = { jobId: `${name}.${lastMs}`, deduplication: { id: name } };
      await queue.add(
        name,
        kind === 'sweep' ? { kind, library, dry_run: false, full: false } : { kind, library },
        options,
      );
    }
    known.add(name);
    const queuedMs = before === null || isDue ? lastMs : before.queued_ms;
    // A time that was queued before the clock was set back does not come a second time.
    const { nextMs } = queuedMs > nowMs ? timesOf(each.at, queuedMs) : now(each.at);
    if (isDue || before?.next_ms !== nextMs) {
      changed[name] = JSON.stringify({
        since_ms: before?.since_ms ?? nowMs,
        queued_ms: queuedMs,
        next_ms: nextMs,
      });
    }
  }
  if (Object.keys(changed).length > 0) await redis.hset(schedulesKey, changed);
}

/** Forgets what is not done every day any more. */
export async function dropSchedules(redis: Redis, wanted: readonly Nightly[]): Promise<void> {
  const names = new Set(wanted.map(nameOf));
  const gone = (await redis.hkeys(schedulesKey)).filter((name) => !names.has(name));
  if (gone.length > 0)
    await execAll(
      redis
        .multi()
        .hdel(schedulesKey, ...gone)
        .hdel(schedulesDoneKey, ...gone),
    );
}

/** Notes that a sweep over a library's copies, or a reading, was done, at its time or by hand. */
export async function noteDone(
  redis: Redis,
  of: Pick<Nightly, 'kind' | 'library'>,
  nowMs: number,
): Promise<void> {
  await redis.hset(schedulesDoneKey, nameOf(of), nowMs);
}

/** What is done every day, with the next time and the last one. */
export async function readSchedules(redis: Redis): Promise<readonly NightlySeen[]> {
  const [texts, done] = await Promise.all([redis.hgetall(schedulesKey), redis.hgetall(schedulesDoneKey)]);
  return [...parseFields(scheduleSchema, texts)].flatMap(([name, { since_ms: sinceMs, next_ms: nextMs }]) => {
    const [first = '', library = ''] = name.split('.');
    const kind = NIGHTLY_KINDS.find((each) => each === first);
    const doneMs = done[name] === undefined ? null : Number(done[name]);
    return kind === undefined ? [] : [{ kind, library, sinceMs, nextMs, doneMs }];
  });
}
