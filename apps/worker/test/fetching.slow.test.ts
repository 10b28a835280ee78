import { afterEach, describe, expect, test } from '@jest/globals';
import { readProcesses } from '@passport/queue/processes';
import { type FaultProxy, startFaultProxy, waitFor } from '@passport/testkit';
import { closeRedis, createLogger, createRedis } from '@passport/runtime';
import {
  type RunningWorker,
  type WorkerBench,
  type WorkerOptions,
  type WorkerPlan,
  openWorkers,
} from './worker-bench.ts';

/** Faults of the connections between one worker and a real Redis. */
let bench: WorkerBench;
const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
  await bench.close();
});

/** As shipped, in seconds: BullMQ itself gives up a fetch that does not come back a second after its time. */
const QUICK = { blockMs: 500, lateMs: 2_000, deadMs: 3_000, endMs: 600_000, checkMs: 100 };

async function open(
  options: WorkerOptions = {},
  plan: WorkerPlan = {},
): Promise<{ proxy: FaultProxy; worker: RunningWorker }> {
  bench = await openWorkers(plan);
  const proxy = await startFaultProxy({ target: bench.redis.port });
  closers.push(() => proxy.close());
  const worker = await bench.startWorker({ redisPort: proxy.port, timings: QUICK, ...options });
  expect([await worker.probe('livez'), await worker.probe('readyz')]).toEqual([200, 200]);
  return { proxy, worker };
}

const lines = ({ logged }: RunningWorker, message: string): readonly Record<string, unknown>[] =>
  logged.filter(({ msg }) => msg === message);

/** Redis hangs up on the connections on which workers block, and on no other. */
async function cutBlockingConnections(): Promise<void> {
  const clients = String(await bench.redis.call('CLIENT', 'LIST'));
  const ids = [...clients.matchAll(/^id=(\d+) .*name=\{passport\}:/gm)].map(([, id]) => id ?? '');
  // One for each queue: scans, reports, sweeps.
  expect(ids).toHaveLength(3);
  for (const id of ids) await bench.redis.call('CLIENT', 'KILL', 'ID', id);
}

/** The worker takes jobs again, and nothing was lost. */
async function expectRecovered(worker: RunningWorker, waiting: readonly string[]): Promise<void> {
  for (const eventId of waiting)
    expect(await bench.follow(eventId, undefined, 40_000)).toMatchObject({ outcome: 'NOT_FOUND' });
  await waitFor('it to be live and ready', async () =>
    [await worker.probe('livez'), await worker.probe('readyz')].every((status) => status === 200),
  );
  await waitFor('the end in the log', () => lines(worker, 'jobs are fetched again').length > 0);
}

const acceptSome = (): Promise<string[]> =>
  Promise.all(['1', '2', '3'].map((last) => bench.accept({ card: `2123400000009${last}`, item: null })));

describe('a worker that cannot fetch jobs is neither ready nor live, says so, and recovers', () => {
  test.each<[string, (proxy: FaultProxy) => Promise<void>]>([
    [
      'when new connections are swallowed and only those that fetch had to be new',
      async (proxy) => {
        await proxy.setMode('swallow');
        await cutBlockingConnections();
      },
    ],
    ['when every connection is reset', (proxy) => proxy.setMode('reset')],
  ])(
    '%s',
    async (_which, breakConnections) => {
      const { proxy, worker } = await open();
      await breakConnections(proxy);
      const waiting = await acceptSome();

      await waitFor('it not to be ready', async () => (await worker.probe('readyz')) === 503, {
        timeoutMs: 30_000,
      });
      await waitFor('it not to be live', async () => (await worker.probe('livez')) === 503, {
        timeoutMs: 30_000,
      });
      expect(lines(worker, 'no jobs can be fetched').map(({ queue }) => queue)).toContain('scans');
      await waitFor('its connection in the log', () => lines(worker, 'Redis does not answer').length > 0, {
        timeoutMs: 30_000,
      });
      await proxy.setMode('pass');
      await expectRecovered(worker, waiting);
    },
    90_000,
  );

  test('where only what was open falls silent it recovers by itself, at once', async () => {
    const { proxy, worker } = await open({ timings: { ...QUICK, lateMs: 20_000, deadMs: 20_000 } });
    await proxy.setMode('freeze');
    const waiting = await acceptSome();
    for (const eventId of waiting)
      expect(await bench.follow(eventId, undefined, 20_000)).toMatchObject({ outcome: 'NOT_FOUND' });
    await waitFor('each outage to have ended', () => {
      const [begun, ended] = [lines(worker, 'Redis does not answer'), lines(worker, 'Redis answers again')];
      return begun.length > 0 && begun.length === ended.length;
    });
    expect(await worker.probe('livez')).toBe(200);
  }, 60_000);
});

describe('other processes', () => {
  test('know of no worker before it takes jobs, nor of one that takes none any more', async () => {
    bench = await openWorkers();
    const proxy = await startFaultProxy({ target: bench.redis.port });
    closers.push(() => proxy.close());
    const log = createLogger({ name: 'test', level: 'silent' });
    const redis = createRedis(bench.redis.url, { role: 'reader', log, name: 'test' });
    closers.push(() => closeRedis(redis));
    const live = async () => (await readProcesses(redis)).filter(({ isLive }) => isLive).length;

    await proxy.setMode('swallow');
    let worker: RunningWorker | undefined;
    const started = bench.startWorker({
      redisPort: proxy.port,
      timings: QUICK,
      started: (starting) => {
        worker = starting;
      },
    });
    await waitFor('it to try', () => proxy.accepted() > 1);
    await waitFor('its admin port', async () => (await worker?.probe('livez')) === 200);
    expect(await worker?.probe('readyz')).toBe(503);
    expect(await live()).toBe(0);

    await proxy.setMode('pass');
    const { probe } = await started;
    expect(await probe('readyz')).toBe(200);
    await waitFor('it to be announced', async () => (await live()) === 1);

    await proxy.setMode('swallow');
    await cutBlockingConnections();
    await waitFor('it to be missed', async () => (await live()) === 0, { timeoutMs: 40_000 });
    expect(await probe('readyz')).toBe(503);
  }, 90_000);
});

test('a worker whose fetch stays dead ends itself, and says why', async () => {
  const { proxy, worker } = await open({ timings: { ...QUICK, endMs: 4_000 }, graceMs: 500 });
  await proxy.setMode('swallow');
  await cutBlockingConnections();
  const ended = () => lines(worker, 'stopped').filter(({ reason }) => reason === 'no jobs could be fetched');
  await waitFor('its end', () => ended().length > 0, { timeoutMs: 60_000 });

  expect(
    lines(worker, 'no jobs could be fetched for too long: the process ends, to be started again'),
  ).toHaveLength(1);
  expect(ended()).toMatchObject([{ code: 1 }]);
}, 90_000);

test('a worker that is busy with one long job for each of its slots is well', async () => {
  const { worker } = await open({ concurrency: 1 }, { defaults: { koha: { timeout: '20s' } } });
  bench.midland.addFaults([{ operation: 'GET /patrons', kind: 'delay', ms: 6_000 }]);
  await bench.accept();
  await waitFor('the job to be under way', () => bench.midland.calls().length > 0);
  const endsAt = performance.now() + 5_000;
  await waitFor(
    'five seconds to pass',
    async () => {
      expect(await worker.probe('readyz')).toBe(200);
      return performance.now() >= endsAt;
    },
    { timeoutMs: 10_000, everyMs: 200 },
  );
  expect(lines(worker, 'no jobs can be fetched')).toEqual([]);
}, 30_000);
