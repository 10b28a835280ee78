import type { WorkerConfig } from '@passport/config';
import { createKohaClient } from '@passport/koha-client';
import {
  buildItemSweep,
  cleanByAge,
  noteItem,
  openLedger,
  openReceipts,
  openScanQueue,
  openTellQueue,
  openTurns,
  park,
  parkedLibraries,
  readQueue,
  tellLater,
  wakeParked,
  writeSighting,
} from '@passport/queue';
import {
  type Lifecycle,
  type Logger,
  closeRedis,
  createMetrics,
  createRedis,
  createRedisClock,
  createSealer,
  jobMetrics,
  kohaMetrics,
  queueMetrics,
  startAdminServer,
  untilRedisReady,
} from '@passport/runtime';
import { buildAskHome } from './ask-home.ts';
import { buildAudit } from './audit.ts';
import { startHousekeeping } from './housekeeping.ts';
import { buildLibraries } from './libraries.ts';
import { provision } from './provision.ts';
import { buildScanWork } from './scan-work.ts';
import { buildSightings } from './sightings.ts';
import { buildSlotClock } from './slot-clock.ts';
import { buildTakeTurn } from './take-turn.ts';
import { buildTakeUp } from './take-up.ts';
import { startTellWorker } from './tell-worker.ts';
import { buildTeller } from './tell.ts';
import { wakeRound } from './wake-parked.ts';
import { startScanWorker } from './worker.ts';

/** What main.ts alone may take from the machine. */
export interface Machine {
  readonly wallNow: () => number;
  readonly monotonicNow: () => number;
  readonly random: () => number;
  readonly newId: () => string;
  readonly pause: (ms: number) => Promise<void>;
}

/** A worker's slot waits this long for a place at a library under its cap; then the job books one and makes room. */
const SLOT_WAIT_MS = 250;
const WAKE_EVERY_MS = 1_000;
const SIGHT_EVERY_MS = 2_000;
const SWEEP_EVERY_MS = 10_000;
const CLEAN_EVERY_MS = 60_000;

