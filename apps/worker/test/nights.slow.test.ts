import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { openSweepQueue } from '@passport/queue/sweeps';
import type { Logger } from '@passport/runtime';
import { waitFor } from '@passport/testkit';
import { openEmptyRedis } from './empty-redis.ts';
import { type Sweeps, startSweeps } from './start-sweeps.ts';
import { type SweepBench, openSweep } from './sweep-bench.ts';

const HOMES = ['midland', 'lakeside', 'hilltop', 'seaside', 'valley'];
const LIBRARIES = ['riverside', ...HOMES];
/** More each night (`NIGHTLY`). */
const REPETITIONS = process.env['NIGHTLY'] ? 10 : 4;
/** From so long before the time to so long after it. */
const [FIRST_MS, LAST_MS] = [50, -40];
const LOOK_EVERY_MS = 10;
const HOUR_MS = 3_600_000;
/** Two in the morning: the time of all sweeps and of all readings. */
const TWO = new Date(2026, 10, 26, 2, 0).getTime();

const { redis, own: ownAll, connect } = await openEmptyRedis();
const queue = ownAll(openSweepQueue(redis));
queue.on('error', () => undefined);

let bench: SweepBench;
beforeAll(async () => {
  bench = await openSweep(HOMES, redis, { refresh: { sweep: '02:00' }, owed: { read: '02:00' } });
});
afterAll(() => bench.stop());

/** By the clock of Redis, which all processes have. */
let aheadMs = 0;
const realNow = Date.now;
const now = (): number => realNow() + aheadMs;
const setClock = (ms: number): void => {
  aheadMs = ms - realNow();
};
const pastTwo = (): Promise<unknown> => waitFor('two in the morning', () => now() > TWO || undefined);

/** What began, by kind and library. */
let began: string[] = [];
const log = {
  info({ action, lending }: { readonly action?: string; readonly lending?: string }) {
    if (action === 'sweep' || action === 'read what is owed') began.push(`${action} ${lending ?? ''}`);
  },
  warn: () => undefined,
  error: () => undefined,
} as unknown as Logger;

let running: Pick<Sweeps, 'stop'>[] = [];

/** One worker process: it looks for what is due at its start and again and again. */
async function startOne(): Promise<Pick<Sweeps, 'stop'>> {
  const sweeps = await startSweeps(bench, { redis, log, connect }, { now });
  const timer = setInterval(() => void sweeps.queueNights().catch(() => undefined), LOOK_EVERY_MS);
  return {
    stop() {
      clearInterval(timer);
      return sweeps.stop();
    },
  };
}
const startTwo = async (): Promise<void> => {
  running = await Promise.all([startOne(), startOne()]);
};
const stopAll = async (): Promise<void> => {
  await Promise.all(running.splice(0).map((worker) => worker.stop()));
};

beforeEach(() => {
  // As a worker does at its start.
  Date.now = now;
});
afterEach(async () => {
  await stopAll();
  Date.now = realNow;
});

/** The night before was as every night: all is scheduled, and nothing is due. Then it is so long before two. */
async function evening(beforeMs: number): Promise<void> {
  await redis.flushall();
  began = [];
  setClock(TWO - 5 * HOUR_MS);
  await startTwo();
  setClock(TWO - beforeMs);
}

async function eachRanOnce(): Promise<void> {
  const wanted = LIBRARIES.flatMap((id) => [`sweep ${id}`, `read what is owed ${id}`]).toSorted();
  // The checks of set-ups have nights of their own (set-up-night.test.ts).
  const countEnded = async (): Promise<number> => {
    const ended = await queue.getJobs(['completed', 'failed']);
    return ended.filter(({ data }) => data.kind !== 'set_up').length;
  };
  await waitFor('all sweeps and readings', async () => (await countEnded()) >= wanted.length || undefined);
  setClock(TWO + HOUR_MS);
  await stopAll();
  await startTwo();
  await waitFor(
    'nothing to be left',
    async () => (await queue.getJobCountByTypes('waiting', 'active', 'delayed')) === 0 || undefined,
  );
  // One that was stopped before its first page says again that it begins; it is the same job.
  expect([...new Set(began)].toSorted()).toEqual(wanted);
  expect(await countEnded()).toBe(wanted.length);
}

const replaceBoth = async (): Promise<void> => {
  const old = running.splice(0);
  await startTwo();
  await Promise.all(old.map((worker) => worker.stop()));
};

const DISTURBANCES: readonly (readonly [name: string, disturb: () => Promise<void>])[] = [
  ['a reload of the configuration', replaceBoth],
  [
    'a restart of all workers',
    async () => {
      await stopAll();
      await startTwo();
    },
  ],
  [
    'a stop over the time itself',
    async () => {
      await stopAll();
      await pastTwo();
      setClock(TWO + 2 * HOUR_MS);
      await startTwo();
    },
  ],
  ['a clock that jumps two hours ahead', async () => setClock(now() + 2 * HOUR_MS)],
  [
    'a clock that jumps two hours back',
    async () => {
      await pastTwo();
      await waitFor(
        'the first to be queued',
        async () => (await queue.getJobCountByTypes('waiting', 'active', 'completed')) > 0 || undefined,
      );
      setClock(now() - 2 * HOUR_MS);
      setClock(TWO - 20);
    },
  ],
  [
    'a clock that is two hours ahead for a while',
    async () => {
      setClock(now() + 2 * HOUR_MS);
      await waitFor(
        'the first to be queued',
        async () => (await queue.getJobCountByTypes('waiting', 'active', 'completed')) > 0 || undefined,
      );
      setClock(now() - 2 * HOUR_MS);
    },
  ],
];

test.each(DISTURBANCES)(
  'six libraries, two workers: every sweep and reading of a night runs once with %s near its time',
  async (_name, disturb) => {
    for (let repetition = 0; repetition < REPETITIONS; repetition += 1) {
      await evening(FIRST_MS + ((LAST_MS - FIRST_MS) * repetition) / (REPETITIONS - 1));
      await disturb();
      await pastTwo();
      await eachRanOnce();
      await stopAll();
    }
  },
  240_000,
);
