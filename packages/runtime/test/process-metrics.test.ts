import { setTimeout as oneTurn } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { createMetrics } from '@passport/runtime';
import { waitFor } from '@passport/testkit';

/** As Prometheus' client library for Node names them: dashboards and alerts of others use these. */
const NAMES = [
  'nodejs_active_resources',
  'nodejs_active_resources_total',
  ...['', '_max', '_mean', '_min', '_p50', '_p90', '_p99', '_stddev'].map(
    (what) => `nodejs_eventloop_lag${what}_seconds`,
  ),
  'nodejs_external_memory_bytes',
  'nodejs_gc_duration_seconds',
  'nodejs_heap_size_total_bytes',
  'nodejs_heap_size_used_bytes',
  'nodejs_heap_space_size_available_bytes',
  'nodejs_heap_space_size_total_bytes',
  'nodejs_heap_space_size_used_bytes',
  'nodejs_version_info',
  'process_cpu_seconds_total',
  'process_cpu_system_seconds_total',
  'process_cpu_user_seconds_total',
  'process_heap_bytes',
  'process_max_fds',
  'process_open_fds',
  'process_resident_memory_bytes',
  'process_start_time_seconds',
  'process_virtual_memory_bytes',
];

async function scrape(registry: ReturnType<typeof createMetrics>) {
  const text = await registry.metrics();
  const valueOf = (series: string): number =>
    Number(
      text
        .split('\n')
        .find((line) => line.startsWith(`${series} `))
        ?.split(' ')[1],
    );
  return { text, valueOf };
}

test('a process has the metrics that every process has, under their usual names', async () => {
  const { text, valueOf } = await scrape(createMetrics({ process: 'worker' }));
  const names = Array.from(text.matchAll(/^# TYPE (\w+) /gm), ([, name = '']) => name);
  expect(names.toSorted()).toEqual([...NAMES, 'passport_process_info'].toSorted());

  expect(valueOf('process_resident_memory_bytes')).toBeGreaterThan(10_000_000);
  expect(valueOf('process_cpu_seconds_total')).toBeGreaterThan(0.01);
  expect(valueOf('process_start_time_seconds') * 1000).toBeLessThan(Date.now());
  expect(valueOf('nodejs_heap_size_used_bytes')).toBeLessThan(valueOf('nodejs_heap_size_total_bytes'));
  expect(valueOf('nodejs_eventloop_lag_p99_seconds')).toBeLessThan(60);
  expect(
    valueOf(
      `nodejs_version_info{version="${process.version}",major="${versionPart(0)}",minor="${versionPart(1)}",patch="${versionPart(2)}"}`,
    ),
  ).toBe(1);
});

const versionPart = (place: number): string => process.versions.node.split('.')[place] ?? '';

test('a loop that was blocked is seen at one scrape, and not at those after it', async () => {
  const registry = createMetrics({ process: 'worker' });
  const lag = async (): Promise<number> =>
    (await scrape(registry)).valueOf('nodejs_eventloop_lag_max_seconds');
  await lag();
  // The first delay after a scrape has no beginning.
  for (let times = 0; times < 2; times += 1) {
    const until = performance.now() + 300;
    while (performance.now() < until);
    await oneTurn();
  }
  expect(await lag()).toBeGreaterThan(0.25);
  await waitFor('a scrape without it', async () => (await lag()) < 0.25);
});
