import { type WorkerConfig, tryConfig } from '@passport/config';
import {
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
  countRedisBreaks,
  createMetrics,
  startAdminServer,
  startTracing,
} from '@passport/runtime';
import { keepReceipts } from './job/keep-receipts.ts';
import { openRedis, untilRedisAnswers } from './redis-connections.ts';
import type { Sources } from './sources.ts';
import { startWork } from './start-work.ts';
import type { WorkerParts } from './work-context.ts';

/**
 * Runs that began under a configuration which was replaced may end within this; then they are requeued, and begin again under
 * the new one. So a run has one configuration, and no event is answered by an old one a second after the reload.
 */
const OLD_RUNS_MS = 600;

/** Builds the worker, from the outside in, and starts it. `readConfig` reads the configuration anew. */
export async function startWorker(
  config: WorkerConfig,
  log: Logger,
  lifecycle: Lifecycle,
  sources: Sources,
  readConfig: () => WorkerConfig = () => config,
): Promise<void> {
  const metrics = createMetrics({ process: 'worker', logHealth: log.health });
  let shown = metrics;

  // Spans are dated by Date.now(), which is the queue's clock from adoptClock on.
  let present = sources.wallNow;
  const traces = { endpoint: config.otlpEndpoint, process: 'worker', now: () => present() };
  const tracing = await startTracing({ ...traces, log });
  lifecycle.own('tracing', () => tracing.close());
  const connections = openRedis(config, sources, lifecycle, log);
  const { connection, redis, clock } = connections;
  const admin = await startAdminServer({
    port: config.adminPort,
    host: config.adminHost,
    ready: () => connection.status === 'ready' && redis.status === 'ready',
    metrics: () => shown.metrics(),
    stopping: lifecycle.signal,
    log,
  });
  lifecycle.own('admin', () => admin.close());
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
}
