import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openReceipts } from '@passport/queue/copies';
import { readLoansCounted } from '@passport/queue/statistics';
import { openSweepQueue } from '@passport/queue/sweeps';
import { type Logger, closeRedis } from '@passport/runtime';
import { waitFor } from '@passport/testkit';
import { startSweepWorker } from '../src/sweep/sweep-worker.ts';
import { openEmptyRedis } from './empty-redis.ts';
import { type SweepBench, openSweep } from './sweep-bench.ts';

const { redis, own, connect } = await openEmptyRedis();
const queue = own(openSweepQueue(redis));
queue.on('error', () => undefined);

let bench: SweepBench;
beforeAll(async () => {
  bench = await openSweep(['midland'], redis, { loans: { count: '02:00' } });
});
afterAll(() => bench.stop());

test('a worker counts the loans of visitors as a job of its queue of sweeps, up to yesterday', async () => {
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined } as unknown as Logger;
  const connection = await connect('night');
  const worker = await startSweepWorker({
    consortium: bench.consortium,
    connection,
    redis,
    receipts: openReceipts(redis),
    keys: [{ reveal: () => Buffer.alloc(32, 7) }] as never,
    libraries: bench.libraries,
    isBusy: () => false,
    pauseLeft: () => null,
    pause: () => Promise.resolve(),
    monotonicNow: () => performance.now(),
    newId: randomUUID,
    now: Date.now,
    log,
  });
  try {
    await queue.add('loans.riverside', { kind: 'loans', library: 'riverside' });
    await waitFor('the counting', () => redis.hget('{passport}:schedules:done', 'loans.riverside'));
    const yesterday = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10);
    expect((await readLoansCounted(redis, ['riverside'])).get('riverside')?.through).toBe(yesterday);
  } finally {
    await worker.close();
    await closeRedis(connection);
  }
});
