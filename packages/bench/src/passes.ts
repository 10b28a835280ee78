import { librariesWithUnremembered, trimCopyRecords } from '@passport/queue/copies';
import { readLibraryStates } from '@passport/queue/processes';
import { buildKeptSweep, readKept } from '@passport/queue/retention';
import { openScanQueue, readQueue } from '@passport/queue/scans';
import { nightlyOf, openSweepQueue, queueDue } from '@passport/queue/sweeps';
import { closeRedis, createLogger, createRedis, untilRedisReady, type Redis } from '@passport/runtime';
import { readUsed, usedEach } from './consortium-figures.ts';
import { preciseNow } from './figures.ts';
import { repeat } from './scenario.ts';
import type { Stack } from './start-stack.ts';

const TIMES = 20;
const READY_MS = 5_000;
const DAY_MS = 24 * 3_600_000;
const LIMITS = { keptFinished: 20_000, keptFailed: 5_000 };

/** What the processes do again and again for all libraries, whether somebody scans or not, by when it is done. */
function passesOf(
  redis: Redis,
  libraries: readonly string[],
): Readonly<Record<string, () => Promise<unknown>>> {
  const now = Math.floor(preciseNow());
  const queue = openScanQueue(redis);
  const sweepKept = buildKeptSweep(redis, queue, () => undefined);
  const limited = libraries.map((id) => ({ id, limits: LIMITS }));
  const nights = openSweepQueue(redis);
  const known = new Set<string>();
  // Nothing of it becomes due while it is measured.
  const at = { hour: (new Date(now).getHours() + 12) % 24, minute: 0 };
  const nightly = nightlyOf(
    libraries.map((id) => ({
      id,
      enabled: true,
      refresh: { sweep: at },
      owed: { read: at },
      loans: { count: at },
    })),
  );
  return {
    'every 5 s, ended events beyond the limits': () =>
      sweepKept(limited, { finished: DAY_MS, failed: 7 * DAY_MS }, now),
    'every 5 s, three nightly jobs of each library': () =>
      queueDue(redis, nights, nightly, { nowMs: now, known }),
    'every 15 s, what waits to be stored at a Koha': () => librariesWithUnremembered(redis, libraries),
    'every minute, records of copies past their time': () =>
      trimCopyRecords(redis, libraries, now - 400 * DAY_MS),
    'at a scrape, the backlogs': () => readQueue(redis, queue, libraries, now),
    'at a scrape, memory of each library': () => readKept(redis, libraries),
    'the state of each library, for dashboard and notifications': () =>
      readLibraryStates(redis, libraries, now),
  };
}

/** Processor time of one pass in ms, which no other work on the machine lengthens. */
interface Pass {
  readonly redis: number;
  readonly process: number;
}

/** What each of them costs Redis and the process that does it, with what is in Redis now. */
export async function measurePasses(
  stack: Stack,
  libraries: readonly string[],
): Promise<ReadonlyMap<string, Pass>> {
  const log = createLogger({ name: 'bench', level: 'fatal' });
  const redis = createRedis(stack.redis.url, { role: 'producer', log, name: 'bench' });
  await untilRedisReady(redis, READY_MS);
  const measured = new Map<string, Pass>();
  for (const [name, pass] of Object.entries(passesOf(redis, libraries))) {
    await pass();
    const [before, started] = [await readUsed(stack), process.cpuUsage()];
    await repeat(TIMES, pass);
    const { user, system } = process.cpuUsage(started);
    const used = usedEach(before, await readUsed(stack), TIMES);
    measured.set(name, { redis: used.redis, process: (user + system) / 1_000 / TIMES });
  }
  await closeRedis(redis);
  return measured;
}
