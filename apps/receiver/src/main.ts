import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { fileURLToPath } from 'node:url';
import { ConfigError, type ReceiverConfig, receiverConfig, tryConfig } from '@passport/config';
import { startAudit } from '@passport/queue/audit';
import { buildAdmission } from '@passport/queue/admission';
import {
  type RegisteredProcess,
  type Registration,
  type ProcessIdentity,
  buildHasWorker,
  registerProcess,
} from '@passport/queue/processes';
import { buildReplicaCheck } from '@passport/queue/redis';
import { openScanQueue } from '@passport/queue/scans';
import {
  CONNECTION_LIMITS,
  type ConnectionLimits,
  Lifecycle,
  type Logger,
  type MetricsRegistry,
  answersNow,
  buildProxyTest,
  closeRedis,
  connectionMetrics,
  createConnectionLimits,
  createLogger,
  createMetrics,
  createRedis,
  createServiceManager,
  mayShareAddress,
  startAdminServer,
  startTracing,
  versionOf,
  watchEventLoop,
} from '@passport/runtime';
import { buildReceiver } from './http/app.ts';
import { startRefusalWatch } from './deliveries/watch-refusals.ts';
import { buildEventSink } from './deliveries/event-sink.ts';
import { readJoinFiles } from './joining/join-files.ts';
import { startWorkerNotifier } from './notify-of-workers.ts';
import { REDIS_DEADLINE_MS, type ReceiverParts, serve } from './serve.ts';

/** Replicas acknowledge in a round trip; they wait in the same connection as everybody's next event. */
const REPLICAS_DEADLINE_MS = 500;
/** One line for each delivery: nobody reads faster than this, and a line alone costs as much as half a delivery. */
const LOG_GATHER_MS = 100;
/** Requests to join are in the audit view, beside the log. */
const KEEP_ACTS = { everyMs: 1_000, closeWithinMs: 1_000 };
/** Long enough for 16 KiB over the worst line, short enough that slow senders cannot use up all connections. */
const REQUEST_TIMEOUT_MS = 10_000;
const SOURCES = {
  nowSeconds: () => Math.floor(Date.now() / 1000),
  monotonicNow: () => performance.now(),
  now: () => Date.now(),
  random: () => Math.random(),
  newId: () => randomUUID(),
};

const SELF: ProcessIdentity = {
  kind: 'receiver',
  version: versionOf(new URL('../package.json', import.meta.url)),
  host: hostname(),
};

const readConfig = (): ReceiverConfig => receiverConfig(process.env, (path) => readFileSync(path, 'utf8'));

async function main(): Promise<void> {
  const config = readConfig();
  const log = createLogger({ name: 'receiver', level: config.logLevel, gatherMs: LOG_GATHER_MS });
  const lifecycle = new Lifecycle(log, { graceMs: config.shutdownGraceMs });
  process.on('exit', () => log.flush());
  lifecycle.onSignals((code) => process.exit(code));
  watchEventLoop({ name: 'receiver', pid: process.pid, log });
  const manager = createServiceManager(process.env, { pid: process.pid, stopping: lifecycle.signal, log });
  try {
    await start(config, log, lifecycle);
    manager.ready();
  } catch (error) {
    lifecycle.fail(error);
  }
}

async function start(config: ReceiverConfig, log: Logger, lifecycle: Lifecycle): Promise<void> {
  const { otlpEndpoint: endpoint } = config;
  const { now, monotonicNow } = SOURCES;
  const tracing = await startTracing({ endpoint, process: 'receiver', now, log });
  lifecycle.own('tracing', () => tracing.close());
  const redis = createRedis(config.redisUrl.reveal(), { role: 'producer', log, name: 'receiver' });
  lifecycle.own('redis', () => closeRedis(redis));
  const queue = openScanQueue(redis);
  lifecycle.own('queue', () => queue.close());
  const metrics = createMetrics({ process: 'receiver', logHealth: log.health });
  const connections = limitConnections(metrics, config.trustProxy);
  const replicated =
    config.minReplicas === 0 ? null : buildReplicaCheck(redis, config.minReplicas, REPLICAS_DEADLINE_MS);
  const sink = buildEventSink({
    redis,
    queue,
    admit: buildAdmission(redis),
    replicated,
    deadlineMs: REDIS_DEADLINE_MS,
    monotonicNow,
    log,
  });
  const audited = startAudit({ redis, source: 'receiver', ...KEEP_ACTS, monotonicNow, lifecycle, log });
  const queueParts = { redis, queue, sink, replicated };
  const parts: ReceiverParts = { ...queueParts, tracing, ...SOURCES, version: SELF.version, log: audited };
  let shown = metrics.extend();
  let serving = serve(config, parts, shown);
  const notifier = startWorkerNotifier({ redis, hasWorker: buildHasWorker(redis, queue), ...SOURCES, log });
  lifecycle.own('notifications', () => notifier.close());
  notifier.use(config.consortium, shown);
  const refusals = startRefusalWatch({ redis, log });
  lifecycle.own('refused deliveries', () => refusals.close());
  const app = buildReceiver({
    serving: () => serving,
    refusals,
    version: SELF.version,
    joinFiles: readJoinFiles(fileURLToPath(new URL('join/', import.meta.url))),
    stopping: () => lifecycle.stopping,
    requestTimeoutMs: REQUEST_TIMEOUT_MS,
    trustProxy: config.trustProxy,
    connections,
    monotonicNow,
    log,
  });
  const admin = await startAdminServer({
    port: config.adminPort,
    host: config.adminHost,
    ready: () => answersNow(redis),
    metrics: () => shown.metrics(),
    stopping: lifecycle.signal,
    log,
  });
  lifecycle.own('admin', () => admin.close());
  const facts = () => ({
    shares_address: connections.sawUntrustedProxy() || mayShareAddress(config.trustProxy, config.host),
    fixed_secrets: config.fixedSecrets,
  });
  const registered = register(config, { redis, facts, log }, (next) => {
    const counted = metrics.extend();
    serving = serve(next, parts, counted);
    notifier.use(next.consortium, counted);
    shown = counted;
  });
  lifecycle.own('registration', () => registered.close());
  lifecycle.onReload(() => void registered.reload('signal'));
  lifecycle.own('http', () => app.close());
  await app.listen({ host: config.host, port: config.port });
  log.info({ port: config.port, libraries: serving.libraries, config: config.fileHash }, 'receiving');
}

function register(
  config: ReceiverConfig,
  parts: Pick<Registration, 'redis' | 'facts' | 'log'>,
  replace: (next: ReceiverConfig) => void,
): RegisteredProcess {
  return registerProcess({
    ...parts,
    id: randomUUID(),
    identity: SELF,
    hash: config.fileHash,
    reload: async () => {
      const read = tryConfig(readConfig);
      if (read.kind === 'refused') return read;
      replace(read.config);
      return { kind: 'loaded', hash: read.config.fileHash };
    },
    now: () => Date.now(),
  });
}

function limitConnections(
  metrics: MetricsRegistry,
  trustProxy: ReceiverConfig['trustProxy'],
): ConnectionLimits {
  const dropped = connectionMetrics(metrics, () => connections.open());
  const isProxy = buildProxyTest(trustProxy);
  const connections = createConnectionLimits({ ...CONNECTION_LIMITS, isProxy, dropped });
  return connections;
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof ConfigError ? error.message : String(error)}\n`);
  process.exit(1);
});
