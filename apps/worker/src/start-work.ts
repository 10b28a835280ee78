import type { WorkerConfig } from '@passport/config';
import { ALERTED_OUTCOMES } from '@passport/contract';
import type { Lifecycle, MetricsRegistry } from '@passport/runtime';
import { buildWorkerLoad } from './job/worker-load.ts';
import { connectLibraries } from './koha/connect-libraries.ts';
import { buildCopyMemory } from './koha/copy-memory.ts';
import { buildPauseLeft } from './koha/pause-left.ts';
import { withWindows } from './koha/planned-pauses.ts';
import { jobMetrics } from './metrics/job-metrics.ts';
import { kohaMetrics } from './metrics/koha-metrics.ts';
import { pauseMetrics } from './metrics/pause-metrics.ts';
import { openReporter, startReports } from './start-reports.ts';
import { startMaintenance } from './start-maintenance.ts';
import { startRefreshes } from './start-refreshes.ts';
import { startScans } from './start-scans.ts';
import type { WorkContext, WorkerParts } from './work-context.ts';

interface Owner {
  readonly lifecycle: Lifecycle;
  readonly metrics: MetricsRegistry;
}

/**
 * Builds all that depends on the configuration, and starts it; `lifecycle` ends it. Two of them may run side by side for a
 * moment, as two workers may.
 */
export async function startWork(config: WorkerConfig, parts: WorkerParts, owner: Owner): Promise<void> {
  const context = openContext(config, parts, owner);
  const reporter = openReporter(context);
  startMaintenance(context);
  startReports(context);
  await startRefreshes(context);
  startScans(context, reporter);
  const { concurrency, fileHash, consortium } = config;
  parts.log.info({ libraries: consortium.libraries.length, concurrency, config: fileHash }, 'working');
}

/** Nothing is sent yet. */
function openContext(config: WorkerConfig, parts: WorkerParts, owner: Owner): WorkContext {
  const { connections, pauses, tracing, sources, now, log } = parts;
  const { lifecycle, metrics } = owner;
  const { consortium, keys, concurrency } = config;
  const names = new Map(consortium.libraries.map(({ id, name }) => [id, name]));
  const paused = withWindows(pauses, consortium.libraries, now);
  pauseMetrics(metrics, paused, [...names.keys()]);
  const pauseLeft = buildPauseLeft(paused, now);
  const load = buildWorkerLoad(concurrency);
  const kohas = connectLibraries({
    consortium,
    lifecycle,
    sources,
    metrics: kohaMetrics(metrics, names.size),
    hasFreeSlots: load.hasFreeSlots,
    tracing,
    pauseLeft,
    now,
    log,
  });
  const { libraries } = kohas;
  const memory = buildCopyMemory({ redis: connections.redis, keys, libraries, now, log });
  lifecycle.own('memory of copies', () => memory.settled());
  const jobs = jobMetrics(metrics, [...names.keys()], ALERTED_OUTCOMES);
  const nameOf = (id: string): string => names.get(id) ?? id;
  return { ...parts, ...owner, config, jobs, kohas, memory, load, pauseLeft, nameOf };
}
