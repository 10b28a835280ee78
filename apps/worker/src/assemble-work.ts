import type { WorkerConfig } from '@passport/config';
import {
  type ScanJobs,
  buildJobDataWriter,
  goOnIfAnswered,
  noteItem,
  openCreatePlaces,
  openLedger,
  openPatronLocks,
  type Receipts,
  readConsent,
  noteDelayed,
  notePaused,
} from '@passport/queue';
import { type Logger, type Tracing, createEncryption } from '@passport/runtime';
import type { JobMetrics } from './metrics/job-metrics.ts';
import { buildHomeQuery } from './provision/query-home.ts';
import { buildAudit } from './provision/audit.ts';
import { buildCreateAccess } from './provision/create-place.ts';
import { buildJobObserver } from './job/job-observer.ts';
import { buildSettlement } from './job/settlement.ts';
import type { CopyMemory } from './koha/copy-memory.ts';
import type { Sources } from './sources.ts';
import { type ConsentDeps, resumeConsent } from './provision/consent.ts';
import { type ProvisionDeps, provision } from './provision/provision.ts';
import { buildCopyRecord } from './provision/record-copy.ts';
import type { RunDeps } from './job/run-scan.ts';
import { buildScanWork } from './job/scan-work.ts';
import { longestPatienceMs } from './job/requeue.ts';
import { type Connected, longestWriteMs } from './koha/connect-libraries.ts';
import { buildPatronLock } from './provision/patron-lock.ts';
import { buildQuota } from './provision/quota.ts';
import type { PauseLeft } from './koha/pause-left.ts';
import type { Reporter } from './koha/report.ts';
import type { RedisConnections } from './redis-connections.ts';
import { hasPlugin } from './reporting.ts';
import type { WorkerLoad } from './job/worker-load.ts';
import type { ScanWork } from './job/scan-worker.ts';

/** One library's creates may keep a quarter of the worker's jobs waiting; the other slots are for everybody else. */
const SLOTS_OF_ONE_LINE = 4;

/** What start-work.ts has opened by the time the work on scans can be put together. */
interface Opened {
  readonly config: WorkerConfig;
  readonly connections: RedisConnections;
  readonly queue: ScanJobs;
  readonly kohas: Connected;
  readonly memory: CopyMemory;
  readonly load: WorkerLoad;
  readonly jobs: JobMetrics;
  readonly reporter: Reporter;
  readonly tracing: Tracing;
  readonly receipts: Receipts;
  readonly pauseLeft: PauseLeft;
  readonly sources: Sources;
  readonly nameOf: (library: string) => string;
  readonly now: () => number;
  readonly log: Logger;
}

/**
 * Builds all that happens to a scan. Nothing is sent yet. Apart from start-work.ts because the two together are longer than
 * a file may be: what must be closed (connections, servers, timers) is opened there, what only computes is built here.
 */
export function assembleWork(opened: Opened): ScanWork {
  const { config, connections, queue, kohas, receipts, jobs, reporter, tracing, sources, now, log } = opened;
  const { consortium } = config;
  const { connection, redis } = connections;
  const ledger = openLedger(redis);
  const quota = buildQuota(consortium, ledger, jobs.limitReached, sources.monotonicNow);
  const settlement = buildSettlement({
    consortium,
    ledger,
    receipts,
    noteItem: (jobId, goneAtMs) => noteItem(redis, jobId, goneAtMs),
    now,
  });
  const { recordObserved } = settlement;
  return buildScanWork({
    run: assembleRun(opened, { ...assembleWorkflow(opened), quota, recordObserved }),
    settlement,
    observer: buildJobObserver({ metrics: jobs, health: kohas.health, now, log }),
    reporter,
    tracing,
    writeLostEnd: buildJobDataWriter(connection).writeLostEnd,
    noteDelayed: (library, jobId) => noteDelayed(redis, library, jobId),
    notePaused: ({ library, side }, jobId) => notePaused(redis, library, side, jobId),
    goOnIfAnswered: (job) => goOnIfAnswered(redis, queue, job),
  });
}

function assembleWorkflow(
  opened: Omit<Opened, 'nameOf' | 'reporter' | 'receipts' | 'pauseLeft'>,
): Omit<ProvisionDeps & ConsentDeps, 'quota' | 'recordObserved'> {
  const { config, connections, kohas, memory, load, jobs, sources, now, log } = opened;
  const { libraries } = kohas;
  const { newId, monotonicNow, pause, random } = sources;
  const { consortium } = config;
  const audit = buildAudit(log);
  const timeouts = new Map(consortium.libraries.map(({ id, koha }) => [id, koha.timeoutMs]));
  return {
    consortium,
    libraries,
    queryHome: buildHomeQuery(libraries),
    withPatronLock: buildPatronLock({
      patronLocks: openPatronLocks(connections.redis),
      longestWriteMs: (id) => longestWriteMs(timeouts.get(id) ?? 0),
      newId,
      monotonicNow,
      pause,
    }),
    createAccess: buildCreateAccess({
      // On BullMQ's own connection, as the claims: who is next must not overtake whoever leaves.
      places: openCreatePlaces(connections.connection),
      mostWaiting: Math.max(1, Math.floor(config.concurrency / SLOTS_OF_ONE_LINE)),
      hasFreeSlots: () => load.hasFreeSlots(),
      newId,
      monotonicNow,
      pause,
    }),
    random,
    audit,
    readConsent: (job) => readConsent(connections.redis, job),
    recordCopy: buildCopyRecord({
      audit,
      copied: (library, sinceScanMs) => jobs.copied(library, sinceScanMs / 1000),
      remember: (written) => {
        if (hasPlugin(consortium, written.lending)) memory.note(written);
      },
      now,
    }),
    now,
    monotonicNow,
    pause,
    inStep: buildInStep(opened),
  };
}

/** A step that fails is in the trace, but not among the times of those that were taken. */
function buildInStep({
  jobs,
  tracing,
  now,
}: Pick<Opened, 'jobs' | 'tracing' | 'now'>): ProvisionDeps['inStep'] {
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

function assembleRun(
  {
    config,
    kohas,
    pauseLeft,
    sources,
    nameOf,
    now,
  }: Pick<Opened, 'config' | 'kohas' | 'pauseLeft' | 'sources' | 'nameOf' | 'now'>,
  workflow: ProvisionDeps & ConsentDeps,
): RunDeps {
  const { libraries } = config.consortium;
  const known = new Set(libraries.map(({ id }) => id));
  const lending = new Map(libraries.filter(({ enabled }) => enabled).map((each) => [each.id, each]));
  return {
    resumeConsent: (scan) => resumeConsent(scan, workflow),
    provision: (scan, lock) => provision(scan, lock, workflow),
    encryption: createEncryption(config.keys.map((key) => key.reveal())),
    giveUpAfterMs: (id) => lending.get(id)?.retry.giveUpAfterMs ?? null,
    knows: (id) => known.has(id),
    pauseLeftMs: (id) => pauseLeft(id, 'lending'),
    longestGiveUpMs: longestPatienceMs(libraries),
    timeoutMs: (id) => lending.get(id)?.koha.timeoutMs ?? 0,
    freeSlotMs: (id) => kohas.slots.bookMs(id),
    isLost: (id) => kohas.libraries.circuit(id).isOpen,
    nameOf,
    now,
    monotonicNow: sources.monotonicNow,
    random: sources.random,
  };
}
