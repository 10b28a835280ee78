import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { ConfigError, receiverConfig } from '@passport/config';
import { parseWebhookSecret } from '@passport/contract';
import {
  CLOCK_KEY,
  type RefreshJobs,
  type ProcessNote,
  type ScanJobs,
  announceProcess,
  buildAdmission,
  buildReplicaCheck,
  openRefreshQueue,
  openScanQueue,
  queueMetrics,
  readQueue,
  readRedis,
  redisMetrics,
} from '@passport/queue';
import {
  Lifecycle,
  type Logger,
  type MetricsRegistry,
  type Redis,
  closeRedis,
  createLogger,
  createMetrics,
  createRedis,
  createEncryption,
  readRedisTime,
  startAdminServer,
  startTracing,
  versionOf,
} from '@passport/runtime';
import { acceptEvent } from './accept-event.ts';
import { buildReceiver } from './app.ts';
import { type ReportingLibrary, buildAuthentication } from './authentication.ts';
import { CONNECTION_LIMITS, type ConnectionLimits, createConnectionLimits } from './connection-limits.ts';
import { buildEventSink } from './event-sink.ts';
import { connectionMetrics } from './connection-metrics.ts';
import { eventMetrics } from './event-metrics.ts';
import { buildJobMaker } from './job-maker.ts';
import { type NoteSeen, buildNoteSeen } from './note-seen.ts';
import { buildProxyTest } from './proxy-test.ts';
import { buildReadState } from './read-state.ts';
import { tracedAccept } from './traced-accept.ts';

/** A desk waits: what Redis has not done by then is answered 503, and the sender tries again. */
const REDIS_DEADLINE_MS = 2_000;
/** Replicas acknowledge in a round trip; they wait in the same connection as everybody's next event. */
const REPLICAS_DEADLINE_MS = 500;
const SELF: ProcessNote = {
  kind: 'receiver',
  version: versionOf(new URL('../package.json', import.meta.url)),
  host: hostname(),
};
/** What an alert looks for among the results of deliveries (deploy/prometheus/alerts.yml), and what goes well. */
const ALERTING_RESULTS = ['accepted', 'unavailable', 'unauthorized', 'rate_limited', 'backlog_full'];
/** One line for each delivery: nobody reads faster than this, and a line alone costs as much as half a delivery. */
const LOG_GATHER_MS = 100;
/** Long enough for 16 KiB over the worst line, short enough that slow senders cannot use up all connections. */
const REQUEST_TIMEOUT_MS = 10_000;

async function main(): Promise<void> {
  const config = receiverConfig(process.env, (path) => readFileSync(path, 'utf8'));
  const log = createLogger({ name: 'receiver', level: config.logLevel, gatherMs: LOG_GATHER_MS });
  const lifecycle = new Lifecycle(log, { graceMs: config.shutdownGraceMs });
  lifecycle.onSignals((code) => {
    log.flush();
    process.exit(code);
  });
  try {
    await start(config, log, lifecycle);
  } catch (error) {
    lifecycle.fail(error);
  }
}

