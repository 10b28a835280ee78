import * as z from 'zod';
import { PROBLEMS } from '@passport/contract';
import type { Redis } from '@passport/runtime';
import { libraryKey } from '../keys.ts';
import { parseStored } from '../redis/index.ts';

const healthSchema = z.object({
  open: z.boolean(),
  /** A worker of an earlier version does not say. */
  open_since_ms: z.number().nullable().default(null),
  last_success_ms: z.number().nullable(),
  last_failure_ms: z.number().nullable(),
  last_failure: z.string().nullable(),
  answer_ms: z.number().nullable(),
  /** Calls that waited for a place; a worker of an earlier version does not say. */
  waiting: z.number().default(0),
  problem: z.object({ what: z.enum(PROBLEMS), name: z.string().nullable() }).nullable(),
  /** Since when its Koha takes no report, its last refusal, and why; null: it took the last one. */
  reports_refused: z
    .object({ since_ms: z.number(), last_ms: z.number(), code: z.string() })
    .nullable()
    .default(null),
  /** When its Koha last took a report. */
  report_taken_ms: z.number().nullable().default(null),
  at_ms: z.number(),
});

/**
 * What one worker process last saw of one library; codes and times only. `open`: whether this worker's circuit for it
 * is open. `last_failure`: a code such as `timeout`. `answer_ms`: moving average of the time of its answers.
 * `problem`: set when a job ended MISCONFIGURED for it, until it succeeds again.
 */
export type LibraryHealth = Readonly<z.infer<typeof healthSchema>>;

/** What a library is called in each condition, wherever people read it; what needs a person comes first. */
export const CONDITION_WORDS = {
  misconfigured: 'misconfigured',
  open: 'away',
  crowded: 'at its limit',
  slow: 'slow',
  unknown: 'not seen yet',
  up: 'up',
} as const;
export type LibraryCondition = keyof typeof CONDITION_WORDS;

/** In these, nobody has to look at a library. */
export const isWell = ({ condition }: Pick<LibraryState, 'condition'>): boolean =>
  condition === 'up' || condition === 'unknown';

/** What is wrong with its set-up, in words: `category PT`. */
export const problemText = ({ what, name }: NonNullable<LibraryHealth['problem']>): string =>
  [what.replaceAll('_', ' '), name].filter((part) => part !== null).join(' ');

/** A library as the dashboard shows it: what all workers saw of it, merged. `answerMs`: of the worker that it answers slowest. */
export interface LibraryState {
  readonly library: string;
  readonly condition: LibraryCondition;
  /** A worker's circuit for it is open, whatever else is wrong with it. */
  readonly isOpen: boolean;
  /** Since when it is away, where a circuit is open and somebody knows. */
  readonly openSinceMs: number | null;
  readonly lastSuccessMs: number | null;
  readonly lastFailureMs: number | null;
  readonly lastFailure: string | null;
  readonly answerMs: number | null;
  /** Calls that wait because as many as it can serve are in progress, over all workers. */
  readonly waiting: number;
  readonly problem: LibraryHealth['problem'];
  readonly reportsRefused: { readonly sinceMs: number; readonly code: string } | null;
}

/** A worker that has said nothing for this long is gone, and what it saw no longer counts. */
const HEALTH_COUNTS_MS = 10 * 60_000;
const HEALTH_LIFE_SECONDS = 24 * 3600;
/** Staff at a desk notice answers slower than this. */
const SLOW_ANSWER_MS = 1_000;
/** Whether a library whose answers take so long is called slow; null: nobody knows. */
export const isSlow = (answerMs: number | null): boolean => (answerMs ?? 0) > SLOW_ANSWER_MS;

/** Writes what worker `workerId` saw of a library, and forgets workers that are gone, but not what they last knew of its answers. */
export async function writeHealth(
  redis: Redis,
  library: string,
  workerId: string,
  seen: z.input<typeof healthSchema>,
): Promise<void> {
  const health = healthSchema.parse(seen);
  const key = libraryKey(library);
  const rows = Object.entries(await redis.hgetall(key)).map(([id, text]) => [id, parseHealth(text)] as const);
  const replaced = rows.filter(([id, row]) => id === workerId || isGone(row, health.at_ms));
  const gone = replaced.map(([id]) => id).filter((id) => id !== workerId);
  if (gone.length > 0) await redis.hdel(key, ...gone);
  await redis.hset(key, workerId, JSON.stringify(continued(health, new Map(replaced), workerId)));
  await redis.expire(key, HEALTH_LIFE_SECONDS);
}

/**
 * Marks what worker `workerId` saw as of a worker that is gone: it is shown only while there is no other. Used when
 * a worker stops, so that the next worker's view counts at once.
 */
