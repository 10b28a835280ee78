import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { openReceipts, openSweepQueue, readSweep } from '@passport/queue';
import { closeRedis } from '@passport/runtime';
import { leakGuard, waitFor } from '@passport/testkit';
import { startSweepWorker } from '../src/sweep/sweep-worker.ts';
import { openEmptyRedis } from './empty-redis.ts';
import { type SweepBench, cardOf, openSweep } from './sweep-bench.ts';

const own = leakGuard({ beforeEach, afterEach });

const { redis, log, own: ownAll, connect } = await openEmptyRedis();
const queue = ownAll(openSweepQueue(redis));
queue.on('error', () => undefined);

async function startWorkers(
  { consortium, libraries }: Pick<SweepBench, 'consortium' | 'libraries'>,
  count: number,
) {
  for (let index = 0; index < count; index += 1) {
    const connection = await connect(`sweeps ${index}`);
    const worker = await startSweepWorker({
      consortium,
      connection,
      redis,
      receipts: openReceipts(redis),
      keys: [{ reveal: () => Buffer.alloc(32, 7) }] as never,
      libraries,
      isBusy: () => false,
      pause: () => Promise.resolve(),
      monotonicNow: () => performance.now(),
      newId: randomUUID,
      now: Date.now,
      log,
    });
    own({
      async stop() {
        await worker.close();
        await closeRedis(connection);
      },
    });
  }
}

const ended = (isDry: boolean) =>
  waitFor('the sweep to end', async () => {
    const state = await readSweep(redis, 'riverside', isDry);
    return state !== null && state.ended_ms !== null ? state : undefined;
  });

test('a schedule fires once, however many workers there are', async () => {
  const bench = own(await openSweep(['midland'], redis));
  bench.put('midland', 0);
  await bench.recordCopies();
  bench.homes['midland']?.putPatron(cardOf('midland', 0), { email: 'new@midland.example' });
  await startWorkers(bench, 3);
  const scheduled = (await queue.getDelayed()).filter(({ name }) => name === 'riverside');
  expect(scheduled).toHaveLength(1);
  expect(new Date((scheduled[0]?.timestamp ?? 0) + (scheduled[0]?.delay ?? 0)).getHours()).toBe(2);

  await scheduled[0]?.promote();
  expect(await ended(false)).toMatchObject({
    mode: 'full',
    homes: { midland: { findings: { REFRESHED: 1 } } },
  });
  const writes = bench.calls(bench.lender).filter((call) => call === 'PUT /patrons/{patron_id}');
  expect(writes).toHaveLength(1);
  const next = await queue.getDelayed();
  expect(next.filter(({ name }) => name === 'riverside')).toHaveLength(1);
});

test('a library whose refresh is off is not swept, and a schedule from before ends', async () => {
  const bench = own(await openSweep(['midland'], redis));
  await startWorkers(bench, 1);
  expect((await queue.getJobSchedulers()).map(({ key }) => key).toSorted()).toEqual(['midland', 'riverside']);
  const off = bench.consortium.libraries.map((library) => ({ ...library, refresh: null }));
  await startWorkers({ ...bench, consortium: { ...bench.consortium, libraries: off } }, 1);
  expect(await queue.getJobSchedulers()).toEqual([]);
});

test('a dry run by hand reports beside the last sweep, and writes nothing', async () => {
  const bench = own(await openSweep(['midland'], redis));
  bench.put('midland', 0);
  await bench.recordCopies();
  bench.homes['midland']?.putPatron(cardOf('midland', 0), { email: 'new@midland.example' });
  await startWorkers(bench, 1);
  await queue.add('riverside', { kind: 'sweep', library: 'riverside', dry_run: true, full: false });
  expect(await ended(true)).toMatchObject({
    dry_run: true,
    homes: { midland: { findings: { REFRESHED: 1 } } },
  });
  expect(await readSweep(redis, 'riverside', false)).toBeNull();
  expect(bench.calls(bench.lender).filter((call) => call.startsWith('PUT'))).toEqual([]);
});

test('a library that was shut out since is not swept, and no sweep of it counts as done', async () => {
  const bench = own(await openSweep(['midland'], redis));
  bench.put('midland', 0);
  await bench.recordCopies();
  const shutOut = bench.consortium.libraries.map((each) => ({ ...each, enabled: each.id !== 'riverside' }));
  const agreements = { ...bench.consortium.agreements, at: () => [], homesAt: () => new Set<string>() };
  await startWorkers({ ...bench, consortium: { ...bench.consortium, libraries: shutOut, agreements } }, 1);
  const { id = '' } = await queue.add('riverside', {
    kind: 'sweep',
    library: 'riverside',
    dry_run: false,
    full: false,
  });
  const failed = await waitFor('the sweep to fail', async () => {
    const job = await queue.getJob(id);
    return job?.failedReason === undefined ? undefined : job;
  });
  expect(failed.failedReason).toBe('riverside is not enabled');
  expect(bench.calls(bench.lender)).toEqual([]);
  expect(await readSweep(redis, 'riverside', false)).toBeNull();
});

test('two sweeps of one library run one after the other', async () => {
  const bench = own(await openSweep(['midland'], redis));
  bench.put('midland', 0);
  await bench.recordCopies();
  await redis.set('{passport}:sweep-lock:riverside', 'another');
  await startWorkers(bench, 1);
  const job = await queue.add('riverside', {
    kind: 'sweep',
    library: 'riverside',
    dry_run: false,
    full: false,
  });
  await waitFor('the sweep to be put off', async () => (await job.getState()) === 'delayed' || undefined);
  expect(bench.calls(bench.lender)).toEqual([]);
  await redis.del('{passport}:sweep-lock:riverside');
  await (await queue.getJob(job.id ?? ''))?.promote();
  await ended(false);
});
