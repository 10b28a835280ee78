import * as z from 'zod';
import type { Queue } from 'bullmq';
import type { Redis } from '@passport/runtime';
import { execAll, inBatches, parseStored } from '../redis/index.ts';
import { SWEEPS, sweepKey, sweepLockKey, sweepMissingKey, sweepUnansweredKey } from '../keys.ts';
import { LenientQueue } from '../bullmq/index.ts';
import { loansJobSchema } from '../statistics/index.ts';
import { owedJobSchema } from './owed.ts';
import { setUpJobSchema } from './set-up.ts';
import { type OwnedLock, openOwnedLock } from '../locks/index.ts';

/** The report of the last sweep stays readable so long, and a home record may be missing so long before it counts anew. */
const LIFE_SECONDS = 60 * 24 * 3600;
/** Longer than a sweep may take. */
const UNANSWERED_SECONDS = 24 * 3600;
const KEPT_JOBS = 50;

/** One sweep over the copies of one lending library. */
const sweepJobSchema = z.object({
  kind: z.literal('sweep'),
  library: z.string(),
  /** Says what would be changed, and changes nothing. */
  dry_run: z.boolean().default(false),
  /** All copies; else a full sweep a week and what changed since the last one on the other days. */
  full: z.boolean().default(false),
});
export type SweepJob = z.infer<typeof sweepJobSchema>;
/** What the queue of sweeps has: the readings of what copies owe, the counting of loans and the checks of set-ups, too. */
export const copiesJobSchema = z.discriminatedUnion('kind', [
  sweepJobSchema,
  owedJobSchema,
  loansJobSchema,
  setUpJobSchema,
]);
export type CopiesJob = z.infer<typeof copiesJobSchema>;
export type SweepJobs = Queue<CopiesJob>;

const count = z.number().int().min(0);
const homeSchema = z.object({
  /**
   * `down`: it did not answer, nothing is said of the other copies. `blind`: it hides too many for anybody to be taken for gone. `cut`:
   * the sweep had reached a limit before it was done.
   */
  state: z.enum(['waiting', 'working', 'done', 'down', 'blind', 'cut']),
  copies: count,
  findings: z.record(z.string(), count),
  fields_changed: count,
  fields_kept: count,
});

/** What a sweep has found so far, and where it is. Counts only: it is written at every page, and its size must not depend on a library. */
export const sweepStateSchema = z.object({
  id: z.string(),
  /** BullMQ's id of its job. */
  job: z.string(),
  library: z.string(),
  mode: z.enum(['full', 'changed']),
  dry_run: z.boolean(),
  started_ms: z.number(),
  /** Null while it runs, or waits for a worker to go on with it. */
  ended_ms: z.number().nullable(),
  /** Why it ended without being done: what its job failed with; null where it did not. */
  failed: z.string().nullable(),
  /**
   * Of the home that is worked on: Koha's number of the last copy that is done, how many home keys were not answered, and how many of
   * those were looked up once more.
   */
  after: count,
  missing: count,
  looked_up: count,
  /** Read so far at the lending library. */
  pages: count,
  rows: count,
  homes: z.record(z.string(), homeSchema),
  /** Copies by what their home keys name that is not among `homes`: of a home library none of whose copies is on record, or of none. */
  unknown: z.record(z.string(), count),
  /** Copies of each home in the sweep before; what a home may miss is a share of them. */
  copies_before: z.record(z.string(), count).default({}),
  /** When the last full sweep, and the last of any kind, began that was ended. */
  last_full_ms: z.number().nullable(),
  last_ms: z.number().nullable(),
});
export type SweepState = z.infer<typeof sweepStateSchema>;
export type SweptHome = z.infer<typeof homeSchema>;

/** Opens the queue of sweeps. */
export function openSweepQueue(redis: Redis): SweepJobs {
  return new LenientQueue<CopiesJob>(SWEEPS, redis, {
    attempts: 20,
    backoff: { type: 'fixed', delay: 60_000 },
    stackTraceLimit: 1,
    removeOnComplete: { count: KEPT_JOBS },
    removeOnFail: { count: KEPT_JOBS },
  });
}

/** Opens the lock that one run of a sweep needs while it writes at a library. A sweep that another worker goes on with keeps its id, and has a new run. */
export function openSweepLock(
  redis: Redis,
  { library, sweep, run }: { readonly library: string; readonly sweep: string; readonly run: string },
): OwnedLock {
  return openOwnedLock(redis, sweepLockKey(library), { id: sweep, run });
}

/** The last sweep of a library, running or ended; null when there was none, or it is of a version that reads otherwise. */
export async function readSweep(redis: Redis, library: string, isDry: boolean): Promise<SweepState | null> {
  return parseStored(sweepStateSchema, await redis.get(sweepKey(library, isDry)));
}

/** Stores where a sweep is, instead of what was stored of its library before. */
export async function writeSweep(redis: Redis, state: SweepState): Promise<void> {
  await redis.set(sweepKey(state.library, state.dry_run), JSON.stringify(state), 'EX', LIFE_SECONDS);
}

/** The home keys that the home which a sweep works on has not answered for so far, beside the state of the sweep. */
interface Unanswered {
  clear(): Promise<void>;
  add(homeKeys: readonly string[]): Promise<void>;
  read(): Promise<readonly string[]>;
}

/** Opens what is kept for the sweep of a library, or for its dry run. Whoever adds bounds it. */
export function openUnanswered(redis: Redis, library: string, isDry: boolean): Unanswered {
  const key = sweepUnansweredKey(library, isDry);
  return {
    clear: async () => void (await redis.del(key)),
    async add(homeKeys) {
      if (homeKeys.length > 0)
        await execAll(
          redis
            .multi()
            .sadd(key, ...homeKeys)
            .expire(key, UNANSWERED_SECONDS),
        );
    },
    read: () => redis.smembers(key),
  };
}

/** The home keys that one home did not answer for in the last full sweep, and since when: in milliseconds since 1970. */
export async function readMissing(
  redis: Redis,
  { library, home }: { readonly library: string; readonly home: string },
): Promise<ReadonlyMap<string, number>> {
  const noted = await redis.hgetall(sweepMissingKey(library, home));
  return new Map(Object.entries(noted).map(([homeKey, since]) => [homeKey, Number(since)]));
}

/**
 * Notes the home keys that one home did not answer for in a full sweep, and returns since when each of them has been missing. Who is
 * there again is forgotten.
 */
export async function noteMissing(
  redis: Redis,
  { library, home }: { readonly library: string; readonly home: string },
  homeKeys: readonly string[],
  nowMs: number,
): Promise<ReadonlyMap<string, number>> {
  const key = sweepMissingKey(library, home);
  const before = await readMissing(redis, { library, home });
  const since = new Map(homeKeys.map((homeKey) => [homeKey, before.get(homeKey) ?? nowMs]));
  const fields = Object.fromEntries(since);
  const write = redis.multi().del(key);
  if (homeKeys.length > 0) write.hset(key, fields).expire(key, LIFE_SECONDS);
  await execAll(write);
  return since;
}

/** Forgets who was missing at homes that have no copies at a library any more: a patron who comes back begins anew. */
export async function forgetMissing(redis: Redis, library: string, homes: readonly string[]): Promise<void> {
  await inBatches(homes, async (some) => {
    await redis.del(...some.map((home) => sweepMissingKey(library, home)));
    return [];
  });
}