export async function retireHealth(
  redis: Redis,
  libraries: readonly string[],
  workerId: string,
): Promise<void> {
  for (const library of libraries) {
    const key = libraryKey(library);
    const health = parseHealth(await redis.hget(key, workerId));
    if (health !== null) await redis.hset(key, workerId, JSON.stringify({ ...health, at_ms: 0 }));
  }
}

/** The state of each of `libraries`, in their order. */
export async function readLibraryStates(
  redis: Redis,
  libraries: readonly string[],
  nowMs: number,
): Promise<LibraryState[]> {
  return Promise.all(
    libraries.map(async (library) => {
      const rows = Object.values(await redis.hgetall(libraryKey(library))).map(parseHealth);
      return merge(
        library,
        rows.filter((row) => row !== null),
        nowMs,
      );
    }),
  );
}

/** Null, written by a worker of another version or damaged, counts as of a worker that is gone. */
const parseHealth = (text: string | null): LibraryHealth | null => parseStored(healthSchema, text);

function isGone(health: LibraryHealth | null, nowMs: number): boolean {
  return health === null || nowMs - health.at_ms > HEALTH_COUNTS_MS;
}

/** A reload begins with a worker that has seen nothing: what the rows that it replaces knew of answers still holds. */
function continued(
  health: LibraryHealth,
  replaced: ReadonlyMap<string, LibraryHealth | null>,
  workerId: string,
): LibraryHealth {
  const rows = [health, ...[...replaced.values()].filter((row) => row !== null)];
  const lastSuccessMs = largest(rows.map((row) => row.last_success_ms));
  const lastFailureMs = largest(rows.map((row) => row.last_failure_ms));
  const isBack = !health.open && replaced.get(workerId)?.open === true;
  return {
    ...health,
    open_since_ms: isBack
      ? null
      : smallest(rows.map((row) => row.open_since_ms).filter(isAfter(lastSuccessMs))),
    last_success_ms: lastSuccessMs,
    last_failure_ms: lastFailureMs,
    last_failure: rows.find((row) => row.last_failure_ms === lastFailureMs)?.last_failure ?? null,
  };
}

const isAfter =
  (startMs: number | null) =>
  (ms: number | null): boolean =>
    ms !== null && ms > (startMs ?? 0);

const smallest = (values: readonly (number | null)[]): number | null => {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : Math.min(...known);
};

function largest(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : Math.max(...known);
}

/**
 * A worker that is well does not speak for the others: each may have its own file, address and connection. What needs a
 * person counts from whoever saw it, until that worker sees it no longer, stops, or is silent for long.
 */
function merge(library: string, all: readonly LibraryHealth[], nowMs: number): LibraryState {
  const rows = all.toSorted((a, b) => b.at_ms - a.at_ms);
  const fresh = rows.filter((row) => !isGone(row, nowMs));
  const counted = fresh.length > 0 ? fresh : rows.slice(0, 1);
  const lastFailureMs = largest(rows.map((row) => row.last_failure_ms));
  const answerMs = largest(counted.map((row) => row.answer_ms));
  const problem = counted.find((row) => row.problem !== null)?.problem ?? null;
  return {
    library,
    condition: conditionOf(counted, problem, answerMs),
    isOpen: counted.some((row) => row.open),
    openSinceMs: smallest(counted.map((row) => (row.open ? row.open_since_ms : null))),
    waiting: counted.reduce((sum, row) => sum + row.waiting, 0),
    lastSuccessMs: largest(rows.map((row) => row.last_success_ms)),
    lastFailureMs,
    lastFailure: rows.find((row) => row.last_failure_ms === lastFailureMs)?.last_failure ?? null,
    answerMs,
    problem,
    reportsRefused: refusalOfReports(counted),
  };
}

/** One worker's refusal is over once another worker's report was taken: the plugin is enabled again for both. */
function refusalOfReports(rows: readonly LibraryHealth[]): LibraryState['reportsRefused'] {
  const takenMs = largest(rows.map((row) => row.report_taken_ms)) ?? 0;
  const refusals = rows.map((row) => row.reports_refused).filter((each) => each !== null);
  const [first] = refusals
    .filter((each) => each.last_ms > takenMs)
    .toSorted((one, other) => one.since_ms - other.since_ms);
  return first === undefined ? null : { sinceMs: first.since_ms, code: first.code };
}

function conditionOf(
  rows: readonly LibraryHealth[],
  problem: LibraryHealth['problem'],
  answerMs: number | null,
): LibraryCondition {
  if (rows.length === 0) return 'unknown';
  if (problem !== null) return 'misconfigured';
  if (rows.some((row) => row.open)) return 'open';
  if (rows.some((row) => row.waiting > 0)) return 'crowded';
  return isSlow(answerMs) ? 'slow' : 'up';
}
