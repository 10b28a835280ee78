import { readFileSync, readdirSync } from 'node:fs';
import {
  type PerformanceEntry,
  PerformanceObserver,
  constants,
  monitorEventLoopDelay,
} from 'node:perf_hooks';
import { getHeapSpaceStatistics, getHeapStatistics } from 'node:v8';
import type { MetricsRegistry } from './metrics-registry.ts';
import { createGauge, createHistogram, createReadCounter } from './series.ts';

/** The kinds of garbage collection by the number that Node gives them. */
const GC_KINDS = new Map<number | undefined, string>([
  [constants.NODE_PERFORMANCE_GC_MAJOR, 'major'],
  [constants.NODE_PERFORMANCE_GC_MINOR, 'minor'],
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL, 'incremental'],
  [constants.NODE_PERFORMANCE_GC_WEAKCB, 'weakcb'],
]);
const GC_BUCKETS = [0.001, 0.01, 0.1, 1, 2, 5];
const NANO = 1e9;
const MICRO = 1e6;

/**
 * Registers what Prometheus' client libraries say of every process: its CPU, memory, files, event loop and garbage collection, under
 * their usual names (`process_*`, `nodejs_*`). What the system does not say is absent.
 */
export function processMetrics(registry: MetricsRegistry): void {
  const gauge = (name: string, help: string, read: () => number | null | Promise<number>): void =>
    createGauge(registry, { name, help }, async () => {
      const value = await read();
      return value === null ? [] : [[{}, value]];
    });
  const cpu = (name: string, help: string, read: (usage: NodeJS.CpuUsage) => number): void =>
    createReadCounter(registry, { name, help }, () => [[{}, read(process.cpuUsage()) / MICRO]]);

  cpu('process_cpu_user_seconds_total', 'CPU time spent in user code, in seconds', ({ user }) => user);
  cpu('process_cpu_system_seconds_total', 'CPU time spent in the system, in seconds', ({ system }) => system);
  cpu('process_cpu_seconds_total', 'CPU time spent, in seconds', ({ user, system }) => user + system);
  const startedAt = Math.round(performance.timeOrigin / 1000);
  gauge('process_start_time_seconds', 'When the process started, in seconds since 1970', () => startedAt);
  gauge('process_resident_memory_bytes', 'Resident memory in bytes', () => process.memoryUsage.rss());
  gauge('process_virtual_memory_bytes', 'Virtual memory in bytes', () => fromStatus('VmSize'));
  gauge('process_heap_bytes', 'Data segment in bytes', () => fromStatus('VmData'));
  gauge('process_open_fds', 'Open file descriptors', () =>
    readProc(() => readdirSync('/proc/self/fd').length),
  );
  const mostFiles = readProc(() =>
    Number(/^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]),
  );
  gauge('process_max_fds', 'Most file descriptors that may be open', () => mostFiles);
  gauge(
    'nodejs_heap_size_total_bytes',
    'Size of the heap in bytes',
    () => getHeapStatistics().total_heap_size,
  );
  gauge(
    'nodejs_heap_size_used_bytes',
    'Used part of the heap in bytes',
    () => getHeapStatistics().used_heap_size,
  );
  gauge(
    'nodejs_external_memory_bytes',
    'Memory outside the heap in bytes',
    () => getHeapStatistics().external_memory,
  );
  eventLoopMetrics(gauge);
  heapSpaceMetrics(registry);
  collectionMetrics(registry);
  const resources = {
    name: 'nodejs_active_resources',
    help: 'What keeps the event loop alive',
    labels: ['type'],
  };
  createGauge(registry, resources, () => {
    const types = process.getActiveResourcesInfo();
    return [...new Set(types)].map((type) => [{ type }, types.filter((each) => each === type).length]);
  });
  gauge(
    'nodejs_active_resources_total',
    'All that keeps the event loop alive',
    () => process.getActiveResourcesInfo().length,
  );
  const [major = '', minor = '', patch = ''] = process.versions.node.split('.');
  const info = { name: 'nodejs_version_info', help: 'Version of Node (always 1)' };
  createGauge<'version' | 'major' | 'minor' | 'patch'>(registry, info, () => [
    [{ version: process.version, major, minor, patch }, 1],
  ]);
}

/** The delays since the last scrape. */
function eventLoopMetrics(
  gauge: (name: string, help: string, read: () => number | Promise<number>) => void,
): void {
  const delays = monitorEventLoopDelay({ resolution: 10 });
  delays.enable();
  const delay = (what: string, read: () => number): void =>
    gauge(
      `nodejs_eventloop_lag_${what}_seconds`,
      `Delay of the event loop since the last scrape: ${what}`,
      () => read() / NANO,
    );
  delay('min', () => delays.min);
  delay('max', () => delays.max);
  delay('mean', () => delays.mean);
  delay('stddev', () => delays.stddev);
  for (const percent of [50, 90, 99]) delay(`p${percent}`, () => delays.percentile(percent));
  // The last one of a scrape, so that all of them are of the same time.
  gauge('nodejs_eventloop_lag_seconds', 'Delay of the event loop at the scrape', async () => {
    const since = performance.now();
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    delays.reset();
    return (performance.now() - since) / 1000;
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

const fromStatus = (name: string): number | null =>
  readProc(() => {
    const found = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(readFileSync('/proc/self/status', 'utf8'));
    return Number(found?.[1]) * 1024;
  });

/** Only Linux has `/proc`; a limit may be none. */
function readProc(read: () => number): number | null {
  try {
    const value = read();
    return Number.isNaN(value) ? null : value;
  } catch {
    return null;
  }
}
