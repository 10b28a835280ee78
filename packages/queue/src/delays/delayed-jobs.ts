import type { Redis } from '@passport/runtime';
import type { PauseSide } from '../processes/index.ts';
import { type DelayedKind, PAUSED, SCANS, REPORTS, delayedKey, delayedLibrariesKey } from '../keys.ts';
import { promote } from '../bullmq/index.ts';
import type { ScanJobs } from '../scans/index.ts';
import type { ReportJobs } from '../reports/index.ts';

const PROMOTE_BATCH = 100;
/** A delayed job is due after a minute or two anyway: ids older than this wait for nobody. */
const DELAYED_LIFE_SECONDS = 15 * 60;

/** Notes that a job waits for a library's circuit. Called before the job is moved, so that no promotion misses it. */
export async function noteDelayed(redis: Redis, library: string, jobId: string): Promise<void> {
  await note(redis, library, [jobId], SCANS);
}

/** The same for a report to the library. */
export async function noteDelayedReport(redis: Redis, library: string, jobId: string): Promise<void> {
  await note(redis, library, [jobId], REPORTS);
}

/** Notes that a job waits for the end of a library's pause. */
export async function notePaused(
  redis: Redis,
  library: string,
  side: PauseSide,
  jobId: string,
): Promise<void> {
  await note(redis, pausedName(library, side), [jobId], PAUSED);
}

/** A library's id has no dot. */
const pausedName = (library: string, side: PauseSide): string => `${library}.${side}`;

/** Promotes the jobs that wait for pauses which are over, whoever has delayed them. */
export async function promotePaused(
  redis: Redis,
  queue: ScanJobs,
  isPaused: (library: string, side: PauseSide) => boolean,
): Promise<void> {
  for (const name of await librariesWithDelayed(redis, PAUSED)) {
    const [library = '', side] = name.split('.');
    if (!isPaused(library, side === 'home' ? 'home' : 'lending'))
      await promoteAll(redis, queue, name, PAUSED);
  }
}

/** How many reports wait for the library's circuit, or did when they were last tried. */
export async function countDelayedReports(redis: Redis, library: string): Promise<number> {
  return redis.scard(delayedKey(library, REPORTS));
}

async function note(
  redis: Redis,
  library: string,
  jobIds: readonly string[],
  kind: DelayedKind,
): Promise<void> {
  await Promise.all([
    redis.sadd(delayedKey(library, kind), ...jobIds),
    redis.expire(delayedKey(library, kind), DELAYED_LIFE_SECONDS),
    redis.sadd(delayedLibrariesKey(kind), library),
  ]);
}

/** The libraries that jobs (or reports) wait for, whichever worker delayed them. */
export async function librariesWithDelayed(redis: Redis, kind: DelayedKind = SCANS): Promise<string[]> {
  return redis.smembers(delayedLibrariesKey(kind));
}

/**
 * Promotes at most `most` of a queue's jobs that wait for a library, whoever delayed them, in batches; returns how many. A
 * job that is no longer delayed (it was due) is passed over; one that is only about to be delayed stays noted.
 * Priorities stay.
 */
export async function promoteDelayed(
  redis: Redis,
  queue: ScanJobs | ReportJobs,
  library: string,
  most = Infinity,
): Promise<number> {
  return promoteAll(redis, queue, library, queue.name === REPORTS ? REPORTS : SCANS, most);
}

async function promoteAll(
  redis: Redis,
  queue: ScanJobs | ReportJobs,
  library: string,
  kind: DelayedKind,
  most = Infinity,
): Promise<number> {
  const key = delayedKey(library, kind);
  const notYet: string[] = [];
  let promoted = 0;
  while (promoted < most) {
    const ids = await redis.spop(key, Math.min(PROMOTE_BATCH, most - promoted));
    if (ids.length === 0) {
      if (notYet.length === 0) await strikeOff(redis, library, kind);
      break;
    }
    const results = await Promise.all(
      ids.map(async (id) => ({ id, result: await promote(await queue.getJob(id)) })),
    );
    promoted += results.filter(({ result }) => result === 'promoted').length;
    notYet.push(...results.filter(({ result }) => result === 'not_yet').map(({ id }) => id));
  }
  if (notYet.length > 0) await note(redis, library, notYet, kind);
  return promoted;
}

/** Nobody waits for the library any more, unless somebody has come in between. */
async function strikeOff(redis: Redis, library: string, kind: DelayedKind): Promise<void> {
  const libraries = delayedLibrariesKey(kind);
  await redis.srem(libraries, library);
  if ((await redis.scard(delayedKey(library, kind))) > 0) await redis.sadd(libraries, library);
}
