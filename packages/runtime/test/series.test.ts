import { expect, test } from '@jest/globals';
import { ZERO_AT_FIRST, createCounter, createGauge, createHistogram, createMetrics } from '@passport/runtime';

const arrange = () => createMetrics({ process: 'worker', processMetrics: false });

async function linesOf(registry: ReturnType<typeof arrange>, name: string): Promise<readonly string[]> {
  const lines = (await registry.metrics()).split('\n');
  return lines.filter((line) => line.startsWith(name) || line.includes(` ${name} `));
}

test('a counter adds up by its labels, and begins at zero where it is said to', async () => {
  const registry = arrange();
  const series = { name: 'jobs_total', help: 'Jobs', labels: ['library', 'outcome'] } as const;
  const count = createCounter(registry, series, [{ library: 'midland', outcome: 'LOST' }]);
  count({ library: 'midland', outcome: 'COPIED' });
  count({ library: 'midland', outcome: 'COPIED' }, 2);

  expect(await linesOf(registry, 'jobs_total')).toEqual([
    '# HELP jobs_total Jobs',
    '# TYPE jobs_total counter',
    'jobs_total{library="midland",outcome="LOST"} 0',
    'jobs_total{library="midland",outcome="COPIED"} 3',
  ]);
});

test('a counter of many shows a series once it counts, at zero until every Prometheus has seen that', async () => {
  const registry = arrange();
  let now = 0;
  const series = { name: 'jobs_total', help: 'Jobs', labels: ['library'] } as const;
  const count = createCounter(registry, series, ZERO_AT_FIRST, () => now);
  const shown = async () => (await linesOf(registry, 'jobs_total{')).map((line) => line.split(' ')[1]);
  expect(await shown()).toEqual([]);

  now = 500_000;
  count({ library: 'midland' }, 3);
  expect(await shown()).toEqual(['0']);
  now += 149_999;
  count({ library: 'midland' });
  expect(await shown()).toEqual(['0']);
  now += 1;
  expect(await shown()).toEqual(['4']);
  count({ library: 'midland' });
  expect(await shown()).toEqual(['5']);
});

test('a histogram counts up to each bound, with the bound, and what is longer only in all', async () => {
  const registry = arrange();
  const series = { name: 'call_seconds', help: 'Calls', labels: ['library'] } as const;
  const observe = createHistogram(registry, series, () => [0.5, 1]);
  for (const seconds of [0.25, 1, 4]) observe({ library: 'midland' }, seconds);

  expect(await linesOf(registry, 'call_seconds')).toEqual([
    '# HELP call_seconds Calls',
    '# TYPE call_seconds histogram',
    'call_seconds_bucket{le="0.5",library="midland"} 1',
    'call_seconds_bucket{le="1",library="midland"} 2',
    'call_seconds_bucket{le="+Inf",library="midland"} 3',
    'call_seconds_sum{library="midland"} 5.25',
    'call_seconds_count{library="midland"} 3',
  ]);
});

test('a gauge is what it is at the scrape; what is not read any more is absent', async () => {
  const registry = arrange();
  const seen = new Map([['midland', 1]]);
  const series = { name: 'open', help: 'Open', labels: ['library'] } as const;
  createGauge(registry, series, () => [...seen].map(([library, value]) => [{ library }, value]));
  createGauge(registry, { name: 'oldest', help: 'Oldest' }, () => Promise.resolve([[{}, 7]]));

  expect(await linesOf(registry, 'open')).toContain('open{library="midland"} 1');
  expect(await linesOf(registry, 'oldest')).toContain('oldest 7');
  seen.clear();
  expect(await linesOf(registry, 'open')).toEqual(['# HELP open Open', '# TYPE open gauge']);
});

test('quotes, backslashes and line ends of a label are escaped', async () => {
  const registry = arrange();
  createCounter(registry, { name: 'odd_total', help: 'Odd', labels: ['said'] })({ said: 'a "b" \\ c\nd' });

  expect(await linesOf(registry, 'odd_total')).toContain('odd_total{said="a \\"b\\" \\\\ c\\nd"} 1');
});

test('one name is one metric', () => {
  const registry = arrange();
  createCounter(registry, { name: 'jobs_total', help: 'Jobs' });
  expect(() => createCounter(registry, { name: 'jobs_total', help: 'Jobs' })).toThrow('jobs_total');
});

test('a registry that is extended anew counts on, and has the gauges of the newest only', async () => {
  const registry = arrange();
  const counting = { name: 'jobs_total', help: 'Jobs' } as const;
  const timing = { name: 'call_seconds', help: 'Calls' } as const;
  const gauge = { name: 'libraries', help: 'Libraries' } as const;
  const extended = (libraries: number) => {
    const next = registry.extend();
    createGauge(next, gauge, () => [[{}, libraries]]);
    return { next, count: createCounter(next, counting), observe: createHistogram(next, timing, () => [1]) };
  };
  const before = extended(3);
  before.count({});
  before.observe({}, 0.5);
  await before.next.metrics();
  const { next, count } = extended(4);
  count({});
  before.count({}); // a job that began before

  expect(await linesOf(next, 'jobs_total')).toContain('jobs_total 3');
  expect(await linesOf(next, 'call_seconds')).toContain('call_seconds_count 1');
  expect(await linesOf(next, 'libraries')).toContain('libraries 4');
  expect(await linesOf(next, 'passport_process_info')).toContain('passport_process_info{process="worker"} 1');
  expect(await linesOf(registry, 'libraries')).toEqual([]);
});
