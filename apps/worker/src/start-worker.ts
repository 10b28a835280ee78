import { type WorkerConfig, tryConfig } from '@passport/config';
import { ALERTED_OUTCOMES } from '@passport/contract';
import { startAudit } from '@passport/queue/audit';
import { type FetchTimings, startFetchWatch } from '@passport/queue/bullmq';
import { openReceipts } from '@passport/queue/copies';
import { CLOCK_KEY } from '@passport/queue/keys';
import { openLedger } from '@passport/queue/ledger';
import { buildClaimCreate, openCreatePlaces, openPatronLocks } from '@passport/queue/locks';
import { queueMetrics, readRedis, redisMetrics } from '@passport/queue/metrics';
import { buildPauses, readControl, registerProcess, retireHealth } from '@passport/queue/processes';
import { openReportQueue } from '@passport/queue/reports';
import { readKept } from '@passport/queue/retention';
import {
  buildJobDataWriter,
  openScanQueue,
  readConsent,
  readDecision,
  readQueue,
} from '@passport/queue/scans';
import { readSchedules, readSetUps } from '@passport/queue/sweeps';
import {
  type Lifecycle,
  type Logger,
  type MetricsRegistry,
  answersNow,
  closeRedis,
  countRedisBreaks,
  createEncryption,
  createMetrics,
  createRedis,
  createRedisClock,
  startAdminServer,
  startTracing,
  untilRedisReady,
  within,
} from '@passport/runtime';
import { buildEndCheck } from './job/end-check.ts';
import { keepReceipts } from './job/keep-receipts.ts';
import type { ScanContext } from './job/process-scan.ts';
import { startReportWorker } from './job/report-worker.ts';
import { FETCH_TIMINGS, startScanWorker } from './job/scan-worker.ts';
import { buildWorkerLoad } from './job/worker-load.ts';
import { connectLibraries, longestWriteMs } from './koha/connect-libraries.ts';
import { buildCopyMemory } from './koha/copy-memory.ts';
import { buildPauseLeft, withWindows } from './koha/pauses.ts';
import { buildReporter, hasPlugin } from './koha/report.ts';
import { notifyTasks } from './maintenance/notify-tasks.ts';
import { rememberTask } from './maintenance/remember-task.ts';
import { startTasks } from './maintenance/start-tasks.ts';
import { buildTasks } from './maintenance/tasks.ts';
import { fetchMetrics, nightlyMetrics, pauseMetrics, setUpMetrics } from './metrics/gauges.ts';
import { jobMetrics } from './metrics/job-metrics.ts';
import { keptMetrics } from './metrics/kept-metrics.ts';
import { kohaMetrics } from './metrics/koha-metrics.ts';
import { buildAudit } from './provision/audit.ts';
import { buildCreateAccess } from './provision/create-access.ts';
import { buildQuota } from './provision/quota.ts';
import { buildPatronLock } from './provision/with-patron-lock.ts';
import type { Sources } from './sources.ts';
import { startSeenWorker } from './sweep/seen-worker.ts';
import { recordsIn } from './sweep/sweep-job.ts';
import { startSweepWorker } from './sweep/sweep-worker.ts';
import type { WorkContext, RedisConnections, ProcessContext } from './work-context.ts';

/**
 * Runs that began under a configuration which was replaced may end within this; then they are requeued, and begin again under
 * the new one. So a run has one configuration, and no event is answered by an old one a second after the reload.
 */
