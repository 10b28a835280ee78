import type { WorkerConfig } from '@passport/config';
import { ALERTED_OUTCOMES } from '@passport/contract';
import {
  type Pauses,
  type Receipts,
  type ReportJobs,
  type ScanJobs,
  buildClaimCreate,
  buildJobDataWriter,
  openActKeeper,
  readKept,
  queueMetrics,
  readQueue,
  readRedis,
  redisMetrics,
  retireHealth,
} from '@passport/queue';
import {
  type Lifecycle,
  type Logger,
  type MetricsRegistry,
  type Redis,
  type Tracing,
  auditedLog,
  within,
} from '@passport/runtime';
import { jobMetrics } from './metrics/job-metrics.ts';
import { type KeptReading, keptMetrics } from './metrics/kept-metrics.ts';
import { kohaMetrics } from './metrics/koha-metrics.ts';
import { pauseMetrics } from './metrics/pause-metrics.ts';
import { assembleWork } from './assemble-work.ts';
import { buildTasks } from './maintenance/tasks.ts';
import { buildPauseLeft } from './koha/pause-left.ts';
import { withWindows } from './koha/planned-pauses.ts';
import { connectLibraries } from './koha/connect-libraries.ts';
import { buildCopyMemory } from './koha/copy-memory.ts';
import { rememberTask } from './maintenance/remember-task.ts';
import { buildEndCheck } from './job/end-check.ts';
import { startMaintenance } from './maintenance/maintenance.ts';
import { notifyTasks } from './maintenance/notify-tasks.ts';
import { pausedTask } from './maintenance/paused-task.ts';
import { startSeenWorker } from './sweep/seen-worker.ts';
import { startSweepWorker } from './sweep/sweep-worker.ts';
import { openReporter, startReports } from './reporting.ts';
import { startScanWorker } from './job/scan-worker.ts';
import { buildWorkerLoad } from './job/worker-load.ts';
import type { RedisConnections } from './redis-connections.ts';
import type { Sources } from './sources.ts';

const RETIRE_MS = 1_000;
const KEEP_ACTS_EVERY_MS = 5_000;
const KEEP_ACTS_LAST_MS = 500;

/** What a worker keeps while its configuration is replaced. */
export interface WorkerParts {
  readonly connections: RedisConnections;
  readonly queue: ScanJobs;
  readonly reportQueue: ReportJobs;
  /** What operators have paused. */
  readonly pauses: Pauses;
  /** How often a connection to Redis was lost so far. */
  readonly breaks: () => number;
  /** One for the process: what it keeps for a lost connection outlives the configuration. */
  readonly receipts: Receipts;
  readonly tracing: Tracing;
  readonly sources: Sources;
  readonly now: () => number;
  readonly log: Logger;
}

/**
 * Builds all that depends on the configuration, and starts it; `lifecycle` ends it. Two of them may run side by side for a
 * moment, as two workers may.
 */
