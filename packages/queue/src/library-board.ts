import { PROBLEMS } from '@passport/contract';
import type { Redis } from '@passport/runtime';
import { z } from 'zod';
import { libraryKey } from './keys.ts';

const sightingSchema = z.object({
  open: z.boolean(),
  last_success_ms: z.number().nullable(),
  last_failure_ms: z.number().nullable(),
  last_failure: z.string().nullable(),
  answer_ms: z.number().nullable(),
  problem: z.object({ what: z.enum(PROBLEMS), name: z.string().nullable() }).nullable(),
  at_ms: z.number(),
});

/**
 * What one worker process last saw of one library; codes and times only. `open`: whether this worker's circuit for it
 * is open. `last_failure`: a code such as `timeout`. `answer_ms`: moving average of the time of its answers.
 * `problem`: set when a job ended MISCONFIGURED for it, until it succeeds again.
 */
export type LibrarySighting = Readonly<z.infer<typeof sightingSchema>>;

export type LibraryCondition = 'unknown' | 'up' | 'slow' | 'open' | 'misconfigured';

/** A library as the dashboard shows it: the sightings of all workers merged. `answerMs`: of the worker it is slowest for. */
export interface LibraryState {
  readonly library: string;
  readonly condition: LibraryCondition;
  readonly lastSuccessMs: number | null;
  readonly lastFailureMs: number | null;
  readonly lastFailure: string | null;
  readonly answerMs: number | null;
  readonly problem: LibrarySighting['problem'];
}

/** A worker that has said nothing for this long is gone, and what it saw no longer counts. */
const SIGHTING_LIFE_MS = 10 * 60_000;
const BOARD_LIFE_SECONDS = 24 * 3600;
/** Answers slower than this make a person at a desk look up. */
const SLOW_ANSWER_MS = 1_000;

/** Writes what worker `workerId` saw of a library, and forgets workers that are gone. */
export async function writeSighting(
  redis: Redis,
  library: string,
  workerId: string,
  sighting: LibrarySighting,
): Promise<void> {
  const key = libraryKey(library);
  const gone = Object.entries(await redis.hgetall(key))
    .filter(([id, text]) => id !== workerId && isGone(parseSighting(text), sighting.at_ms))
    .map(([id]) => id);
  if (gone.length > 0) await redis.hdel(key, ...gone);
  await redis.hset(key, workerId, JSON.stringify(sighting));
  await redis.expire(key, BOARD_LIFE_SECONDS);
}

/**
 * Marks what worker `workerId` saw as of a worker that is gone: it is shown only while no other has a word. For its
 * stop, so that the next worker's view counts at once.
 */
export async function retireSightings(
  redis: Redis,
  libraries: readonly string[],
  workerId: string,
): Promise<void> {
  for (const library of libraries) {
    const key = libraryKey(library);
    const sighting = parseSighting((await redis.hget(key, workerId)) ?? '');
    if (sighting !== null) await redis.hset(key, workerId, JSON.stringify({ ...sighting, at_ms: 0 }));
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
      const rows = Object.values(await redis.hgetall(libraryKey(library))).map(parseSighting);
      return merge(
        library,
        rows.filter((row) => row !== null),
        nowMs,
      );
    }),
  );
}

/** Null: written by a worker of another version, or damaged, which is as good as gone. */
function parseSighting(text: string): LibrarySighting | null {
  try {
    return sightingSchema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

function isGone(sighting: LibrarySighting | null, nowMs: number): boolean {
  return sighting === null || nowMs - sighting.at_ms > SIGHTING_LIFE_MS;
}

function largest(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : Math.max(...known);
}

/**
 * A worker that is well does not speak for the others: each may have its own file, address and connection. What needs a
 * person counts from whoever saw it, until that worker sees it no longer, stops, or is silent for long.
 */
function merge(library: string, all: readonly LibrarySighting[], nowMs: number): LibraryState {
  const rows = all.toSorted((a, b) => b.at_ms - a.at_ms);
  const fresh = rows.filter((row) => !isGone(row, nowMs));
  const counted = fresh.length > 0 ? fresh : rows.slice(0, 1);
  const lastFailureMs = largest(rows.map((row) => row.last_failure_ms));
  const answerMs = largest(counted.map((row) => row.answer_ms));
  const problem = counted.find((row) => row.problem !== null)?.problem ?? null;
  return {
    library,
    condition: conditionOf(counted, problem, answerMs),
    lastSuccessMs: largest(rows.map((row) => row.last_success_ms)),
    lastFailureMs,
    lastFailure: rows.find((row) => row.last_failure_ms === lastFailureMs)?.last_failure ?? null,
    answerMs,
    problem,
  };
}

function conditionOf(
  rows: readonly LibrarySighting[],
  problem: LibrarySighting['problem'],
  answerMs: number | null,
): LibraryCondition {
  if (rows.length === 0) return 'unknown';
  if (problem !== null) return 'misconfigured';
  if (rows.some((row) => row.open)) return 'open';
  return (answerMs ?? 0) > SLOW_ANSWER_MS ? 'slow' : 'up';
}
