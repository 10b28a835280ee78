import { type DashboardConfig, tryConfig } from '@passport/config';
import { startAudit } from '@passport/queue/audit';
import { CLOCK_KEY } from '@passport/queue/keys';
import { openLedger } from '@passport/queue/ledger';
import { queueMetrics, readRedis, redisMetrics } from '@passport/queue/metrics';
import { type ProcessIdentity, registerProcess } from '@passport/queue/processes';
import { type ReportJobs, openReportQueue } from '@passport/queue/reports';
import { type ScanJobs, openScanQueue, readQueue } from '@passport/queue/scans';
import {
  CONNECTION_LIMITS,
  type ConnectionLimits,
  type Lifecycle,
  type Logger,
  type MetricsRegistry,
  type Redis,
  answersNow,
  buildProxyTest,
  closeRedis,
  connectionMetrics,
  createConnectionLimits,
  createMetrics,
  createRedis,
  createRedisClock,
  mayShareAddress,
  startAdminServer,
} from '@passport/runtime';
import type { FastifyInstance } from 'fastify';
import { buildDashboard } from './build-dashboard.ts';
import { type Account, type Guesses, createGuesses, createLogin } from './login/login.ts';
import type { RetryRuns } from './events/retry-runs.ts';
import { buildPersonActions } from './shell/person-actions.ts';
import { knownLibraries } from './shell/known-libraries.ts';
import { type ProxyLogin, createProxyLogin } from './login/proxy-login.ts';

/** The clocks, the ids and the names, which main.ts alone may take from the machine. */
export interface Sources {
  readonly assetsDir: string;
  /** The runbook as HTML, and how the service was installed. */
  readonly runbook: string;
  readonly install: string | undefined;
  /** Of this process, and what it is, for the list of live processes. */
  readonly id: string;
  readonly self: ProcessIdentity;
  readonly wallNow: () => number;
  readonly monotonicNow: () => number;
}

/** Somebody looks at a page: later than this it says that the queue does not answer. */
const ANSWER_MS = 4_000;
/** As the receiver's: enough for a few form fields over the worst line. */
const REQUEST_TIMEOUT_MS = 10_000;
const KEEP_ACTS_EVERY_MS = 500;
const KEEP_ACTS_LAST_MS = 1_000;

/** Opens everything, listens, and registers with `lifecycle` how it is closed. `readConfig` reads the configuration anew. */
export async function startDashboard(
  config: DashboardConfig,
  plainLog: Logger,
  lifecycle: Lifecycle,
  sources: Sources,
  readConfig: () => DashboardConfig = () => config,
): Promise<void> {
  const redis = createRedis(config.redisUrl.reveal(), { role: 'reader', log: plainLog, name: 'dashboard' });
  lifecycle.own('redis', () => closeRedis(redis));
  // A page is answered before its audit line is kept.
  const log = startAudit({
    redis,
    source: 'dashboard',
    everyMs: KEEP_ACTS_EVERY_MS,
    closeWithinMs: KEEP_ACTS_LAST_MS,
    monotonicNow: sources.monotonicNow,
    lifecycle,
    log: plainLog,
  });
  const queue = openScanQueue(redis);
  lifecycle.own('queue', () => queue.close());
  const reportQueue = openReportQueue(redis);
  lifecycle.own('queue of reports', () => reportQueue.close());
  const now = startClock(redis, log, lifecycle, sources);
  const metrics = createMetrics({ process: 'dashboard', logHealth: log.health });
  const dropped = connectionMetrics(metrics, () => connections.open());
  const isProxy = buildProxyTest(config.trustProxy);
  const connections = createConnectionLimits({ ...CONNECTION_LIMITS, isProxy, dropped });
  const guesses = createGuesses(sources.wallNow);
  const kept = { redis, queue, reportQueue, now, log, sources, connections, guesses };
  const parts = { ...kept, stopping: () => lifecycle.stopping, retries: new Map() };
  let shown = metrics.extend();
  let successor: FastifyInstance | null = null;
  const app = show(config, { ...parts, successor: () => successor }, shown);
  const admin = await startAdminServer({
    port: config.adminPort,
    host: config.adminHost,
    ready: () => answersNow(redis),
    metrics: () => shown.metrics(),
    stopping: lifecycle.signal,
    log,
  });
  lifecycle.own('admin', () => admin.close());
  lifecycle.own('http', () => app.close());
  await app.listen({ host: config.host, port: config.port });
  log.info(
    { port: config.port, libraries: config.consortium.libraries.length, config: config.fileHash },
    'showing',
  );

  const registered = registerProcess({
    redis,
    id: sources.id,
    identity: sources.self,
    hash: config.fileHash,
    async reload() {
      const read = tryConfig(readConfig);
      if (read.kind === 'refused') return read;
      const counted = metrics.extend();
      const next = show(read.config, { ...parts, successor: () => null }, counted);
      await next.ready();
      [successor, shown] = [next, counted];
      return { kind: 'loaded', hash: read.config.fileHash };
    },
    facts: () => factsOf(config, connections),
    now,
    log,
  });
  lifecycle.own('registration', () => registered.close());
  lifecycle.onReload(() => void registered.reload('signal'));
}

