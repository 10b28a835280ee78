import { once } from 'node:events';
import { Writable } from 'node:stream';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { addScans, buildClaimCreate, buildJobDataWriter, cancelEvent, openScanQueue } from '@passport/queue';
import { RedisUnavailable, closeRedis, createLogger, createRedis, untilRedisReady } from '@passport/runtime';
import { leakGuard, startRedis, waitFor } from '@passport/testkit';
import type { RunResult } from '../src/job/run-result.ts';
import { type ScanWork, startScanWorker } from '../src/job/process-scan.ts';
import { buildWorkerLoad } from '../src/job/worker-load.ts';
import { jobData } from './builders.ts';

const own = leakGuard({ beforeEach, afterEach });

const bug = (code: string): Error => Object.assign(new TypeError('of ours'), { code });

/** A worker whose work is the test's own, on a real Redis with one job of riverside. */
async function work(plan: Partial<ScanWork>, attemptsMade = 0) {
  const server = own(await startRedis());
  const logged: Record<string, unknown>[] = [];
  const destination = new Writable({
    write(line: Buffer, _encoding, done) {
      logged.push(JSON.parse(line.toString()) as Record<string, unknown>);
      done();
    },
  });
  const log = createLogger({ name: 'worker', level: 'trace', destination });
  const connection = createRedis(server.url, { role: 'worker', log, name: 'worker' });
  own({ stop: () => closeRedis(connection) });
  await untilRedisReady(connection, 2_000);
  const queue = openScanQueue(connection);
  own({ stop: () => queue.close() });
  await addScans(queue, [{ job: jobData(), priority: 1 }]);
  if (attemptsMade > 0)
    await server.call('HSET', '{passport}:scans:riverside.evt_1', 'atm', String(attemptsMade));
  const nothing = (): Promise<void> => Promise.resolve();
  const worker = startScanWorker({
    connection,
    concurrency: 2,
    load: buildWorkerLoad(2),
    retention: { finishedMs: 60_000, failedMs: 60_000 },
    work: {
      run: () => Promise.reject(new Error('no work was planned')),
      recordEnd: nothing,
      settle: nothing,
      reportEnd: nothing,
      endAgain: nothing,
      beforeDelay: nothing,
      afterDelay: nothing,
      ...plan,
    },
    jobData: buildJobDataWriter(connection),
    claimCreate: buildClaimCreate(connection),
    endCheck: { writing: () => undefined, finished: () => undefined, settled: nothing },
    deadline: new AbortController().signal,
    monotonicNow: () => performance.now(),
    now: Date.now,
    log,
  });
  own({ stop: () => worker.close() });
  return { queue, logged, connection, job: () => queue.getJob('riverside.evt_1') };
}

test.each(['ERR_INVALID_ARG_TYPE', 'ERR_ASSERTION', 'ENOSPC'])(
  'a run that meets a bug (%s) counts as an attempt, waits for the next, and leaves a stack in the log',
  async (code) => {
    let runs = 0;
    const { job, logged } = await work({
      run: () => {
        runs += 1;
        return Promise.reject(bug(code));
      },
    });

    const lines = await waitFor('two bugs in the log', () => {
      const bugs = logged.filter(({ msg }) => msg === 'a job met a bug');
      return bugs.length === 2 ? bugs : null;
    });

    expect({ runs, attempts: (await job())?.attemptsMade }).toEqual({ runs: 2, attempts: 2 });
    expect(lines[0]).toMatchObject({ error: { code, stack: expect.stringContaining('bugs.test.ts') } });
  },
);

test('trouble of Redis itself is no attempt', async () => {
  let runs = 0;
  const done = { ...jobData().progress, state: 'done', outcome: 'NOT_FOUND' } as const;
  const end: RunResult = { kind: 'done_before', job: jobData({ progress: done }) };
  const { job } = await work({
    run: () => {
      runs += 1;
      return runs > 1 ? Promise.resolve(end) : Promise.reject(bug('ECONNRESET'));
    },
  });

  const finished = await waitFor('the job to be finished', async () => {
    const now = await job();
    return now?.finishedOn === undefined ? null : now;
  });
  expect(finished.attemptsMade).toBe(1);
});

