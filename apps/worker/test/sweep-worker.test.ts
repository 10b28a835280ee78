import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type SweepJob, openSweepQueue, readSchedules, readSweep } from '@passport/queue/sweeps';
import { leakGuard, waitFor } from '@passport/testkit';
import type { PauseLeft } from '../src/koha/pauses.ts';
import { openEmptyRedis } from './empty-redis.ts';
import { type Sweeps, startSweeps } from './start-sweeps.ts';
import { cardOf, openSweep } from './sweep-bench.ts';

const own = leakGuard({ beforeEach, afterEach });

const { redis, log, own: ownAll, connect } = await openEmptyRedis();
const queue = ownAll(openSweepQueue(redis));
queue.on('error', () => undefined);

/** A worker that ends with the test. */
async function startWorker(
  swept: Parameters<typeof startSweeps>[0],
  { sliceMs = 60_000, ...pauses }: { sliceMs?: number; pauseLeft?: PauseLeft } = {},
): Promise<Sweeps> {
  const slices = { sliceMs, lateMs: 60_000 };
  return own(await startSweeps(swept, { redis, log, connect }, { slices, ...pauses }));
}

const BY_HAND: SweepJob = { kind: 'sweep', library: 'riverside', dry_run: false, full: false };

const ended = (isDry: boolean) =>
  waitFor(
    'the sweep to end',
    async () => {
      const state = await readSweep(redis, 'riverside', isDry);
      return state !== null && state.ended_ms !== null ? state : undefined;
    },
    { timeoutMs: 25_000 },
  );

test('a library whose refresh is off is not swept, and a schedule from before ends', async () => {
  const bench = own(await openSweep(['midland'], redis));
  await startWorker(bench);
  const scheduled = async () => (await readSchedules(redis)).map(({ kind, library }) => `${kind} ${library}`);
  const nightly = ['set_up midland', 'set_up riverside'];
  expect((await scheduled()).toSorted()).toEqual([...nightly, 'sweep midland', 'sweep riverside']);
  const off = bench.consortium.libraries.map((library) => ({ ...library, refresh: null }));
  await startWorker({ ...bench, consortium: { ...bench.consortium, libraries: off } });
  expect((await scheduled()).toSorted()).toEqual(nightly);
});

