import { expect, test } from '@jest/globals';
import { openSweepLock } from '@passport/queue/sweeps';
import { waitFor } from '@passport/testkit';
import { type HeldLock, underSweepLock } from '../src/sweep/sweep-job.ts';
import { openEmptyRedis } from './empty-redis.ts';

const KEY = '{passport}:sweep-lock:riverside';

const { redis } = await openEmptyRedis();

const lockOf = (run: string, sweep = 'sweep_1') => openSweepLock(redis, { library: 'riverside', sweep, run });
const hold = (
  run: string,
  work: (held: HeldLock) => Promise<void>,
  { lifeMs = 900, now = () => performance.now(), stopping = new AbortController().signal } = {},
) =>
  underSweepLock(
    lockOf(run),
    { monotonicNow: now, now: () => 1_000, stopping, lifeMs, extendEachMs: 20 },
    work,
  );
const untilLost = ({ signal }: HeldLock) =>
  waitFor('the lock to be lost', () => signal.aborted || undefined, { timeoutMs: 2_000 });

test('work that takes longer than the life of the lock has it to its end, and nobody else', async () => {
  await hold('one', async ({ signal }) => {
    const since = performance.now();
    await waitFor('three lives to pass', () => performance.now() - since > 2_700 || undefined);
    expect(await lockOf('two', 'sweep_2').take(1_000)).toBe(false);
    expect(signal.aborted).toBe(false);
  });
  expect(await redis.exists(KEY)).toBe(0);
});

test('another sweep waits, and a newer run of the same takes over: the older one stops and releases nothing', async () => {
  await hold('one', async (held) => {
    await expect(
      underSweepLock(
        lockOf('x', 'sweep_2'),
        { monotonicNow: () => 0, now: () => 1_000, stopping: held.signal },
        async () => undefined,
      ),
    ).rejects.toMatchObject({ name: 'SweepPaused', untilMs: 16_000 });
    expect(await lockOf('two').take(60_000)).toBe(true);
    await untilLost(held);
    await expect(held.assertHeld()).rejects.toThrow('lost');
  });
  expect(await redis.get(KEY)).toBe('sweep_1 two');
});

test('a lock that is gone is not taken again: somebody may have ended the sweep since', async () => {
  await hold('one', async (held) => {
    await redis.del(KEY);
    await expect(held.assertHeld()).rejects.toThrow('lost');
    expect(held.signal.aborted).toBe(true);
  });
});

test('stops in time where Redis does not take the extension, well before the lock ends', async () => {
  let skippedMs = 0;
  const lifeMs = 60_000;
  await hold(
    'one',
    async (held) => {
      skippedMs = lifeMs / 2 + 1;
      await untilLost(held);
      expect(await redis.pttl(KEY)).toBeGreaterThan(lifeMs / 2);
    },
    { lifeMs, now: () => performance.now() + skippedMs },
  );
});

test('stops with its process', async () => {
  const stopping = new AbortController();
  await hold(
    'one',
    async ({ signal }) => {
      stopping.abort(new Error('stopping'));
      expect(signal.aborted).toBe(true);
    },
    { stopping: stopping.signal },
  );
  expect(await redis.exists(KEY)).toBe(0);
});
