import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readLoansCounted } from '@passport/queue/statistics';
import { openSweepQueue } from '@passport/queue/sweeps';
import { waitFor } from '@passport/testkit';
import { openEmptyRedis } from './empty-redis.ts';
import { startSweeps } from './start-sweeps.ts';
import { type SweepBench, openSweep } from './sweep-bench.ts';

const { redis, log, own, connect } = await openEmptyRedis();
const queue = own(openSweepQueue(redis));
queue.on('error', () => undefined);

let bench: SweepBench;
beforeAll(async () => {
  bench = await openSweep(['midland'], redis, { loans: { count: '02:00' } });
});
afterAll(() => bench.stop());

test('a worker counts the loans of visitors as a job of its queue of sweeps, up to yesterday', async () => {
  const worker = await startSweeps(bench, { redis, log, connect });
  try {
    await queue.add('loans.riverside', { kind: 'loans', library: 'riverside' });
    await waitFor('the counting', () => redis.hget('{passport}:schedules:done', 'loans.riverside'));
    const yesterday = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10);
    expect((await readLoansCounted(redis, ['riverside'])).get('riverside')?.through).toBe(yesterday);
  } finally {
    await worker.stop();
  }
});
