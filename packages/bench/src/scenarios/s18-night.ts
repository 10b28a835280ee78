import { type CopiesJob, openSweepQueue, readSweep } from '@passport/queue/sweeps';
import { closeRedis, createLogger, createRedis, untilRedisReady, type Redis } from '@passport/runtime';
import { REMEMBERED_SOON, waitFor } from '@passport/testkit';
import { readUsed, usedEach } from '../consortium-figures.ts';
import { preciseNow } from '../figures.ts';
import { SWEPT, prefixOf, startConsortium, type Consortium } from '../many-libraries.ts';
import { sizeRows, type Figures, type Measured } from '../row.ts';
import { many, type Run } from '../scenario.ts';
import { scanOf } from '../start-stack.ts';

/** Of docs/scale.md; the first is what the others are compared with. */
const SIZES = [50, 500, 2_000] as const;
const SMOKE_SIZES = [10, 20] as const;
const LATENCY_MS = 50;
/** Home libraries that have copies at the library which is swept, and how many of each there are. */
const HOMES = 40;
const COPIES = 5;
const AT_ONCE = 20;

const READY_MS = 5_000;
const LOOK_MS = 100;
const REMEMBERED_MS = 60_000;
const JOB_MS = 3_600_000;

/** What a night costs at one lending library among so many, all of whose patrons it serves, and of whom those of some homes came. */
export async function measureNight(run: Run): Promise<readonly Measured[]> {
  const sizes: readonly number[] = run.isQuick ? SMOKE_SIZES : SIZES;
  const measured = new Map<number, Figures>();
  for (const libraries of sizes) {
    const figures = await measureSize(run, libraries);
    measured.set(libraries, figures);
    for (const [what, [value, unit]] of figures)
      run.progress(`${libraries} libraries, ${what}: ${value.toPrecision(4)} ${unit}`);
  }
  return sizeRows(measured);
}

async function measureSize(run: Run, libraries: number): Promise<Figures> {
  const [homes, copies] = [many(run, HOMES, 5), many(run, COPIES, 2)];
  const scans = homes * copies;
  const alike = { patrons: copies, items: 1 };
  const options = { latencyMs: LATENCY_MS, alike, itemsOfSwept: scans, env: REMEMBERED_SOON };
  const consortium = await startConsortium(libraries, 0, options);
  const log = createLogger({ name: 'bench', level: 'fatal' });
  const redis = createRedis(consortium.stack.redis.url, { role: 'producer', log, name: 'bench' });
  try {
    await untilRedisReady(redis, READY_MS);
    await visit(consortium, homes, scans);
    const library = SWEPT;
    const sweep = { kind: 'sweep', library, dry_run: false } as const;
    return new Map([
      ...(await measureJob(consortium, redis, 'full sweep', { ...sweep, full: true })),
      ...(await measureJob(consortium, redis, 'sweep of changed records', { ...sweep, full: false })),
      ['copies that were looked at', [await copiesSwept(redis), 'copies']],
      ...(await measureJob(consortium, redis, 'reading of what is owed', { kind: 'owed', library })),
      ...(await measureJob(consortium, redis, 'counting of loans', { kind: 'loans', library })),
      ...(await measureJob(consortium, redis, 'check of the set-up', { kind: 'set_up', library })),
    ]);
  } finally {
    await closeRedis(redis);
    await consortium.stack.stop();
  }
}

/** Has patrons of these homes come to the library that is swept, and waits until its Koha remembers what was written. */
async function visit({ stack, libraries }: Consortium, homes: number, scans: number): Promise<void> {
  let next = 0;
  const scanOn = async (): Promise<void> => {
    while (next < scans) {
      const index = next++;
      const home = (index % homes) * Math.floor(libraries / homes);
      await stack.timeScan(scanOf(Math.floor(index / homes), prefixOf(home), index), SWEPT);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, scanOn));
  const isRemembered = async (): Promise<boolean> =>
    Number(await stack.redis.call('EXISTS', `{passport}:unremembered:${SWEPT}`)) === 0;
  await waitFor('what was written to be remembered', isRemembered, {
    timeoutMs: REMEMBERED_MS,
    everyMs: LOOK_MS,
  });
}

/** One job of a night: from when it is queued until it has ended. */
async function measureJob(
  { stack }: Consortium,
  redis: Redis,
  what: string,
  job: CopiesJob,
): Promise<readonly (readonly [string, readonly [number, string]])[]> {
  const queue = openSweepQueue(redis);
  const [before, written, startedAt] = [await readUsed(stack), await inputBytes(redis), preciseNow()];
  const { id = '' } = await queue.add(SWEPT, job);
  const isEnded = async (): Promise<boolean> => (await queue.getJobState(id)) === 'completed';
  await waitFor(what, isEnded, { timeoutMs: JOB_MS, everyMs: LOOK_MS });
  const seconds = (preciseNow() - startedAt) / 1_000;
  const used = usedEach(before, await readUsed(stack), 1);
  const bytes = (await inputBytes(redis)) - written;
  await queue.close();
  return [
    [`${what}, time`, [seconds, 's']],
    [`${what}, processor time of the worker`, [used.worker, 'ms']],
    [`${what}, processor time of Redis`, [used.redis, 'ms']],
    [`${what}, sent to Redis`, [bytes / 1_024, 'KB']],
  ];
}

/** Copies that a sweep has looked at: all of them, or the rest of its figures says nothing. */
async function copiesSwept(redis: Redis): Promise<number> {
  const sweep = await readSweep(redis, SWEPT, false);
  return Object.values(sweep?.homes ?? {}).reduce((sum, { copies }) => sum + copies, 0);
}

async function inputBytes(redis: Redis): Promise<number> {
  return Number(/^total_net_input_bytes:(\d+)/m.exec(await redis.info('stats'))?.[1] ?? Number.NaN);
}
