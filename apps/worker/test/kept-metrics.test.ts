import { describe, expect, test } from '@jest/globals';
import { createMetrics } from '@passport/runtime';
import { keptMetrics } from '../src/metrics/kept-metrics.ts';

const figures = { finished: 4_000, failed: 90, unfinished: 3, remembered: 9_000, bytes: 64_000_000 };
const NOTHING = { finished: 0, failed: 0, unfinished: 0, remembered: 0, bytes: 0 };
const LIMITS = {
  riverside: { finished: 5_000, failed: 100 },
  midland: { finished: 20_000, failed: 1_000 },
};

function arrange({ memoryLimitBytes = 512_000_000, fails = false } = {}) {
  const registry = createMetrics({ process: 'worker', processMetrics: false });
  const reading = { libraries: { riverside: figures, midland: NOTHING }, memoryLimitBytes };
  const read = () => (fails ? Promise.reject(new Error('no Redis')) : Promise.resolve(reading));
  const dropped = keptMetrics(registry, read, LIMITS);
  const lines = async (): Promise<readonly string[]> =>
    (await registry.metrics()).split('\n').filter((line) => /^passport_(?:library|kept)_/.test(line));
  return { dropped, lines };
}

test('what each library has in Redis is a share of what Redis may hold, by the name of the library', async () => {
  const { lines } = arrange();
  expect(await lines()).toEqual(
    expect.arrayContaining([
      'passport_library_redis_share{library="riverside"} 0.125',
      'passport_library_redis_share{library="midland"} 0',
      'passport_library_redis_bytes{library="riverside"} 64000000',
      'passport_library_kept_events{library="riverside",state="finished"} 4000',
      'passport_library_kept_events{library="riverside",state="failed"} 90',
    ]),
  );
});

test('a Redis without a limit is filled by nobody', async () => {
  const { lines } = arrange({ memoryLimitBytes: 0 });
  expect(await lines()).toContain('passport_library_redis_share{library="riverside"} 0');
});

test('how many ended events are kept and how many went early is there from the start', async () => {
  const { dropped, lines } = arrange();
  expect(await lines()).toEqual(
    expect.arrayContaining([
      'passport_library_kept_limit{library="riverside",state="finished"} 5000',
      'passport_library_kept_limit{library="midland",state="failed"} 1000',
      'passport_kept_dropped_total{library="midland",state="failed"} 0',
    ]),
  );
  dropped('riverside', 'finished', 7);
  dropped('riverside', 'finished', 2);
  expect(await lines()).toContain('passport_kept_dropped_total{library="riverside",state="finished"} 9');
});

test('a Redis that cannot be read says nothing of any library, rather than something old', async () => {
  const shares = (await arrange({ fails: true }).lines()).filter((line) => line.includes('redis_share'));
  expect(shares).toEqual([]);
});

describe('of many libraries', () => {
  const many = Object.fromEntries(
    Array.from({ length: 101 }, (_, place) => [`library-${place}`, { finished: 5_000, failed: 100 }]),
  );

  test('those that have little are not listed, and limits stand beside what they limit', async () => {
    const registry = createMetrics({ process: 'worker', processMetrics: false });
    const libraries = {
      'library-0': { finished: 500, failed: 10, bytes: 1_048_576 },
      'library-1': { ...NOTHING, finished: 501, bytes: 1_048_577 },
    };
    keptMetrics(registry, () => Promise.resolve({ libraries, memoryLimitBytes: 0 }), many);

    const lines = (await registry.metrics())
      .split('\n')
      .filter((line) => /^passport_(?:library|kept)_/.test(line));
    expect(lines).toEqual([
      'passport_library_kept_events{library="library-1",state="finished"} 501',
      'passport_library_redis_bytes{library="library-1"} 1048577',
      'passport_library_kept_limit{library="library-1",state="finished"} 5000',
    ]);
  });

  test('Redis is read once a minute, and again after a failure', async () => {
    const registry = createMetrics({ process: 'worker', processMetrics: false });
    const answers = [
      Promise.reject(new Error('no Redis')),
      Promise.resolve({ libraries: {}, memoryLimitBytes: 0 }),
    ];
    let reads = 0;
    const read = () => answers[reads++] ?? Promise.reject(new Error('read again'));
    keptMetrics(registry, read, many);
    for (let scrape = 0; scrape < 4; scrape += 1) await registry.metrics();

    expect(reads).toBe(2);
  });
});
