import { describe, expect, test } from '@jest/globals';
import { type FetchState, decideFetching, startFetchWatch } from '@passport/queue/bullmq';
import { createLogger } from '@passport/runtime';

const TIMINGS = { blockMs: 5_000, lateMs: 20_000, deadMs: 45_000, endMs: 180_000, checkMs: 1_000 };
const NOW = 1_000_000;
const IDLE: FetchState = {
  wantedSinceMs: NOW - 5_000,
  silentSinceMs: NOW - 5_000,
  idleSinceMs: NOW - 5_000,
  active: 0,
  isPaused: false,
};
const ago = (seconds: number): number => NOW - seconds * 1_000;
const silent = (seconds: number): Partial<FetchState> => ({
  wantedSinceMs: ago(seconds),
  silentSinceMs: ago(seconds),
});
/** No fetch is under way, and the last one was so long ago. */
const still = (seconds: number): Partial<FetchState> => ({
  wantedSinceMs: null,
  silentSinceMs: null,
  idleSinceMs: ago(seconds),
});

describe('a worker', () => {
  test.each<[string, Partial<FetchState>, string]>([
    ['that waits for a job', {}, 'well'],
    ['whose fetch takes 19 s', silent(19), 'well'],
    ['whose fetch takes 20 s', silent(20), 'late'],
    ['whose fetch takes 45 s', silent(45), 'dead'],
    ['whose fetch takes three minutes', silent(180), 'over'],
    ['whose fetch takes long beside its jobs', { ...silent(50), active: 3 }, 'dead'],
    ['whose slots are all taken, for an hour', { ...still(3_600), active: 50 }, 'well'],
    ['that was paused an hour ago', { ...still(3_600), isPaused: true }, 'well'],
    ['that neither fetches nor works', still(50), 'dead'],
    ['to whose fetches Redis answers with errors', { wantedSinceMs: ago(3_600) }, 'late'],
  ])('%s: %j is %s', (_which, change, expected) => {
    expect(decideFetching({ ...IDLE, ...change }, NOW, TIMINGS)).toBe(expected);
  });
});

describe('a watch', () => {
  const QUICK = { blockMs: 10, lateMs: 40, deadMs: 60, endMs: 100, checkMs: 5 };
  const open = (monotonicNow: () => number) => {
    let over = 0;
    const onOver = (): void => {
      over += 1;
    };
    const log = createLogger({ name: 'test', level: 'silent' });
    const watch = startFetchWatch({ timings: QUICK, monotonicNow, onOver, log });
    return { watch, over: () => over };
  };

  test('has begun when each worker has fetched once', async () => {
    const { watch } = open(() => performance.now());
    const [scans, reports] = [watch.watch('scans'), watch.watch('reports')];
    const begun = watch.begun();
    await scans.fetch(() => Promise.resolve(null));
    expect(watch.isFetching()).toBe(false);
    await reports.fetch(() => Promise.resolve(null));
    await begun;
    expect(watch.isFetching()).toBe(true);
    watch.close();
  });

  test('counts no time in which the process did not run', async () => {
    let sleptMs = 0;
    const { watch, over } = open(() => performance.now() + sleptMs);
    const scans = watch.watch('scans');
    let answer: (value: null) => void = () => undefined;
    const fetched = scans.fetch(() => new Promise<null>((resolve) => (answer = resolve)));
    sleptMs = 3_600_000;
    expect(watch.waits()[0]?.[1]).toBeLessThan(1);
    answer(null);
    await fetched;
    await watch.begun();
    expect([watch.isLive(), watch.isFetching(), over()]).toEqual([true, true, 0]);
    watch.close();
  });
});
