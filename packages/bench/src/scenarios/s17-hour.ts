import { readFile, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '@passport/testkit';
import { median, percentile, preciseNow } from '../figures.ts';
import { forgetCalls } from '../koha-calls.ts';
import { readUsed, readWaits, usedEach, longestCommandMs } from '../consortium-figures.ts';
import { scanAll, startConsortium } from '../many-libraries.ts';
import { measurePasses } from '../passes.ts';
import { settledUsedBytes, usedBytes } from '../redis-figures.ts';
import { recordRow, sizeRows, type Figures, type Measured } from '../row.ts';
import { many, repeat, type Run } from '../scenario.ts';
import { firstOf, type Stack } from '../start-stack.ts';
import { buildTraffic, idOf, sizeOf, type Traffic, type Visit } from '../traffic.ts';

/** Of docs/scale.md; the first is what the others are compared with, and the last has an hour's events. */
const SIZES = [200, 1_000, 2_000] as const;
const SMOKE_SIZES = [10, 20] as const;
const PER_SECOND = 50;
const HOUR_EVENTS = 180_000;
const SEED = 29;

/** Of every worker's tasks the least frequent comes once a minute. */
const REST_MS = 62_000;
const PACED_MS = 40_000;
/** In the middle of it a class comes to one desk: as many as may come at once. */
const CLASS = 200;
const AT_ONCE = 100;
/** Events by which it is measured how many a machine can take. */
const TRIED = 400;
/** The machine can take so many times as many events as come to the desks. */
const BUSY = 2;
/** A Koha that takes longer is silent: the deadline of a call is 3 s. */
const MOST_MS = 2_500;
/** What comes to an end at all has done so by then; what waits for a library in trouble has not. */
const PATIENCE_MS = 30_000;
const METRICS_READS = 5;
const PARTS = 40;
/** Events after which all that are past retention are gone. */
const LAST = 500;

/**
 * A consortium in an hour: what it costs at rest, at 50 events a second, and what 180,000 events leave in Redis. The clock is not
 * simulated, since Redis has its own: 50 events a second come for a while, and the hour's events as fast as the machine takes them.
 */
export async function measureHour(run: Run): Promise<readonly Measured[]> {
  const sizes: readonly number[] = run.isQuick ? SMOKE_SIZES : SIZES;
  const measured = new Map<number, Figures>();
  const rows: Measured[] = [];
  for (const libraries of sizes) {
    const isLast = libraries === sizes.at(-1);
    run.progress(`${libraries} libraries`);
    const { figures, hour } = await measureSize(run, libraries, isLast ? many(run, HOUR_EVENTS, 40) : 0);
    measured.set(libraries, figures);
    rows.push(...hour);
  }
  return [...sizeRows(measured), ...rows];
}

interface Desks {
  readonly stack: Stack;
  readonly libraries: number;
  readonly traffic: Traffic;
  /** So many times as long as they would take does everything take outside our processes: see {@link stretchFor}. */
  readonly stretch: number;
}

/**
 * A machine that could not take 50 events a second is given them slower, and the Kohas are as much slower; times are those of the
 * clock divided by that. What a waiting desk would see of a machine with enough processors, but for intervals of our own.
 */
const stretchFor = (eventsPerSecond: number): number => Math.max(1, (BUSY * PER_SECOND) / eventsPerSecond);

async function measureSize(
  run: Run,
  libraries: number,
  hourEvents: number,
): Promise<{ readonly figures: Figures; readonly hour: readonly Measured[] }> {
  const paced = many(run, (PER_SECOND * PACED_MS) / 1_000, 40);
  const alike = sizeOf(libraries, hourEvents + paced + CLASS + LAST + TRIED);
  const consortium = await startConsortium(libraries, libraries, { alike });
  const { stack } = consortium;
  try {
    // One after the other: a slow machine has to have each of them ready in time.
    await stack.services.add('worker');
    const emptyBytes = await usedBytes(stack.redis);
    await scanAll(consortium, AT_ONCE);
    const warm = { stack, libraries, traffic: buildTraffic(libraries, SEED), stretch: 1 };
    // The figures of a smoke run mean nothing, and it has no time.
    const stretch = run.isQuick ? 1 : stretchFor((await measurePart(warm, TRIED)).rate);
    const desks = { ...warm, stretch };
    const ids = Array.from({ length: libraries }, (_, place) => idOf(place));
    const figures = new Map<string, readonly [number, string]>([
      ['events and Kohas slowed down', [stretch, 'times']],
      ...(await measureRest(run, desks)),
      ...(await beginTrouble(desks).then(() => measurePaced(run, desks, paced))),
      ...(await measureMetrics(stack)),
      ...[...(await measurePasses(stack, ids))].flatMap(([name, ms]) => [
        [`${name}, Redis`, [ms.redis, 'ms']] as const,
        [`${name}, the process`, [ms.process, 'ms']] as const,
      ]),
    ]);
    for (const [what, [value, unit]] of figures)
      run.progress(`${libraries} libraries, ${what}: ${value.toPrecision(4)} ${unit}`);
    return { figures, hour: hourEvents === 0 ? [] : await measureFull(run, desks, hourEvents, emptyBytes) };
  } finally {
    await stack.stop();
  }
}

async function beginTrouble({ stack: { kohas, redis }, traffic, stretch }: Desks): Promise<void> {
  const { manners, paused } = traffic;
  const stretched = Object.entries(manners).map(([library, manner]) => [
    library,
    typeof manner === 'number' ? Math.min(MOST_MS, manner * stretch) : manner,
  ]);
  kohas.setManners(Object.fromEntries(stretched) as Traffic['manners']);
  const now = Math.floor(preciseNow());
  for (const library of paused) {
    const pause = {
      library,
      side: 'home',
      until_ms: now + 600_000,
      reason: 'bench',
      by: 'bench',
      at_ms: now,
    };
    await redis.call('HSET', '{passport}:control', `pause:${library}:home`, JSON.stringify(pause));
  }
  await redis.call('HINCRBY', '{passport}:control', 'version', '1');
}

/** Nobody scans: what is done all the same, again and again. */
async function measureRest(run: Run, { stack }: Desks): Promise<Figures> {
  await sleep(many(run, 20_000, 0));
  await lagOf(stack);
  const [before, startedAt] = [await readUsed(stack), preciseNow()];
  await sleep(many(run, REST_MS, 500));
  const each = usedEach(before, await readUsed(stack), (preciseNow() - startedAt) / 1_000);
  return new Map([
    ['processor time of Redis at rest', [each.redis, 'ms/s']],
    ['commands of Redis at rest, those within scripts included', [each.commands, 'per second']],
    ['processor time of two workers at rest', [each.worker, 'ms/s']],
    ['longest pause of the event loop of a worker at rest', [await lagOf(stack), 'ms']],
  ]);
}

/** Longest pause of a worker's event loop since the last call. */
async function lagOf({ worker }: Stack): Promise<number> {
  return (
    1_000 *
    Number(/^nodejs_eventloop_lag_max_seconds\S* (\S+)/m.exec(await worker.metrics())?.[1] ?? Number.NaN)
  );
}

interface Sent extends Visit {
  readonly id: string;
  readonly sentAt: number;
}

const send = async ({ stack }: Desks, visit: Visit): Promise<Sent> => ({
  ...visit,
  ...(await stack.scan(visit.data, visit.library)),
});

/** Until its desk has its answer, or is told what it waits for; null after a while. */
async function answerMs({ stack: { kohas } }: Desks, { id, sentAt }: Sent): Promise<number | null> {
  const patience = sleep(PATIENCE_MS, null, { ref: false });
  const report = await Promise.race([kohas.ended(id), kohas.waiting(id), patience]);
  return report === null ? null : report.at - sentAt;
}

/** 50 events a second, each at its time whatever becomes of the others, and a class at one desk. */
async function measurePaced(run: Run, desks: Desks, events: number): Promise<Figures> {
  const { stack, traffic, libraries, stretch } = desks;
  const random = seededRandom(SEED);
  await lagOf(stack);
  const [before, startedAt] = [await readUsed(stack), preciseNow()];
  const sent: Promise<Sent>[] = [];
  let dueAt = startedAt;
  for (let index = 0; index < events; index += 1) {
    dueAt += (-Math.log(1 - random.next()) * 1_000 * stretch) / PER_SECOND;
    await sleep(Math.max(0, dueAt - preciseNow()));
    sent.push(send(desks, traffic.next()));
    if (index !== Math.floor(events / 2)) continue;
    const visits = Array.from({ length: many(run, CLASS, 10) }, () => traffic.nextAt(idOf(libraries - 1)));
    sent.push(...visits.map((visit) => send(desks, visit)));
  }
  const all = await Promise.all(sent);
  const ofOthers = all.filter(({ library, isWell }) => isWell && library !== idOf(libraries - 1));
  const answers = await Promise.all(ofOthers.map((one) => answerMs(desks, one)));
  const each = usedEach(before, await readUsed(stack), all.length);
  const waits = await readWaits(stack, ofOthers);
  const told = answers.filter((answer) => answer !== null);
  run.progress(`${answers.length - told.length} desks without an answer`);
  return new Map([
    ['processor time of Redis for an event', [each.redis, 'ms']],
    ['commands of Redis for an event, those within scripts included', [each.commands, 'commands']],
    ['processor time of the workers for an event', [each.worker, 'ms']],
    ['longest pause of the event loop of a worker', [await lagOf(stack), 'ms']],
    ['processor time of the receiver for an event', [each.receiver, 'ms']],
    ['scan to report, median', [median(told) / stretch, 'ms']],
    ['scan to report, 99th percentile', [percentile(told, 0.99) / stretch, 'ms']],
    ['wait for a worker, 99th percentile', [percentile(waits, 0.99) / stretch, 'ms']],
    ['wait for a worker, longest', [percentile(waits, 1) / stretch, 'ms']],
  ]);
}

async function measureMetrics(stack: Stack): Promise<Figures> {
  const reads = await repeat(METRICS_READS, async () => {
    let [ms, bytes] = [Number.NaN, Number.NaN];
    const redisMs = await longestCommandMs(stack, async () => {
      const readAt = preciseNow();
      bytes = Buffer.byteLength(await stack.worker.metrics());
      ms = preciseNow() - readAt;
    });
    return { ms, bytes, redisMs };
  });
  return new Map([
    ["a worker's /metrics", [median(reads.map(({ ms }) => ms)), 'ms']],
    ["size of a worker's /metrics", [median(reads.map(({ bytes }) => bytes)) / 1_024, 'KB']],
    ["longest command of Redis at a worker's /metrics", [median(reads.map(({ redisMs }) => redisMs)), 'ms']],
  ]);
}

interface Part {
  readonly redisMs: number;
  readonly workerMs: number;
  readonly bytes: number;
  readonly rate: number;
}

/** The hour's events as fast as they are taken, and what is left of them when they are too old to be kept. */
async function measureFull(
  run: Run,
  desks: Desks,
  events: number,
  emptyBytes: number,
): Promise<readonly Measured[]> {
  const { stack } = desks;
  const count = many(run, PARTS, 4);
  const size = Math.ceil(events / count);
  const parts = await repeat(count, async (index) => {
    const part = await measurePart(desks, size);
    run.progress(
      `${(index + 1) * size} of ${events}: ${part.rate.toFixed(0)} events/s, ${part.bytes.toFixed(0)} bytes, ` +
        `Redis ${part.redisMs.toFixed(2)} ms, workers ${part.workerMs.toFixed(2)} ms an event`,
    );
    return part;
  });
  const fullBytes = await usedBytes(stack.redis);
  const keys = Number(await stack.redis.call('DBSIZE'));
  run.progress('waiting for retention to take what it takes');
  await forgetFinished(run, desks);
  const pastBytes = await settledUsedBytes(stack.redis, many(run, 10, 1));
  const first = firstOf(parts);
  const last = parts.at(-1) ?? first;
  const grown = (what: string, unit: string, of: (part: Part) => number): Measured =>
    recordRow({
      what: `${what}, the last ${size} of ${events} events against the first`,
      unit,
      rounds: [{ ours: of(last), against: of(first) }],
    });
  const mb = (bytes: number): number => bytes / 1_024 ** 2;
  return [
    grown('processor time of Redis for an event', 'ms', ({ redisMs }) => redisMs),
    grown('processor time of the workers for an event', 'ms', ({ workerMs }) => workerMs),
    grown('memory of Redis for an event', 'bytes', ({ bytes }) => bytes),
    recordRow({
      what: `memory of Redis after ${events} events, against after retention`,
      unit: 'MB',
      rounds: [{ ours: mb(fullBytes - emptyBytes), against: mb(pastBytes - emptyBytes) }],
    }),
    recordRow({
      what: 'keys in Redis, for an event',
      unit: 'keys',
      rounds: [{ ours: keys, against: events }],
    }),
  ];
}

async function measurePart(desks: Desks, events: number): Promise<Part> {
  const { stack, traffic } = desks;
  const [before, bytes, startedAt] = [await readUsed(stack), await usedBytes(stack.redis), preciseNow()];
  let left = events;
  const scanOn = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const sent = await send(desks, traffic.next());
      // Who waits for a library in trouble keeps nobody else from coming.
      if (sent.isWell) await answerMs(desks, sent);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, scanOn));
  const each = usedEach(before, await readUsed(stack), events);
  const grown = (await usedBytes(stack.redis)) - bytes;
  const rate = (1_000 * events) / (preciseNow() - startedAt);
  // What the stand-ins note of their calls is read by nobody here.
  await forgetCalls(stack.kohas);
  return { redisMs: each.redis, workerMs: each.worker, bytes: grown / events, rate };
}

/** Has the workers keep no ended event, and sends some more: as each of them ends, BullMQ removes a thousand old ones. */
async function forgetFinished(run: Run, desks: Desks): Promise<void> {
  const { services } = desks.stack;
  const file = services.env['PASSPORT_CONFIG'] ?? '';
  const config = JSON.parse(await readFile(file, 'utf8')) as object;
  await writeFile(file, JSON.stringify({ ...config, retention: { finished: '1s', failed: '1s' } }));
  for (const worker of services.workers) await worker.restart();
  await measurePart(desks, many(run, LAST, 10));
}