async function start(
  config: ReturnType<typeof receiverConfig>,
  log: ReturnType<typeof createLogger>,
  lifecycle: Lifecycle,
): Promise<void> {
  const { consortium } = config;
  const libraries = new Map(
    consortium.libraries.filter(reports).map((library) => [library.id, reporting(library)]),
  );
  const nameOf = nameReader(consortium.libraries);

  const tracing = await startTracing({
    endpoint: config.otlpEndpoint,
    process: 'receiver',
    now: () => Date.now(),
    log,
  });
  lifecycle.own('tracing', () => tracing.close());
  const redis = createRedis(config.redisUrl.reveal(), { role: 'producer', log, name: 'receiver' });
  lifecycle.own('redis', () => closeRedis(redis));
  const queue = owned('queue', openScanQueue(redis), lifecycle);

  const metrics = createMetrics({ process: 'receiver', logHealth: log.health });
  const ids = [...libraries.keys()];
  const backlogLimits = Object.fromEntries([...libraries].map(([id, { limits }]) => [id, limits.backlog]));
  // By Redis's clock, as the times in the backlog are: a receiver that is fast would take entries for left behind.
  const queueNow = (): Promise<number> => readRedisTime(redis, CLOCK_KEY);
  queueMetrics(metrics, async () => readQueue(redis, queue, ids, await queueNow()), backlogLimits);
  redisMetrics(metrics, () => readRedis(redis), config.minReplicas);
  const authenticate = buildAuthentication({ libraries, nowSeconds: () => Math.floor(Date.now() / 1000) });
  const sink = buildEventSink({
    redis,
    queue,
    admit: buildAdmission(redis),
    replicated:
      config.minReplicas === 0 ? null : buildReplicaCheck(redis, config.minReplicas, REPLICAS_DEADLINE_MS),
    deadlineMs: REDIS_DEADLINE_MS,
    monotonicNow: () => performance.now(),
    log,
  });
  const jobs = buildJobMaker(createEncryption(config.keys.map((key) => key.reveal())));
  const noteSeen = openNoteSeen(consortium.libraries, { redis, lifecycle, log });
  const app = buildReceiver({
    libraries,
    authenticate,
    accept: tracedAccept(
      acceptEvent({ authenticate, sink, jobs, noteSeen, traceparent: () => tracing.traceparent() }),
      tracing,
      (library) => libraries.has(library),
    ),
    readState: buildReadState({ redis, nameOf, deadlineMs: REDIS_DEADLINE_MS, log }),
    stopping: () => lifecycle.stopping,
    requestTimeoutMs: REQUEST_TIMEOUT_MS,
    trustProxy: config.trustProxy,
    connections: limitConnections(metrics, config.trustProxy),
    monotonicNow: () => performance.now(),
    counted: eventMetrics(metrics, { libraries: ids, results: ALERTING_RESULTS }),
    log,
  });
  const admin = await startAdminServer({
    port: config.adminPort,
    host: config.adminHost,
    ready: () => redis.status === 'ready',
    metrics: () => metrics.metrics(),
    stopping: lifecycle.signal,
    log,
  });
  lifecycle.own('admin', () => admin.close());
  lifecycle.own('http', () => app.close());
  await app.listen({ host: config.host, port: config.port });
  lifecycle.own('list of processes', announceProcess(redis, randomUUID(), () => SELF).close);
  log.info({ port: config.port, libraries: libraries.size }, 'receiving');
}

/** Closes the queue at the end. Of outages its connection has the lines, once each. */
function owned<T extends ScanJobs | RefreshJobs>(name: string, queue: T, lifecycle: Lifecycle): T {
  queue.on('error', () => undefined);
  lifecycle.own(name, () => queue.close());
  return queue;
}

function openNoteSeen(
  libraries: readonly Library[],
  deps: { readonly redis: Redis; readonly lifecycle: Lifecycle; readonly log: Logger },
): NoteSeen {
  const queue = owned('refresh queue', openRefreshQueue(deps.redis), deps.lifecycle);
  const refreshed = new Set(libraries.filter(({ refresh }) => refresh?.atScan === true).map(({ id }) => id));
  return buildNoteSeen({
    ...deps,
    queue,
    isWanted: (id) => refreshed.has(id),
    deadlineMs: REDIS_DEADLINE_MS,
  });
}

function limitConnections(
  metrics: MetricsRegistry,
  trustProxy: ReturnType<typeof receiverConfig>['trustProxy'],
): ConnectionLimits {
  const dropped = connectionMetrics(metrics, () => connections.open());
  const isProxy = buildProxyTest(trustProxy);
  const connections = createConnectionLimits({ ...CONNECTION_LIMITS, isProxy, dropped });
  return connections;
}

function nameReader(libraries: readonly Library[]): (id: string) => string {
  const names = new Map(libraries.map(({ id, name }) => [id, name]));
  return (id) => names.get(id) ?? id;
}

type Library = ReturnType<typeof receiverConfig>['consortium']['libraries'][number];

const reports = (library: Library): boolean => library.enabled && library.webhookSecrets.length > 0;

function reporting({ id, webhookSecrets, limits }: Library): ReportingLibrary {
  return { id, limits, secrets: webhookSecrets.map((secret) => parseWebhookSecret(secret.reveal())) };
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof ConfigError ? error.message : String(error)}\n`);
  process.exit(1);
});
