import { readFileSync, readdirSync } from 'node:fs';
import {
  type PerformanceEntry,
  PerformanceObserver,
  constants,
  monitorEventLoopDelay,
} from 'node:perf_hooks';
import { getHeapSpaceStatistics, getHeapStatistics } from 'node:v8';
import type { MetricsRegistry } from './metrics-registry.ts';
import { type Samples, createGauge, createHistogram, createReadCounter } from './series.ts';

/** The kinds of garbage collection by the number that Node gives them. */
const GC_KINDS = new Map<number | undefined, string>([
  [constants.NODE_PERFORMANCE_GC_MAJOR, 'major'],
  [constants.NODE_PERFORMANCE_GC_MINOR, 'minor'],
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL, 'incremental'],
  [constants.NODE_PERFORMANCE_GC_WEAKCB, 'weakcb'],
]);
const GC_BUCKETS = [0.001, 0.01, 0.1, 1, 2, 5];
const startedAt = Math.round(performance.timeOrigin / 1000);
const seconds = (micros: number): number => micros / 1e6;
/** What the system does not say is null. */
type Row = readonly [name: string, help: string, read: () => number | null];

const COUNTERS: readonly Row[] = [
  ['process_cpu_user_seconds_total', 'CPU time of user code', () => seconds(process.cpuUsage().user)],
  ['process_cpu_system_seconds_total', 'CPU time of the system', () => seconds(process.cpuUsage().system)],
  [
    'process_cpu_seconds_total',
    'CPU time',
    () => seconds(process.cpuUsage().user + process.cpuUsage().system),
  ],
];
const GAUGES: readonly Row[] = [
  ['process_start_time_seconds', 'When the process started, in seconds since 1970', () => startedAt],
  ['process_resident_memory_bytes', 'Resident memory', () => process.memoryUsage.rss()],
  ['process_virtual_memory_bytes', 'Virtual memory', () => fromProc('status', /^VmSize:\s+(\d+) kB/m, 1024)],
  ['process_heap_bytes', 'Data segment', () => fromProc('status', /^VmData:\s+(\d+) kB/m, 1024)],
  ['process_open_fds', 'Open file descriptors', () => readProc(() => readdirSync('/proc/self/fd').length)],
  ['process_max_fds', 'Most open file descriptors', () => fromProc('limits', /^Max open files +(\d+)/m)],
  ['nodejs_heap_size_total_bytes', 'Size of the heap', () => getHeapStatistics().total_heap_size],
  ['nodejs_heap_size_used_bytes', 'Used part of the heap', () => getHeapStatistics().used_heap_size],
  ['nodejs_external_memory_bytes', 'Memory outside the heap', () => getHeapStatistics().external_memory],
  [
    'nodejs_active_resources_total',
    'All that keeps the event loop alive',
    () => process.getActiveResourcesInfo().length,
  ],
];

/**
 * Registers what Prometheus' client libraries say of every process: its CPU, memory, files, event loop and garbage collection, under
 * their usual names (`process_*`, `nodejs_*`).
 */
export function processMetrics(registry: MetricsRegistry): void {
  const sample = (value: number | null): Samples<never> => (value === null ? [] : [[{}, value]]);
  for (const [name, help, read] of COUNTERS)
    createReadCounter(registry, { name, help }, () => sample(read()));
  for (const [name, help, read] of GAUGES) createGauge(registry, { name, help }, () => sample(read()));
  eventLoopMetrics(registry);
  heapSpaceMetrics(registry);
  collectionMetrics(registry);
  const resources = { name: 'nodejs_active_resources', help: 'What keeps the event loop alive' };
  createGauge<'type'>(registry, resources, () => {
    const types = process.getActiveResourcesInfo();
    return [...new Set(types)].map((type) => [{ type }, types.filter((each) => each === type).length]);
  });
  const [major = '', minor = '', patch = ''] = process.versions.node.split('.');
  const info = { name: 'nodejs_version_info', help: 'Version of Node (always 1)' };
  createGauge<'version' | 'major' | 'minor' | 'patch'>(registry, info, () => [
    [{ version: process.version, major, minor, patch }, 1],
  ]);
}

/** The delays since the last scrape. */
function eventLoopMetrics(registry: MetricsRegistry): void {
  const delays = monitorEventLoopDelay({ resolution: 10 });
  delays.enable();
  const delay = (what: string, read: () => number): void => {
    const help = `Delay of the event loop since the last scrape: ${what}`;
    createGauge(registry, { name: `nodejs_eventloop_lag_${what}_seconds`, help }, () => [[{}, read() / 1e9]]);
  };
  for (const what of ['min', 'max', 'mean', 'stddev'] as const) delay(what, () => delays[what]);
  for (const percent of [50, 90, 99]) delay(`p${percent}`, () => delays.percentile(percent));
  const help = 'Delay of the event loop at the scrape';
  createGauge(registry, { name: 'nodejs_eventloop_lag_seconds', help }, async () => {
    // Those above were read before: all of them are of the same time.
    delays.reset();
    const since = performance.now();
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    return [[{}, (performance.now() - since) / 1000]];
  });
}

function heapSpaceMetrics(registry: MetricsRegistry): void {
  const facts = { total: 'space_size', used: 'space_used_size', available: 'space_available_size' } as const;
  for (const [what, key] of Object.entries(facts)) {
    const series = {
      name: `nodejs_heap_space_size_${what}_bytes`,
      help: `Size of each space of the heap in bytes: ${what}`,
    };
    createGauge<'space'>(registry, series, () =>
      getHeapSpaceStatistics().map((space) => [
        { space: space.space_name.replace('_space', '') },
        space[key],
      ]),
    );
  }
}

type CollectionEntry = PerformanceEntry & { readonly detail?: { readonly kind?: number } };

function collectionMetrics(registry: MetricsRegistry): void {
  const series = { name: 'nodejs_gc_duration_seconds', help: 'Duration of garbage collections by kind' };
  const observe = createHistogram<'kind'>(registry, series, () => GC_BUCKETS);
  const observer = new PerformanceObserver((list) => {
    // Node's types do not say what an entry of this type has.
    for (const { detail, duration } of list.getEntries() as readonly CollectionEntry[]) {
      const kind = GC_KINDS.get(detail?.kind);
      if (kind !== undefined) observe({ kind }, duration / 1000);
    }
  });
  observer.observe({ entryTypes: ['gc'] });
}

const fromProc = (file: string, line: RegExp, unit = 1): number | null =>
  readProc(() => Number(line.exec(readFileSync(`/proc/self/${file}`, 'utf8'))?.[1]) * unit);

/** Only Linux has `/proc`; a limit may be none. */
function readProc(read: () => number): number | null {
  try {
    const value = read();
    return Number.isNaN(value) ? null : value;
  } catch {
    return null;
  }
}