export async function startWork(
  config: WorkerConfig,
  parts: WorkerParts,
  { lifecycle, metrics }: { readonly lifecycle: Lifecycle; readonly metrics: MetricsRegistry },
): Promise<void> {
  const { connections, queue, reportQueue, breaks, receipts, pauses, tracing, sources, now, log } = parts;
  const { connection, redis } = connections;
  const { consortium, concurrency } = config;
  const { monotonicNow, pause } = sources;
  const byId = new Map(consortium.libraries.map((library) => [library.id, library]));
  const ids = [...byId.keys()];
  const nameOf = (id: string): string => byId.get(id)?.name ?? id;

  const dropped = observeQueue(metrics, consortium, { redis, queue, now });
  const paused = withWindows(pauses, consortium.libraries, now);
  pauseMetrics(metrics, paused, ids);
  const load = buildWorkerLoad(concurrency);
  const pauseLeft = buildPauseLeft(paused, now);
  const seen = { metrics: kohaMetrics(metrics, ids.length), hasFreeSlots: load.hasFreeSlots, tracing };
  const kohas = connectLibraries({ consortium, lifecycle, sources, pauseLeft, ...seen, now, log });
  const { libraries, health } = kohas;
  const memory = buildCopyMemory({ redis, keys: config.keys, libraries, now, log });
  lifecycle.own('memory of copies', () => memory.settled());
  const jobs = jobMetrics(metrics, ids, ALERTED_OUTCOMES);
  const reporting = { consortium, redis, libraries, nameOf, tracing, now, log };
  const reporter = openReporter({ ...reporting, reportQueue, lifecycle, sources });
  const opened = {
    config,
    connections,
    queue,
    kohas,
    memory,
    load,
    jobs,
    reporter,
    tracing,
    sources,
    nameOf,
  };
  const work = assembleWork({ ...opened, receipts, pauseLeft, now, log });

  const workerId = sources.newId();
  lifecycle.own('library health', () => retire(redis, ids, workerId));
  const kept = { redis, queue, reportQueue, dropped };
  const tasks = buildTasks({ consortium, ...kept, libraries, health, workerId, now, log });
  const remembering = rememberTask(consortium, memory, { ...kohas, monotonicNow });
  const promoting = pausedTask(redis, queue, pauseLeft);
  const { signal } = lifecycle;
  const notifying = notifyTasks({ consortium, redis, metrics, sources, pauseLeft, signal, now, log });
  const maintenance = startMaintenance([...tasks, remembering, promoting, ...notifying], log);
  lifecycle.own('maintenance', () => maintenance.close());
  const reports = startReports({ ...reporting, connection });
  lifecycle.own('report worker', () => reports.close());
  const { retention } = consortium;
  const { deadline } = lifecycle;
  // On BullMQ's own connection: between two masters, the end of a job must not go to one and its finishing to the other.
  const jobData = buildJobDataWriter(connection);
  const endCheck = buildEndCheck({ breaks, pause, deadline, log });
  const claimCreate = buildClaimCreate(connection);
  const taking = { connection, concurrency, load, retention, work, jobData, claimCreate, endCheck };
  const swept = { ...kohas, ...sources, consortium, keys: config.keys, connection, redis, now, log };
  await startRefreshes({ ...swept, log: startAudit(redis, log, lifecycle, monotonicNow) }, lifecycle);
  const scans = startScanWorker({ ...taking, deadline, monotonicNow, now, log });
  lifecycle.own('scans', () => scans.close());
  log.info({ libraries: ids.length, concurrency, config: config.fileHash }, 'working');
}

/** What keeps copies right: all of them at their time, and each at its scan. */
async function startRefreshes(
  deps: Parameters<typeof startSweepWorker>[0],
  lifecycle: Lifecycle,
): Promise<void> {
  const sweeps = await startSweepWorker(deps);
  lifecycle.own('sweeps', () => sweeps.close());
  const atScans = startSeenWorker(deps);
  lifecycle.own('refreshes at scans', () => atScans.close());
}

/** The log of what the service does by itself, whose audit lines are kept in Redis, too; scans have their history instead. */
function startAudit(redis: Redis, log: Logger, lifecycle: Lifecycle, monotonicNow: () => number): Logger {
  const acts = openActKeeper({
    redis,
    source: 'worker',
    everyMs: KEEP_ACTS_EVERY_MS,
    monotonicNow,
    onLost: (lines) => log.warn({ left_out: lines }, 'audit lines are in the log, but not in the audit view'),
  });
  lifecycle.own('acts', () => acts.close(KEEP_ACTS_LAST_MS));
  return auditedLog(log, acts.keep);
}

/** Without it the next start would show what this process saw beside its own for minutes. Never worth a wait. */
const retire = (redis: Redis, ids: readonly string[], workerId: string): Promise<unknown> =>
  within(RETIRE_MS, retireHealth(redis, ids, workerId), 'retiring library health').catch(() => undefined);

function observeQueue(
  metrics: MetricsRegistry,
  { libraries }: WorkerConfig['consortium'],
  { redis, queue, now }: { redis: Redis; queue: ScanJobs; now: () => number },
): ReturnType<typeof keptMetrics> {
  const ids = libraries.map(({ id }) => id);
  const backlogLimits = Object.fromEntries(libraries.map(({ id, limits }) => [id, limits.backlog]));
  queueMetrics(metrics, () => readQueue(redis, queue, ids, now()), backlogLimits);
  redisMetrics(metrics, () => readRedis(redis));
  const keptLimits = libraries.map(
    ({ id, limits }) => [id, { finished: limits.keptFinished, failed: limits.keptFailed }] as const,
  );
  const readShares = async (): Promise<KeptReading> => {
    const [kept, { memoryLimitBytes }] = await Promise.all([readKept(redis, ids), readRedis(redis)]);
    return { libraries: kept, memoryLimitBytes };
  };
  return keptMetrics(metrics, readShares, Object.fromEntries(keptLimits));
}
