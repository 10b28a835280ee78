import { once } from 'node:events';
import { Writable } from 'node:stream';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { JobData } from '@passport/contract';
import { startFetchWatch } from '@passport/queue/bullmq';
import { buildClaimCreate } from '@passport/queue/locks';
import { addScans, buildJobDataWriter, cancelEvent, openScanQueue } from '@passport/queue/scans';
import {
  RedisUnavailable,
  closeRedis,
  createLogger,
  createRedis,
  startTracing,
  untilRedisReady,
} from '@passport/runtime';
import { leakGuard, startRedis, waitFor } from '@passport/testkit';
import { FETCH_TIMINGS, startScanWorker } from '../src/job/scan-worker.ts';
import { buildWorkerLoad } from '../src/job/worker-load.ts';
import type { Retry } from '../src/provision/result.ts';
import { jobData, runDeps } from './builders.ts';

const own = leakGuard({ beforeEach, afterEach });

const bug = (code: string): Error => Object.assign(new TypeError('of ours'), { code });
const nothing = (): Promise<void> => Promise.resolve();

/** What happens in a run, and around it, where a worker calls out. */
interface Plan {
  /** In each run, before the card is looked up; nobody knows it. */
  readonly run?: () => Promise<Retry | null>;
  /** A receipt of what has left is written. */
  readonly record?: () => Promise<void>;
  readonly settle?: () => Promise<void>;
  /** Before a job is delayed. */
  readonly beforeDelay?: () => Promise<void>;
  readonly job?: Partial<JobData>;
  readonly attemptsMade?: number;
}

/** A worker on a real Redis with one job of riverside. */
async function work({ run, record = nothing, settle = nothing, beforeDelay = nothing, ...plan }: Plan) {
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
  await addScans(queue, [{ job: jobData({ received_ms: Date.now(), ...plan.job }), priority: 1 }]);
  if (plan.attemptsMade !== undefined)
    await server.call('HSET', '{passport}:scans:riverside.evt_1', 'atm', String(plan.attemptsMade));
  const { libraries, ...deps } = runDeps();
  const monotonicNow = (): number => performance.now();
  const fetches = startFetchWatch({ timings: FETCH_TIMINGS, monotonicNow, onOver: () => undefined, log });
  own({ stop: () => Promise.resolve(fetches.close()) });
  const worker = startScanWorker({
    ...deps,
    libraries: {
      ...libraries,
      prepare: () => undefined,
      call: (_library, ask) => ask({ findByCard: () => Promise.resolve([]) } as never),
    },
    connection,
    redis: connection,
    queue,
    fetches,
    concurrency: 2,
    load: buildWorkerLoad(2),
    createAccess: { ...deps.createAccess, freeInMs: () => null },
    quota: { isAmple: () => false, reserve: run ?? (() => Promise.reject(new Error('no run was planned'))) },
    audit: { lookedUp: () => undefined } as never,
    inStep: (_name, step) => step(),
    receipts: { append: () => record().then(() => null) },
    ledger: { settle, releaseQuota: beforeDelay },
    reporter: { reportEnd: nothing, reportWaiting: () => undefined },
    jobs: { ended: () => undefined, requeued: () => undefined },
    health: { misconfigured: () => undefined, worked: () => undefined },
    jobData: buildJobDataWriter(connection),
    claimCreate: buildClaimCreate(connection),
    endCheck: { writing: () => undefined, finished: () => undefined, settled: nothing },
    tracing: await startTracing({ endpoint: null, process: 'worker', now: Date.now, log }),
    deadline: new AbortController().signal,
    monotonicNow,
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
  const { job } = await work({
    run: () => {
      runs += 1;
      return runs > 1 ? Promise.resolve(null) : Promise.reject(bug('ECONNRESET'));
    },
  });

  const finished = await waitFor('the job to be finished', async () => {
    const now = await job();
    return now?.finishedOn === undefined ? null : now;
  });
  expect(finished.attemptsMade).toBe(1);
});

test('a bug in what follows the end of a job keeps it from being finished five times, and not for ever', async () => {
  const progress = { ...jobData().progress, state: 'done', outcome: 'NOT_FOUND' } as const;
  const { job, logged } = await work({
    job: { progress },
    settle: () => Promise.reject(bug('ERR_INVALID_ARG_TYPE')),
    attemptsMade: 5,
  });

  await waitFor('the job to be finished', async () => (await job())?.finishedOn !== undefined);
  expect(await (await job())?.getState()).toBe('completed');
  expect(logged.map(({ msg }) => msg)).toContain('what follows the end of a job was given up');
});

const HAS_SENT = { sent: { home: 'midland', home_key: 'midland:2', fields: ['surname'] } };

test('what has left is on record even when the run ends while Redis is away', async () => {
  let disconnect: (() => Promise<unknown>) | null = null;
  let runs = 0;
  const recorded: number[] = [];
  const { connection, job } = await work({
    job: HAS_SENT,
    async run() {
      runs += 1;
      if (runs > 1) return null;
      await (
        await waitFor('a connection to lose', () => disconnect)
      )();
      return null;
    },
    record() {
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
  let runs = 0;
  let isAway = true;
  const recorded: number[] = [];
  const { job } = await work({
    job: HAS_SENT,
    run() {
      runs += 1;
      return Promise.resolve(null);
    },
    record() {
      if (isAway) {
        isAway = false;
        return Promise.reject(new RedisUnavailable('no connection'));
      }
      recorded.push(runs);
      return Promise.resolve();
    },
  });

  await waitFor('the job to end', async () => (await job())?.finishedOn !== undefined);
  // The run after it found the end written: the card was looked up once.
  expect(recorded).toEqual([1]);
  expect((await job())?.data).toMatchObject({ progress: { outcome: 'NOT_FOUND' } });
});

test('a cancel between the write of a wait and the wait ends the event at once', async () => {
  let cancel: (() => Promise<unknown>) | null = null;
  let runs = 0;
  const { connection, queue, job } = await work({
    run() {
      runs += 1;
      // It would be tried again in a minute at the earliest.
      const wait = { library: 'midland', reason: 'CIRCUIT_OPEN', retryAfterMs: null } as const;
      return Promise.resolve({ kind: 'retry', ...wait, otherwise: { outcome: 'HOME_UNREACHABLE' } });
    },
    beforeDelay: async () => void (await (await waitFor('a way to cancel', () => cancel))()),
  });
  cancel = () => cancelEvent(connection, queue, 'riverside', 'evt_1');

  await waitFor('the job to end', async () => (await job())?.finishedOn !== undefined);
  expect(runs).toBe(1);
  expect((await job())?.data).toMatchObject({ progress: { outcome: 'CANCELLED' } });
});