const OLD_RUNS_MS = 600;
const REDIS_RETRY_EVERY_MS = 100;
/** One library's creates may keep a quarter of the worker's jobs waiting; the other slots are for everybody else. */
const SLOTS_OF_ONE_LINE = 4;
const RETIRE_MS = 1_000;
const KEEP_ACTS_EVERY_MS = 5_000;
const KEEP_ACTS_LAST_MS = 500;
/** A time of day is a minute, and this a small part of it. */
const NIGHTS_EVERY_MS = 5_000;

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
  const { redis, clock, fetches } = connections;
  fetchMetrics(metrics, fetches);
  const shownMetrics = (): Promise<string> => shown.metrics();
  await startProbes(config, connections, { metrics: shownMetrics, lifecycle, log });
  await untilRedisAnswers(connections, lifecycle, sources.pause);
  if (lifecycle.stopping) return;
  const now = (): number => clock.now();
  sources.adoptClock(now);
  present = now;

  const parts = openParts({ ...sources, ...connections, tracing, now, log });
  const { pauses } = parts;
  // Before the first job: a paused library is not queried because a worker has only just started.
  pauses.set(await readControl(redis));
  const start = async (next: WorkerConfig): Promise<Lifecycle> => {
    const work = lifecycle.part('work', OLD_RUNS_MS);
    const counted = metrics.extend();
    try {
      await startWork(next, parts, work, counted);
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
  {
    lifecycle,
    ...served
  }: { readonly metrics: () => Promise<string>; readonly lifecycle: Lifecycle; readonly log: Logger },
): Promise<void> {
  const live = (): boolean => fetches.isLive();
  const ready = (): Promise<boolean> | boolean =>
    fetches.isFetching() && connection.status === 'ready' && answersNow(redis);
  const admin = await startAdminServer({ port, host, live, ready, stopping: lifecycle.signal, ...served });
  lifecycle.own('admin', () => admin.close());
}

/** Opens both connections and returns at once. Where no jobs come for too long, the process ends. */
function openRedis(
  config: WorkerConfig,
  { monotonicNow }: Sources,
  timings: FetchTimings,
  lifecycle: Lifecycle,
  log: Logger,
): RedisConnections {
  const url = config.redisUrl.reveal();
  const connection = createRedis(url, { role: 'worker', log, name: 'worker' });
  lifecycle.own('connection', () => closeRedis(connection));
  const redis = createRedis(url, { role: 'producer', log, name: 'worker-keys' });
  lifecycle.own('redis', () => closeRedis(redis));
  const clock = createRedisClock(redis, CLOCK_KEY, monotonicNow, { log });
  lifecycle.own('clock', () => clock.close());
  const onOver = (): void => lifecycle.giveUp('no jobs could be fetched');
  const fetches = startFetchWatch({ timings, monotonicNow, onOver, log });
  lifecycle.own('watch of fetches', () => fetches.close());
  return { connection, redis, clock, fetches };
}

/**
 * Resolves once Redis has answered with the time, or when the process stops. A worker has nobody to answer to: it
 * waits as long as it takes, and is not ready meanwhile.
 */
async function untilRedisAnswers(
  { connection, redis, clock }: RedisConnections,
  lifecycle: Lifecycle,
  pause: Sources['pause'],
): Promise<void> {
  while (!lifecycle.stopping) {
    try {
      await untilRedisReady(connection, 1_000);
      await untilRedisReady(redis, 1_000);
      await clock.start();
      return;
    } catch {
      await pause(REDIS_RETRY_EVERY_MS);
    }
  }
}

type Given = Sources & RedisConnections & Pick<ProcessContext, 'tracing' | 'now' | 'log'>;

function openParts(given: Given): ProcessContext {
  const { connection, redis, now } = given;
  return {
    ...given,
    queue: openScanQueue(redis),
    reportQueue: openReportQueue(redis),
    pauses: buildPauses(now),
    receipts: keepReceipts(openReceipts(redis), given),
    breaks: countRedisBreaks([connection, redis]),
  };
}

/**
 * Builds all that depends on the configuration, and starts each consumer; `lifecycle` ends it. Two of them may run side by side for a
 * moment, as two workers may.
 */
async function startWork(
  config: WorkerConfig,
  parts: ProcessContext,
  lifecycle: Lifecycle,
  metrics: MetricsRegistry,
): Promise<void> {
  const context = openContext(config, parts, lifecycle, metrics);
  const { consortium, redis, monotonicNow, now, log } = context;
  const reporter = buildReporter(context);
  lifecycle.own('reports', () => reporter.settled());

  const reports = startReportWorker(context);
  lifecycle.own('report worker', () => reports.close());

  // What the service does by itself is in the audit view, too; scans have their history instead.
  const acts = { everyMs: KEEP_ACTS_EVERY_MS, closeWithinMs: KEEP_ACTS_LAST_MS };
  const audited = startAudit({ redis, source: 'worker', ...acts, monotonicNow, lifecycle, log });
  setUpMetrics(metrics, () => readSetUps(redis));
  nightlyMetrics(metrics, () => readSchedules(redis), consortium.libraries.length, now);
  const sweeps = await startSweepWorker({ ...context, log: audited });
  lifecycle.own('sweeps', () => sweeps.close());
  const atScans = startSeenWorker({ ...context, log: audited });
  lifecycle.own('refreshes at scans', () => atScans.close());

  const workerId = context.newId();
  lifecycle.own('library health', () => retire(context, workerId));
  const dropped = observeQueue(context, metrics);
  const tasks = startTasks(
    [
      ...buildTasks({ ...context, dropped, workerId }),
      rememberTask(context),
      ...notifyTasks({ ...context, metrics, signal: lifecycle.signal }),
      { name: 'nights', everyMs: NIGHTS_EVERY_MS, work: () => sweeps.queueNights() },
    ],
    log,
  );
  lifecycle.own('maintenance', () => tasks.close());

  const scans = startScanWorker({ ...context, ...openScanContext(context), reporter });
  lifecycle.own('scans', () => scans.close());
  const { concurrency, fileHash } = config;
  log.info({ libraries: consortium.libraries.length, concurrency, config: fileHash }, 'working');
}

/** Without it the next start would show what this process saw beside its own for minutes. Never worth a wait. */
async function retire({ redis, consortium: { libraries } }: WorkContext, workerId: string): Promise<void> {
  const ids = libraries.map(({ id }) => id);
  const retired = retireHealth(redis, ids, workerId);
  await within(RETIRE_MS, retired, 'retiring library health').catch(() => undefined);
}

/** What all work under one configuration shares. Nothing is sent yet. */
function openContext(
  config: WorkerConfig,
  parts: ProcessContext,
  lifecycle: Lifecycle,
  metrics: MetricsRegistry,
): WorkContext {
  const { redis, pauses, now, log } = parts;
  const { consortium, keys, concurrency } = config;
  const names = new Map(consortium.libraries.map(({ id, name }) => [id, name]));
  const paused = withWindows(pauses, consortium.libraries, now);
  pauseMetrics(metrics, paused, [...names.keys()]);
  const pauseLeft = buildPauseLeft(paused, now);
  const load = buildWorkerLoad(concurrency);
  const kohas = connectLibraries({
    ...parts,
    consortium,
    lifecycle,
    metrics: kohaMetrics(metrics, names.size),
    hasFreeSlots: load.hasFreeSlots,
    pauseLeft,
  });
  const { libraries } = kohas;
  const memory = buildCopyMemory({ redis, keys, libraries, now, log });
  lifecycle.own('memory of copies', () => memory.settled());
  const { deadline } = lifecycle;
  const jobs = jobMetrics(metrics, [...names.keys()], ALERTED_OUTCOMES);
  const nameOf = (id: string): string => names.get(id) ?? id;
  const configured = { consortium, keys, concurrency, nameOf };
  return { ...parts, ...configured, ...kohas, deadline, jobs, memory, load, pauseLeft };
}

/** The metrics of the queue, which any worker may answer for. Returns what counts the ended events that went before their time. */
function observeQueue(
  { consortium: { libraries }, redis, queue, now }: WorkContext,
  metrics: MetricsRegistry,
): ReturnType<typeof keptMetrics> {
  const ids = libraries.map(({ id }) => id);
  const backlogLimits = Object.fromEntries(libraries.map(({ id, limits }) => [id, limits.backlog]));
  queueMetrics(metrics, () => readQueue(redis, queue, ids, now()), backlogLimits);
  redisMetrics(metrics, () => readRedis(redis));
  const keptLimits = libraries.map(
    ({ id, limits }) => [id, { finished: limits.keptFinished, failed: limits.keptFailed }] as const,
  );
  const readShares = async () => {
    const [kept, { memoryLimitBytes }] = await Promise.all([readKept(redis, ids), readRedis(redis)]);
    return { libraries: kept, memoryLimitBytes };
  };
  return keptMetrics(metrics, readShares, Object.fromEntries(keptLimits));
}

/** What only the work on scans needs. */
function openScanContext(context: WorkContext) {
  const { consortium, concurrency, keys, connection, redis, jobs, load, memory, tracing } = context;
  const { monotonicNow, log } = context;
  const ledger = openLedger(redis);
  const timeouts = new Map(consortium.libraries.map(({ id, koha }) => [id, koha.timeoutMs]));
  return {
    // On BullMQ's own connection: between two masters, the end of a job must not go to one and its finishing to the other. Who is next
    // in a line must not overtake whoever leaves.
    jobData: buildJobDataWriter(connection),
    claimCreate: buildClaimCreate(connection),
    createAccess: buildCreateAccess({
      places: openCreatePlaces(connection),
      mostWaiting: Math.max(1, Math.floor(concurrency / SLOTS_OF_ONE_LINE)),
      hasFreeSlots: load.hasFreeSlots,
      ...context,
    }),
    withPatronLock: buildPatronLock({
      patronLocks: openPatronLocks(redis),
      longestWriteMs: (id) => longestWriteMs(timeouts.get(id) ?? 0),
      ...context,
    }),
    ledger,
    quota: buildQuota(consortium, ledger, jobs.limitReached, monotonicNow),
    endCheck: buildEndCheck(context),
    encryption: createEncryption(keys.map((key) => key.reveal())),
    audit: buildAudit(log),
    records: recordsIn(redis),
    readConsent: (job) => readConsent(redis, job),
    readDecision: (job, question) => readDecision(redis, job, question),
    copied: (library, sinceScanMs) => jobs.copied(library, sinceScanMs / 1000),
    remember(written) {
      if (hasPlugin(consortium, written.lending)) memory.note(written);
    },
    // A step that fails is in the trace, but not among the times of those that were taken.
    inStep: (name, work) =>
      tracing.within(
        () => ({ name, kind: 'internal' }),
        async () => {
          const startedAt = monotonicNow();
          const result = await work();
          jobs.step(name, (monotonicNow() - startedAt) / 1000);
          return result;
        },
      ),
  } satisfies Partial<ScanContext>;
}