const factsOf = ({ trustProxy, host, fixedSecrets }: DashboardConfig, connections: ConnectionLimits) => ({
  shares_address: connections.sawUntrustedProxy() || mayShareAddress(trustProxy, host),
  fixed_secrets: fixedSecrets,
});

/** What a dashboard keeps while its configuration is replaced. */
interface DashboardParts {
  readonly redis: Redis;
  readonly queue: ScanJobs;
  readonly reportQueue: ReportJobs;
  readonly now: () => number;
  readonly log: Logger;
  readonly sources: Sources;
  readonly connections: ConnectionLimits;
  readonly guesses: Guesses;
  readonly stopping: () => boolean;
  readonly successor: () => FastifyInstance | null;
  readonly retries: RetryRuns;
}

/** Builds all that depends on the configuration; it listens to nothing. */
function show(
  config: DashboardConfig,
  {
    redis,
    queue,
    reportQueue,
    now,
    log,
    sources,
    connections,
    guesses,
    stopping,
    successor,
    retries,
  }: DashboardParts,
  metrics: MetricsRegistry,
): FastifyInstance {
  const { consortium, basePath } = config;
  const names = new Map(consortium.libraries.map(({ id, name }) => [id, name]));
  const nameOf = (id: string): string => names.get(id) ?? id;
  const ids = [...names.keys()];
  const backlogLimits = Object.fromEntries(
    consortium.libraries.map(({ id, limits }) => [id, limits.backlog]),
  );
  queueMetrics(metrics, () => readQueue(redis, queue, ids, now()), backlogLimits);
  redisMetrics(metrics, () => readRedis(redis));
  return buildDashboard({
    redis,
    queue,
    reportQueue,
    libraries: knownLibraries(consortium),
    endpoints: consortium.notify,
    nameOf,
    now,
    log,
    basePath,
    consortium: consortium.name,
    login: createLogin(accountsOf(config), sources.wallNow, guesses),
    proxyLogin: proxyLoginOf(config),
    actions: buildPersonActions({ queue, ledger: openLedger(redis), now, log }),
    retries,
    asker: {
      name: 'this dashboard',
      version: sources.self.version,
      configuration: { name: 'this dashboard', hash: config.fileHash },
      install: sources.install,
    },
    assetsDir: sources.assetsDir,
    runbook: sources.runbook,
    install: sources.install,
    trustProxy: config.trustProxy,
    connections,
    requestTimeoutMs: REQUEST_TIMEOUT_MS,
    stopping,
    successor,
    answerWithinMs: ANSWER_MS,
  });
}

/** The queue's clock as soon as Redis has answered; until then nothing is shown that would need it. */
function startClock(redis: Redis, log: Logger, lifecycle: Lifecycle, sources: Sources): () => number {
  const clock = createRedisClock(redis, CLOCK_KEY, sources.monotonicNow, { log });
  lifecycle.own('clock', () => clock.close());
  let now = sources.wallNow;
  redis.on('ready', () => {
    clock.start().then(
      () => {
        now = () => clock.now();
      },
      () => undefined,
    );
  });
  return () => now();
}

function accountsOf({ operator, viewer, consortium }: DashboardConfig): readonly Account[] {
  const account = (login: typeof operator, role: Account['role']): Account => ({
    user: login.user,
    password: login.password.reveal(),
    role,
    libraries: 'all',
  });
  const users = consortium.users.flatMap(({ name, role, libraries, password }): Account[] =>
    // A proxy logs them in: an empty password is none.
    password === null ? [] : [{ user: name, role, libraries, password: password.reveal() }],
  );
  return [account(operator, 'operator'), ...(viewer === null ? [] : [account(viewer, 'viewer')]), ...users];
}

function proxyLoginOf({ proxyLogin, consortium }: DashboardConfig): ProxyLogin | null {
  if (proxyLogin === null) return null;
  const people = consortium.users.map(({ name, role, libraries }) => ({ user: name, role, libraries }));
  return createProxyLogin({ ...proxyLogin, people });
}
