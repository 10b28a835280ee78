import type { WorkerConfig } from '@passport/config';
import {
  type ReportJobs,
  buildJobDataWriter,
  countDelayedReports,
  noteItem,
  openCreatePlaces,
  openLedger,
  openReceipts,
  openPatronLocks,
  noteDelayed,
  queueReport,
} from '@passport/queue';
import { type Lifecycle, type Logger, type Redis, type Tracing, createEncryption } from '@passport/runtime';
import type { JobMetrics } from './metrics/job-metrics.ts';
import { buildHomeQuery } from './provision/query-home.ts';
import { buildAudit } from './provision/audit.ts';
import { buildCreateAccess } from './provision/create-place.ts';
import { buildJobObserver } from './job/job-observer.ts';
import { keepReceipts } from './job/keep-receipts.ts';
import { buildSettlement } from './job/settlement.ts';
import type { CopyMemory } from './remember/copy-memory.ts';
import type { Libraries } from './koha/libraries.ts';
import type { Sources } from './sources.ts';
import { type ProvisionDeps, provision } from './provision/provision.ts';
import type { RunDeps } from './job/run-scan.ts';
import { buildScanWork } from './job/scan-work.ts';
import type { HealthTracker } from './koha/health-tracker.ts';
import type { SlotClock } from './koha/slot-clock.ts';
import { longestPatienceMs } from './job/requeue.ts';
import { longestWriteMs } from './koha/connect-libraries.ts';
import { buildPatronLock } from './provision/patron-lock.ts';
import { buildQuota } from './provision/quota.ts';
import { buildReporter } from './koha/report.ts';
import type { WorkerLoad } from './job/worker-load.ts';
import type { ScanWork } from './job/scan-worker.ts';

/** One library's creates may keep a quarter of the worker's jobs waiting; the other slots are for everybody else. */
const SLOTS_OF_ONE_LINE = 4;

/** What wiring.ts has opened by the time the work on scans can be put together. */
export interface Opened {
  readonly config: WorkerConfig;
  readonly nameOf: (library: string) => string;
  /** BullMQ's own. */
  readonly connection: Redis;
  /** For commands that must not wait. */
  readonly redis: Redis;
  readonly reportQueue: ReportJobs;
  readonly libraries: Libraries;
  readonly memory: CopyMemory;
  readonly slots: SlotClock;
  readonly load: WorkerLoad;
  readonly health: HealthTracker;
  readonly jobs: JobMetrics;
  readonly tracing: Tracing;
  readonly sources: Sources;
  readonly lifecycle: Lifecycle;
  readonly now: () => number;
  readonly log: Logger;
}

/**
 * Builds all that happens to a scan. Nothing is sent yet. Apart from wiring.ts because the two together are longer than a
 * file may be: what must be closed (connections, servers, timers) is opened there, what only computes is built here.
 */
export function assembleWork(opened: Opened): ScanWork {
  const {
    config,
    redis,
    reportQueue,
    libraries,
    health,
    jobs,
    tracing,
    nameOf,
    lifecycle,
    sources,
    now,
    log,
  } = opened;
  const { consortium } = config;
  const ledger = openLedger(redis);
  const reporter = buildReporter({
    libraries,
    wantsReports: (id) => wantsReports(consortium, id),
    nameOf,
    async queueReport({ library, event_id, traceparent, progress }) {
      const before = await countDelayedReports(redis, library);
      const report = { library, event_id, since_ms: now(), traceparent };
      if (await queueReport(reportQueue, report, progress.seq, before)) return;
      log.warn({ event: event_id, library, waiting: before }, 'report dropped: too many reports wait');
    },
    sources,
    tracing,
    deadline: lifecycle.deadline,
    log,
  });
  lifecycle.own('reports', () => reporter.settled());
  const quota = buildQuota(consortium, ledger, jobs.limitReached, sources.monotonicNow);
  return buildScanWork({
    run: assembleRun(opened, { ...assembleWorkflow(opened), quota }),
    settlement: buildSettlement({
      consortium,
      ledger,
      receipts: keepReceipts(openReceipts(redis), { redis, monotonicNow: sources.monotonicNow, log }),
      noteItem: (jobId, goneAtMs) => noteItem(redis, jobId, goneAtMs),
      now,
    }),
    observer: buildJobObserver({ metrics: jobs, health, now, log }),
    reporter,
    tracing,
    writeLostEnd: buildJobDataWriter(opened.connection).writeLostEnd,
    noteDelayed: (library, jobId) => noteDelayed(redis, library, jobId),
  });
}

/** A library without the plugin says so by `retry.tell_koha`. */
const wantsReports = ({ libraries }: WorkerConfig['consortium'], id: string): boolean =>
  libraries.some((each) => each.id === id && each.retry.tellKoha);

function assembleWorkflow(opened: Opened): Omit<ProvisionDeps, 'quota'> {
  const { config, redis, libraries, jobs, sources, now, log } = opened;
  const { newId, monotonicNow, pause, random } = sources;
  const { consortium } = config;
  const timeouts = new Map(consortium.libraries.map(({ id, koha }) => [id, koha.timeoutMs]));
  return {
    consortium,
    libraries,
    queryHome: buildHomeQuery(libraries),
    withPatronLock: buildPatronLock({
      patronLocks: openPatronLocks(redis),
      longestWriteMs: (id) => longestWriteMs(timeouts.get(id) ?? 0),
      newId,
      monotonicNow,
      pause,
    }),
    createAccess: buildCreateAccess({
      // On BullMQ's own connection, as the claims: who is next must not overtake whoever leaves.
      places: openCreatePlaces(opened.connection),
      mostWaiting: Math.max(1, Math.floor(config.concurrency / SLOTS_OF_ONE_LINE)),
      hasFreeSlots: () => opened.load.hasFreeSlots(),
      newId,
      monotonicNow,
      pause,
    }),
    random,
    remember: (written) => {
      if (wantsReports(consortium, written.lending)) opened.memory.note(written);
    },
    audit: buildAudit(log),
    copied: (library, sinceScanMs) => jobs.copied(library, sinceScanMs / 1000),
    now,
    monotonicNow,
    pause,
    inStep: buildInStep(opened),
  };
}

/** A step that fails is in the trace, but not among the times of those that were taken. */
function buildInStep({ jobs, tracing, now }: Opened): ProvisionDeps['inStep'] {
  return (name, work) =>
    tracing.within(
      () => ({ name, kind: 'internal' }),
      async () => {
        const startedAt = now();
        const result = await work();
        jobs.step(name, (now() - startedAt) / 1000);
        return result;
      },
    );
}

function assembleRun(opened: Opened, workflow: ProvisionDeps): RunDeps {
  const { config, slots, nameOf, sources, now } = opened;
  const { libraries } = config.consortium;
  const known = new Set(libraries.map(({ id }) => id));
  const lending = new Map(libraries.filter(({ enabled }) => enabled).map((each) => [each.id, each]));
  return {
    provision: (scan, lock) => provision(scan, lock, workflow),
    encryption: createEncryption(config.keys.map((key) => key.reveal())),
    giveUpAfterMs: (id) => lending.get(id)?.retry.giveUpAfterMs ?? null,
    knows: (id) => known.has(id),
    longestGiveUpMs: longestPatienceMs(libraries),
    freeSlotMs: (id) => slots.bookMs(id),
    isLost: (id) => opened.libraries.circuit(id).isOpen,
    nameOf,
    now,
    random: sources.random,
  };
}