test('a dry run by hand reports beside the last sweep, and writes nothing', async () => {
  const bench = own(await openSweep(['midland'], redis));
  bench.put('midland', 0);
  await bench.recordCopies();
  bench.homes['midland']?.putPatron(cardOf('midland', 0), { email: 'new@midland.example' });
  await startWorker(bench);
  await queue.add('riverside', { ...BY_HAND, dry_run: true });
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
  await startWorker({ ...bench, consortium: { ...bench.consortium, libraries: shutOut, agreements } });
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

test('a night looks at the homes that have copies on record, or had some when all were looked at', async () => {
  const bench = own(await openSweep(['midland', 'lakeside', 'hilltop', 'eastbay'], redis));
  bench.put('midland', 0);
  bench.put('eastbay', 0, { receipt: null });
  await bench.recordCopies();
  await startWorker(bench);
  await queue.add('riverside', BY_HAND);
  const first = await ended(false);
  expect([first.mode, Object.keys(first.homes)]).toEqual(['full', ['midland', 'eastbay']]);
  bench.put('lakeside', 0);
  await bench.recordCopies();
  await queue.add('riverside', BY_HAND);
  const second = await waitFor('the second sweep to end', async () => {
    const state = await readSweep(redis, 'riverside', false);
    return state?.mode === 'changed' && state.ended_ms !== null ? state : undefined;
  });
  const copies = Object.entries(second.homes).map(([home, each]) => [home, each.state, each.copies]);
  expect(copies).toEqual([
    ['midland', 'done', 1],
    ['lakeside', 'done', 1],
    ['eastbay', 'done', 1],
  ]);
  expect(bench.calls(bench.homes['hilltop'] as never)).toEqual([]);
});

test('two sweeps of one library run one after the other', async () => {
  const bench = own(await openSweep(['midland'], redis));
  bench.put('midland', 0);
  await bench.recordCopies();
  await redis.set('{passport}:sweep-lock:riverside', 'another');
  await startWorker(bench);
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

const failedReason = (id: string) =>
  waitFor('the sweep to fail', async () => {
    const job = await queue.getJob(id);
    return job?.finishedOn === undefined ? undefined : job.failedReason;
  });
/** Runs what waits for its next attempt now. */
async function retryNow(id: string): Promise<void> {
  await waitFor(
    'the next attempt to wait',
    async () => (await queue.getJobState(id)) === 'delayed' || undefined,
  );
  await (await queue.getJob(id))?.promote();
}

test('a job of a version that this worker does not know is left alone', async () => {
  const bench = own(await openSweep(['midland'], redis));
  await startWorker(bench);
  const { id = '' } = await queue.add('riverside', { ...BY_HAND, kind: 'something newer' } as never);
  await waitFor('it to end', async () => (await queue.getJobState(id)) === 'completed' || undefined);
  expect(bench.calls(bench.lender)).toEqual([]);
});

test('sweeps run in slices: a long one does not keep the next from beginning, and costs no attempt', async () => {
  const bench = own(await openSweep(['midland'], redis));
  for (let index = 0; index < 12; index += 1) bench.put('midland', index);
  await bench.recordCopies();
  await startWorker(bench, { sliceMs: 0 });
  const { id = '' } = await queue.add('riverside', BY_HAND);
  await waitFor(
    'the first sweep to be under way',
    async () =>
      ((await readSweep(redis, 'riverside', false))?.homes['midland']?.copies ?? 0) > 0 || undefined,
  );
  const other = await queue.add('midland', { ...BY_HAND, library: 'midland' });
  await waitFor(
    'the second one to end',
    async () => (await queue.getJobState(other.id ?? '')) === 'completed' || undefined,
  );
  expect((await readSweep(redis, 'riverside', false))?.ended_ms).toBeNull();
  expect(await ended(false)).toMatchObject({
    homes: { midland: { copies: 12, findings: { UNCHANGED: 12 } } },
  });
  await waitFor('its job to end', async () => (await queue.getJobState(id)) === 'completed' || undefined);
  expect((await queue.getJob(id))?.attemptsMade).toBe(1);
});

test('a paused library is looked at after its pause, and holds no place until then', async () => {
  const bench = own(await openSweep(['midland'], redis));
  const pauseLeft: PauseLeft = (library) => (library === 'riverside' ? 7_200_000 : null);
  await startWorker(bench, { pauseLeft });
  const { id = '' } = await queue.add('riverside', BY_HAND);
  await waitFor('it to be put off', async () => (await queue.getJobState(id)) === 'delayed' || undefined);
  expect(await queue.getJob(id)).toMatchObject({ attemptsMade: 0, stalledCounter: 0 });
  expect(await readSweep(redis, 'riverside', false)).toBeNull();
  expect(bench.calls(bench.lender)).toEqual([]);
});

test('a second sweep of the same library waits for the first one, whose slice is over', async () => {
  const bench = own(await openSweep(['midland'], redis));
  for (let index = 0; index < 12; index += 1) bench.put('midland', index);
  await bench.recordCopies();
  await startWorker(bench, { sliceMs: 0 });
  const { id = '' } = await queue.add('riverside', BY_HAND);
  const second = await queue.add('riverside', BY_HAND);
  expect((await ended(false)).job).toBe(id);
  await retryNow(second.id ?? '');
  await waitFor(
    'the second one to end',
    async () => (await queue.getJobState(second.id ?? '')) === 'completed' || undefined,
  );
  expect((await readSweep(redis, 'riverside', false))?.job).toBe(second.id);
});

test('a worker that stops gives the sweep back at once, and no attempt is counted', async () => {
  const bench = own(await openSweep(['midland'], redis));
  for (let index = 0; index < 60; index += 1) bench.put('midland', index);
  await bench.recordCopies();
  const worker = await startWorker(bench);
  const { id = '' } = await queue.add('riverside', BY_HAND);
  await waitFor('a call of the sweep', () => bench.calls(bench.lender).length > 0 || undefined);
  await worker.stop();
  expect((await readSweep(redis, 'riverside', false))?.ended_ms).toBeNull();
  await startWorker(bench);
  expect(await ended(false)).toMatchObject({ job: id, homes: { midland: { copies: 60 } } });
  await waitFor('its job to end', async () => (await queue.getJobState(id)) === 'completed' || undefined);
  expect((await queue.getJob(id))?.attemptsMade).toBe(1);
});

test('a sweep that the library refuses in the same way three times ends, and says why', async () => {
  const bench = own(await openSweep(['midland'], redis));
  bench.put('midland', 0);
  await bench.recordCopies();
  bench.lender.putSettings({ permissions: [] });
  await startWorker(bench);
  const { id = '' } = await queue.add('riverside', BY_HAND);
  for (let attempt = 0; attempt < 2; attempt += 1) await retryNow(id);
  expect(await failedReason(id)).toBe('riverside: permission');
  expect(await ended(false)).toMatchObject({ failed: 'riverside: permission' });
});

test('a sweep under which two workers died fails, and says so', async () => {
  const bench = own(await openSweep(['midland'], redis));
  for (let index = 0; index < 60; index += 1) bench.put('midland', index);
  await bench.recordCopies();
  const first = await startWorker(bench);
  const { id = '' } = await queue.add('riverside', BY_HAND);
  await waitFor('a call of the sweep', () => bench.calls(bench.lender).length > 0 || undefined);
  await first.stop();
  bench.lender.clearCalls();
  // What BullMQ notes of a job whose worker is gone, after it has stalled once before.
  await redis.hset(`{passport}:sweeps:${id}`, 'stc', 1);
  await redis.zrem('{passport}:sweeps:delayed', id);
  await redis.lpush('{passport}:sweeps:active', id);
  await redis.sadd('{passport}:sweeps:stalled', id);
  await redis.del('{passport}:sweeps:stalled-check');
  await startWorker(bench);
  const because = 'job stalled more than allowable limit';
  expect(await failedReason(id)).toBe(because);
  expect(await ended(false)).toMatchObject({ job: id, failed: because });
  expect(bench.calls(bench.lender)).toEqual([]);
});