test('a bug in what follows the end of a job keeps it from being finished five times, and not for ever', async () => {
  const done = { ...jobData().progress, state: 'done', outcome: 'NOT_FOUND' } as const;
  const { job, logged } = await work(
    {
      run: () => Promise.resolve({ kind: 'done_before', job: jobData({ progress: done }) }),
      settle: () => Promise.reject(bug('ERR_INVALID_ARG_TYPE')),
    },
    5,
  );

  await waitFor('the job to be finished', async () => (await job())?.finishedOn !== undefined);
  expect(await (await job())?.getState()).toBe('completed');
  expect(logged.map(({ msg }) => msg)).toContain('what follows the end of a job was given up');
});

test('what has left is on record even when the run ends while Redis is away', async () => {
  let disconnect: (() => Promise<unknown>) | null = null;
  let runs = 0;
  const recorded: number[] = [];
  const ended = jobData({ progress: { ...jobData().progress, state: 'done', outcome: 'NOT_FOUND' } });
  const { connection, job } = await work({
    async run() {
      runs += 1;
      if (runs > 1) return { kind: 'done_before', job: ended };
      await (
        await waitFor('a connection to lose', () => disconnect)
      )();
      return { kind: 'done', outcome: 'NOT_FOUND', job: ended, data: ended, ifCancelled: null };
    },
    recordEnd() {
      recorded.push(runs);
      return Promise.resolve();
    },
  });
  disconnect = () => {
    const closed = once(connection, 'close');
    connection.disconnect(true);
    return closed;
  };

  await waitFor('the job to end', async () => (await job())?.finishedOn !== undefined);
  expect(recorded).toEqual([1, 2]);
});

test('what has left is on record before the job is finished, also when Redis took its end alone', async () => {
  const ended = jobData({ progress: { ...jobData().progress, state: 'done', outcome: 'NOT_FOUND' } });
  let runs = 0;
  const recorded: number[] = [];
  const { job } = await work({
    run() {
      runs += 1;
      if (runs > 1) return Promise.resolve({ kind: 'done_before', job: ended });
      return Promise.resolve({
        kind: 'done',
        outcome: 'NOT_FOUND',
        job: ended,
        data: ended,
        ifCancelled: null,
      });
    },
    recordEnd() {
      if (runs === 1) return Promise.reject(new RedisUnavailable('no connection'));
      recorded.push(runs);
      return Promise.resolve();
    },
  });

  await waitFor('the job to end', async () => (await job())?.finishedOn !== undefined);
  expect(recorded).toEqual([2]);
  expect((await job())?.data).toMatchObject({ progress: { outcome: 'NOT_FOUND' } });
});

test('a cancel between the write of a wait and the wait ends the event at once', async () => {
  let cancel: (() => Promise<unknown>) | null = null;
  const taken: boolean[] = [];
  const waits = jobData({ progress: { ...jobData().progress, state: 'waiting' } });
  const { connection, queue, job } = await work({
    run({ isCancelled }) {
      taken.push(isCancelled);
      if (taken.length > 1) return Promise.resolve({ kind: 'done_before', job: jobData() });
      return Promise.resolve({
        kind: 'retry',
        library: 'midland',
        reason: 'NO_ANSWER',
        retryAfterMs: null,
        otherwise: { outcome: 'HOME_UNREACHABLE' },
        job: waits,
        data: waits,
        ifCancelled: null,
        untilMs: Date.now() + 600_000,
        forCircuitsOf: [],
        forPausesOf: [],
        worthReporting: false,
        requeueReason: null,
      });
    },
    beforeDelay: async () => void (await (await waitFor('a way to cancel', () => cancel))()),
  });
  cancel = () => cancelEvent(connection, queue, 'riverside', 'evt_1');

  await waitFor('the job to end', async () => (await job())?.finishedOn !== undefined);
  expect(taken).toEqual([false, true]);
});
