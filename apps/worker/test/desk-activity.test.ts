import { expect, test } from '@jest/globals';
import { LenientWorker } from '@passport/queue/bullmq';
import { SCANS } from '@passport/queue/keys';
import { addScans, openScanQueue } from '@passport/queue/scans';
import { closeRedis } from '@passport/runtime';
import { openEmptyRedis } from './empty-redis.ts';
import { jobData } from './builders.ts';
import { buildDeskActivity, buildSweepCalls } from '../src/koha/sweep-calls.ts';

const { redis, connect } = await openEmptyRedis();

/** Patrons of midland may borrow at riverside, and nobody else anywhere. */
const consortium = {
  agreements: {
    lendersOf: (home: string) => new Set(home === 'midland' ? ['riverside'] : []),
  },
} as never;
const activity = (isBusy = false) => buildDeskActivity({ consortium, redis, isBusy: () => isBusy });

/** A scan of this library that some other worker works on while `meanwhile` is done, as BullMQ itself notes it. */
async function whileScanned(library: string, meanwhile: () => Promise<void>): Promise<void> {
  const connection = await connect('another worker');
  const queue = openScanQueue(redis);
  const options = { connection, autorun: false };
  const worker = new LenientWorker(SCANS, null, options);
  try {
    await addScans(queue, [{ job: jobData({ library }), priority: 1 }]);
    const job = await worker.getNextJob('hand', { block: false });
    expect(job?.name).toBe(library);
    await meanwhile();
    await job?.moveToCompleted(null, 'hand', false);
  } finally {
    await worker.close();
    await queue.close();
    await closeRedis(connection);
  }
}

test('a scan that another worker works on makes its lending library busy, and the homes it may call', async () => {
  const isBusy = activity();
  await whileScanned('riverside', async () => {
    expect(await Promise.all(['riverside', 'midland', 'lakeside'].map(isBusy))).toEqual([true, true, false]);
  });
  expect(await Promise.all(['riverside', 'midland'].map(isBusy))).toEqual([false, false]);
});

test('calls of this process count without a look into Redis', async () => {
  expect(await activity(true)('lakeside')).toBe(true);
});

test('a sweep lets the desks of another worker go first, for five seconds at the most', async () => {
  let nowMs = 0;
  const called: number[] = [];
  const call = buildSweepCalls({
    libraries: {
      callForSweep: (_library, work) => {
        called.push(nowMs);
        return work(undefined as never);
      },
    },
    isBusy: activity(),
    pause: (ms) => {
      nowMs += ms;
      return Promise.resolve();
    },
    monotonicNow: () => nowMs,
    signal: new AbortController().signal,
  });
  await whileScanned('riverside', () => call('midland', () => Promise.resolve()));
  await call('midland', () => Promise.resolve());
  expect(called).toEqual([5_000, 5_000]);
});