/** Builds the worker by hand, from the outside in, and starts it. */
export async function startWorker(
  config: WorkerConfig,
  log: Logger,
  lifecycle: Lifecycle,
  machine: Machine,
): Promise<void> {
  const { consortium } = config;
  const { monotonicNow, pause } = machine;
  const byId = new Map(consortium.libraries.map((library) => [library.id, library]));
  const ids = [...byId.keys()];
  const nameOf = (id: string): string => byId.get(id)?.name ?? id;

  const connection = createRedis(config.redisUrl.reveal(), { role: 'worker', log, name: 'worker' });
  lifecycle.own('connection', () => closeRedis(connection));
  const redis = createRedis(config.redisUrl.reveal(), { role: 'producer', log, name: 'worker-books' });
  lifecycle.own('redis', () => closeRedis(redis));
  await Promise.all([untilReady(connection, lifecycle), untilReady(redis, lifecycle)]);
  const clock = createRedisClock(redis, monotonicNow, { log });
  await clock.start();
  lifecycle.own('clock', () => clock.close());
  const now = (): number => clock.now();

  const metrics = createMetrics();
  const jobs = jobMetrics(metrics);
  const koha = kohaMetrics(metrics);
  const queue = openScanQueue(redis);
  const tellQueue = openTellQueue(redis);
  for (const each of [queue, tellQueue]) each.on('error', () => undefined); // told by the connection
  queueMetrics(metrics, () => readQueue(redis, queue, ids, now()));

  const slots = buildSlotClock((id) => byId.get(id)?.koha.maxInFlight ?? 1, monotonicNow);
  const sightings = buildSightings(ids, slots.answerMs, now);
  const clients = new Map(
    consortium.libraries.map((library) => {
      const client = createKohaClient({
        library: library.id,
        url: library.koha.url,
        clientId: library.koha.clientId.reveal(),
        clientSecret: library.koha.clientSecret.reveal(),
        timeoutMs: library.koha.timeoutMs,
        maxInFlight: library.koha.maxInFlight,
        slotWaitMs: SLOT_WAIT_MS,
        now: machine.wallNow,
        onCall: ({ operation, status, ms }) => {
          koha.request({ library: library.id, operation, status: String(status), seconds: ms / 1000 });
          koha.inFlight(library.id, client.inFlight);
        },
      });
      lifecycle.own(`client ${library.id}`, () => client.close());
      koha.circuitOpen(library.id, false);
      koha.inFlight(library.id, 0);
      return [library.id, client] as const;
    }),
  );
  const libraries = buildLibraries(clients, monotonicNow, {
    circuitChanged(library, isOpen) {
      koha.circuitOpen(library, isOpen);
      sightings.circuitChanged(library, isOpen);
      log.warn({ library, circuit: isOpen ? 'open' : 'closed' }, isOpen ? 'library lost' : 'library is back');
    },
    answered(library, ms) {
      slots.answered(library, ms);
      sightings.answered(library);
    },
    failed: sightings.failed,
  });

  const ledger = openLedger(redis);
  const teller = buildTeller({
    libraries,
    wantsTelling: (library) => byId.get(library)?.retry.tellKoha ?? false,
    nameOf,
    tellLater: ({ library, event_id, progress }) =>
      tellLater(tellQueue, { library, event_id, since_ms: now() }, progress.seq),
    log,
  });
  lifecycle.own('tellings', () => teller.settled());
  const takeTurn = buildTakeTurn({ turns: openTurns(redis), newHolder: machine.newId, monotonicNow, pause });
  const story = {
    consortium,
    libraries,
    ask: buildAskHome(libraries),
    takeUp: buildTakeUp(consortium, ledger, jobs.limitReached),
    takeTurn,
    audit: buildAudit(log),
    now,
    pause,
    step: (name: string, startedAt: number) => jobs.step(name, (now() - startedAt) / 1000),
  };
  const work = buildScanWork({
    run: {
      provision: (scan, lock) => provision(scan, lock, story),
      sealer: createSealer(config.keys.map((key) => key.reveal())),
      giveUpAfterMs: (id) => lendingOf(byId.get(id))?.retry.giveUpAfterMs ?? null,
      freeSlotMs: slots.bookMs,
      nameOf,
      now,
      random: machine.random,
    },
    consortium,
    ledger,
    receipts: openReceipts(redis),
    teller,
    sightings,
    metrics: jobs,
    park: (library, jobId) => park(redis, library, jobId),
    noteItem: (jobId, goneAtMs) => noteItem(redis, jobId, goneAtMs),
    now,
    log,
  });

  const sweepItems = buildItemSweep(redis);
  const workerId = machine.newId();
  const chores = startHousekeeping(
    [
      {
        name: 'wake',
        everyMs: WAKE_EVERY_MS,
        work: () =>
          wakeRound({
            libraries,
            parkedFor: async () => (await parkedLibraries(redis)).filter((id) => byId.has(id)),
            wake: (library, most) => wakeParked(redis, queue, library, most),
          }),
      },
      {
        name: 'sightings',
        everyMs: SIGHT_EVERY_MS,
        work: () =>
          Promise.all(
            sightings.takeChanges().map(([library, seen]) => writeSighting(redis, library, workerId, seen)),
          ),
      },
      { name: 'items', everyMs: SWEEP_EVERY_MS, work: () => sweepItems(now()) },
      {
        name: 'retention',
        everyMs: CLEAN_EVERY_MS,
        work: () => cleanByAge(redis, queue, consortium.retention, now()),
      },
    ],
    log,
  );
  lifecycle.own('chores', () => chores.close());

  const tellWorker = startTellWorker({
    connection,
    queue,
    libraries,
    giveUpAfterMs: (id) => byId.get(id)?.retry.giveUpAfterMs ?? null,
    nameOf,
    now,
    log,
  });
  lifecycle.own('tell worker', () => tellWorker.close());
  const admin = await startAdminServer({
    port: config.adminPort,
    host: config.adminHost,
    ready: () => connection.status === 'ready' && redis.status === 'ready',
    metrics: () => metrics.metrics(),
    stopping: lifecycle.signal,
    log,
  });
  lifecycle.own('admin', () => admin.close());
  const scans = startScanWorker({
    connection,
    concurrency: config.concurrency,
    retention: consortium.retention,
    work,
    deadline: lifecycle.deadline,
    monotonicNow,
    now,
    log,
  });
  lifecycle.own('scans', () => scans.close());
  log.info({ libraries: ids.length, concurrency: config.concurrency }, 'working');
}

type LibraryOrNone = WorkerConfig['consortium']['libraries'][number] | undefined;

/** A library whose scans may be worked on; null when it is paused or was taken out of the configuration. */
function lendingOf(library: LibraryOrNone): NonNullable<LibraryOrNone> | null {
  return library?.enabled === true ? library : null;
}

/** A worker has nobody to answer to: it waits for Redis as long as it takes, and is not ready meanwhile. */
async function untilReady(redis: Parameters<typeof untilRedisReady>[0], lifecycle: Lifecycle): Promise<void> {
  while (redis.status !== 'ready' && !lifecycle.stopping) {
    await untilRedisReady(redis, 1_000).catch(() => undefined);
  }
}
