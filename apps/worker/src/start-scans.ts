import {
  type Ledger,
  buildClaimCreate,
  buildJobDataWriter,
  goOnIfAnswered,
  noteDelayed,
  noteItem,
  notePaused,
  openCreatePlaces,
  openLedger,
  openPatronLocks,
  readConsent,
} from '@passport/queue';
import { createEncryption } from '@passport/runtime';
import { buildEndCheck } from './job/end-check.ts';
import { buildJobObserver } from './job/job-observer.ts';
import { longestPatienceMs } from './job/requeue.ts';
import type { RunDeps } from './job/run-scan.ts';
import { buildScanWork } from './job/scan-work.ts';
import { type ScanWork, startScanWorker } from './job/process-scan.ts';
import { type Settlement, buildSettlement } from './job/settlement.ts';
import { longestWriteMs } from './koha/connect-libraries.ts';
import type { Reporter } from './koha/report.ts';
import { buildAudit } from './provision/audit.ts';
import { type ConsentDeps, resumeConsent } from './provision/consent.ts';
import { buildCreateAccess } from './provision/create-access.ts';
import { buildPatronLock } from './provision/with-patron-lock.ts';
import { type ProvisionDeps, provision } from './provision/provision.ts';
import { buildHomeQuery } from './provision/query-home.ts';
import { buildQuota } from './provision/quota.ts';
import { buildCopyRecord } from './provision/record-copy.ts';
import { hasPlugin } from './start-reports.ts';
import type { WorkContext } from './work-context.ts';

/** One library's creates may keep a quarter of the worker's jobs waiting; the other slots are for everybody else. */
const SLOTS_OF_ONE_LINE = 4;

/** Starts the work on scans: all that happens to one, and what takes it from the queue. */
export function startScans(context: WorkContext, reporter: Reporter): void {
  const { config, connections, breaks, load, lifecycle, sources, now, log } = context;
  const { connection, fetches } = connections;
  const { monotonicNow, pause } = sources;
  const { deadline } = lifecycle;
  // On BullMQ's own connection: between two masters, the end of a job must not go to one and its finishing to the other.
  const jobData = buildJobDataWriter(connection);
  const scans = startScanWorker({
    connection,
    fetches,
    concurrency: config.concurrency,
    load,
    retention: config.consortium.retention,
    work: assembleWork(context, reporter, jobData),
    jobData,
    claimCreate: buildClaimCreate(connection),
    endCheck: buildEndCheck({ breaks, pause, deadline, log }),
    deadline,
    monotonicNow,
    now,
    log,
  });
  lifecycle.own('scans', () => scans.close());
}

/** What surrounds the run of a job, with the run itself. */
function assembleWork(
  context: WorkContext,
  reporter: Reporter,
  { writeLostEnd }: ReturnType<typeof buildJobDataWriter>,
): ScanWork {
  const { config, connections, queue, receipts, jobs, kohas, tracing, now, log } = context;
  const { consortium } = config;
  const { redis } = connections;
  const ledger = openLedger(redis);
  const settlement = buildSettlement({
    consortium,
    ledger,
    receipts,
    noteItem: (jobId, goneAtMs) => noteItem(redis, jobId, goneAtMs),
    now,
  });
  return buildScanWork({
    run: assembleRun(context, assembleWorkflow(context, ledger, settlement)),
    settlement,
    observer: buildJobObserver({ metrics: jobs, health: kohas.health, now, log }),
    reporter,
    tracing,
    writeLostEnd,
    noteDelayed: (library, jobId) => noteDelayed(redis, library, jobId),
    notePaused: ({ library, side }, jobId) => notePaused(redis, library, side, jobId),
    goOnIfAnswered: (job) => goOnIfAnswered(redis, queue, job),
  });
}

function assembleWorkflow(
  context: WorkContext,
  ledger: Ledger,
  { recordObserved }: Settlement,
): ProvisionDeps & ConsentDeps {
  const { config, connections, jobs, kohas, memory, load, sources, now, log } = context;
  const { libraries } = kohas;
  const { newId, monotonicNow, pause, random } = sources;
  const { consortium } = config;
  const { connection, redis } = connections;
  const audit = buildAudit(log);
  const timeouts = new Map(consortium.libraries.map(({ id, koha }) => [id, koha.timeoutMs]));
  return {
    consortium,
    libraries,
    queryHome: buildHomeQuery(libraries),
    quota: buildQuota(consortium, ledger, jobs.limitReached, monotonicNow),
    withPatronLock: buildPatronLock({
      patronLocks: openPatronLocks(redis),
      longestWriteMs: (id) => longestWriteMs(timeouts.get(id) ?? 0),
      newId,
      monotonicNow,
      pause,
    }),
    createAccess: buildCreateAccess({
      // On BullMQ's own connection, as the claims: who is next must not overtake whoever leaves.
      places: openCreatePlaces(connection),
      mostWaiting: Math.max(1, Math.floor(config.concurrency / SLOTS_OF_ONE_LINE)),
      hasFreeSlots: () => load.hasFreeSlots(),
      newId,
      monotonicNow,
      pause,
    }),
    random,
    audit,
    readConsent: (job) => readConsent(redis, job),
    recordObserved,
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
    inStep: buildInStep(context),
  };
}

/** A step that fails is in the trace, but not among the times of those that were taken. */
const buildInStep =
  ({ tracing, jobs, now }: WorkContext): ProvisionDeps['inStep'] =>
  (name, work) =>
    tracing.within(
      () => ({ name, kind: 'internal' }),
      async () => {
        const startedAt = now();
        const result = await work();
        jobs.step(name, (now() - startedAt) / 1000);
        return result;
      },
    );

function assembleRun(
  { config, kohas, pauseLeft, sources, nameOf, now }: WorkContext,
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
