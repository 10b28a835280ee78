import type { WorkerConfig } from '@passport/config';
import {
  noteItem,
  openLedger,
  openReceipts,
  openScanQueue,
  openTellQueue,
  openTurns,
  park,
  readQueue,
  tellLater,
} from '@passport/queue';
import {
  type Lifecycle,
  type Logger,
  type Redis,
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
import { buildChores } from './chores.ts';
import { connectLibraries } from './connect-libraries.ts';
import { startHousekeeping } from './housekeeping.ts';
import type { Machine } from './machine.ts';
import { provision } from './provision.ts';
import { buildScanWork } from './scan-work.ts';
import { buildSightings } from './sightings.ts';
import { buildSlotClock } from './slot-clock.ts';
import { buildTakeTurn } from './take-turn.ts';
import { buildTakeUp } from './take-up.ts';
import { startTellWorker } from './tell-worker.ts';
import { buildTeller } from './tell.ts';
import { startScanWorker } from './worker.ts';

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
  const metrics = createMetrics();

  const connection = createRedis(config.redisUrl.reveal(), { role: 'worker', log, name: 'worker' });
  lifecycle.own('connection', () => closeRedis(connection));
  const redis = createRedis(config.redisUrl.reveal(), { role: 'producer', log, name: 'worker-books' });
  lifecycle.own('redis', () => closeRedis(redis));
  const admin = await startAdminServer({
    port: config.adminPort,
    host: config.adminHost,
    ready: () => connection.status === 'ready' && redis.status === 'ready',
    metrics: () => metrics.metrics(),
    stopping: lifecycle.signal,
    log,
  });
  lifecycle.own('admin', () => admin.close());
  await Promise.all([untilReady(connection, lifecycle), untilReady(redis, lifecycle)]);
  if (lifecycle.stopping) return;
  const clock = createRedisClock(redis, monotonicNow, { log });
  await clock.start();
  lifecycle.own('clock', () => clock.close());
  const now = (): number => clock.now();

  const queue = openScanQueue(redis);
  const tellQueue = openTellQueue(redis);
  for (const each of [queue, tellQueue]) each.on('error', () => undefined); // told by the connection
  queueMetrics(metrics, () => readQueue(redis, queue, ids, now()));
  const jobs = jobMetrics(metrics);
  const slots = buildSlotClock((id) => byId.get(id)?.koha.maxInFlight ?? 1, monotonicNow);
  const sightings = buildSightings(ids, slots.answerMs, now);
  const libraries = connectLibraries({
    consortium,
    lifecycle,
    machine,
    metrics: kohaMetrics(metrics),
    slots,
    sightings,
    log,
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
  const story = {
    consortium,
    libraries,
    ask: buildAskHome(libraries),
    takeUp: buildTakeUp(consortium, ledger, jobs.limitReached),
    takeTurn: buildTakeTurn({ turns: openTurns(redis), newHolder: machine.newId, monotonicNow, pause }),
    audit: buildAudit(log),
    now,
    pause,
    step: (name: string, startedAt: number) => jobs.step(name, (now() - startedAt) / 1000),
  };
  const work = buildScanWork({
    run: {
      provision: (scan, lock) => provision(scan, lock, story),
      sealer: createSealer(config.keys.map((key) => key.reveal())),
      giveUpAfterMs: (id) =>
        (byId.get(id)?.enabled === true ? byId.get(id)?.retry.giveUpAfterMs : null) ?? null,
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

  const workerId = machine.newId();
  const chores = buildChores({ consortium, redis, queue, libraries, sightings, workerId, now });
  const housekeeping = startHousekeeping(chores, log);
  lifecycle.own('housekeeping', () => housekeeping.close());
  const tellings = startTellWorker({
    connection,
    queue,
    libraries,
    giveUpAfterMs: (id) => byId.get(id)?.retry.giveUpAfterMs ?? null,
    nameOf,
    now,
    log,
  });
  lifecycle.own('tell worker', () => tellings.close());
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

/** A worker has nobody to answer to: it waits for Redis as long as it takes, and is not ready meanwhile. */
async function untilReady(redis: Redis, lifecycle: Lifecycle): Promise<void> {
  while (redis.status !== 'ready' && !lifecycle.stopping) {
    await untilRedisReady(redis, 1_000).catch(() => undefined);
  }
}
