import { type WorkerConfig, tryConfig } from '@passport/config';
import {
  type FetchTimings,
  buildPauses,
  openReceipts,
  openReportQueue,
  openScanQueue,
  readControl,
  registerProcess,
} from '@passport/queue';
import {
  type Lifecycle,
  type Logger,
  answersNow,
  countRedisBreaks,
  createMetrics,
  startAdminServer,
  startTracing,
} from '@passport/runtime';
import { keepReceipts } from './job/keep-receipts.ts';
import { FETCH_TIMINGS } from './job/process-scan.ts';
import { fetchMetrics } from './metrics/fetch-metrics.ts';
import { type RedisConnections, openRedis, untilRedisAnswers } from './redis-connections.ts';
import type { Sources } from './sources.ts';
import { startWork } from './start-work.ts';
import type { WorkerParts } from './work-context.ts';

/**
 * Runs that began under a configuration which was replaced may end within this; then they are requeued, and begin again under
 * the new one. So a run has one configuration, and no event is answered by an old one a second after the reload.
 */
const OLD_RUNS_MS = 600;

/**
 * Builds the worker, from the outside in, and starts it; resolves when it takes jobs. `readConfig` reads the configuration
 * anew.
 */
export async function startWorker(
  config: WorkerConfig,
  log: Logger,
  lifecycle: Lifecycle,
  sources: Sources,
  readConfig: () => WorkerConfig = () => config,
  timings: FetchTimings = FETCH_TIMINGS,
): Promise<void> {
  const metrics = createMetrics({ process: 'worker', logHealth: log.health });
  let shown = metrics;

  // Spans are dated by Date.now(), which is the queue's clock from adoptClock on.
  let present = sources.wallNow;
  const traces = { endpoint: config.otlpEndpoint, process: 'worker', now: () => present() };
  const tracing = await startTracing({ ...traces, log });
  lifecycle.own('tracing', () => tracing.close());
  const connections = openRedis(config, sources, timings, lifecycle, log);
  const { connection, redis, clock, fetches } = connections;
  fetchMetrics(metrics, fetches);
  await startProbes(config, connections, { metrics: () => shown.metrics(), lifecycle, log });
  await untilRedisAnswers(connections, lifecycle, sources.pause);
  if (lifecycle.stopping) return;
  const now = (): number => clock.now();
  sources.adoptClock(now);
  present = now;

  const queue = openScanQueue(redis);
  const reportQueue = openReportQueue(redis);
  const pauses = buildPauses(now);
  // Before the first job: a paused library is not queried because a worker has only just started.
  pauses.set(await readControl(redis));
  const receipts = keepReceipts(openReceipts(redis), { redis, monotonicNow: sources.monotonicNow, log });
  const kept = { queue, reportQueue, pauses, receipts, breaks: countRedisBreaks([connection, redis]) };
  const parts: WorkerParts = { connections, ...kept, tracing, sources, now, log };
  const start = async (next: WorkerConfig): Promise<Lifecycle> => {
    const work = lifecycle.part('work', OLD_RUNS_MS);
    const counted = metrics.extend();
    try {
      await startWork(next, parts, { lifecycle: work, metrics: counted });
    } catch (error) {
      await work.stop('it could not be started');
      throw error;
    }
    shown = counted;
    return work;
  };
  let work = await start(config);
  const registered = registerProcess({
    redis,
    id: sources.newId(),
    identity: sources.self,
    facts: () => ({ fixed_secrets: config.fixedSecrets }),
    hash: config.fileHash,
    isWorking: () => fetches.isFetching(),
    async reload() {
      const read = tryConfig(readConfig);
      if (read.kind === 'refused') return read;
      const old = work;
      work = await start(read.config);
      await old.stop('the configuration was replaced');
      return { kind: 'loaded', hash: read.config.fileHash };
    },
    onControl: (control) => pauses.set(control),
    now,
    log,
  });
  lifecycle.own('registration', () => registered.close());
  lifecycle.onReload(() => void registered.reload('signal'));
  await fetches.begun();
  await registered.announce();
}

/** A worker that takes no jobs is not ready; one that has taken none for long, although there may be some, is not live. */
async function startProbes(
  { adminPort: port, adminHost: host }: WorkerConfig,
  { connection, redis, fetches }: RedisConnections,
  { metrics, lifecycle, log }: { metrics: () => Promise<string>; lifecycle: Lifecycle; log: Logger },
): Promise<void> {
  const ready = (): Promise<boolean> | boolean =>
    fetches.isFetching() && connection.status === 'ready' && answersNow(redis);
  const live = (): boolean => fetches.isLive();
  const admin = await startAdminServer({
    port,
    host,
    live,
    ready,
    metrics,
    stopping: lifecycle.signal,
    log,
  });
  lifecycle.own('admin', () => admin.close());
}
