import { setTimeout as sleep } from 'node:timers/promises';
import { barcodeOf, cardOf } from '../kohas-protocol.ts';
import { setLatency } from '../koha-calls.ts';
import { startMonitor, type Seen } from '../redis-monitor.ts';
import { pingMs } from '../redis-ping.ts';
import { recordRow, valueRow, type Row } from '../row.ts';
import { many, type Run } from '../scenario.ts';
import { startBench, type Bench } from '../start-bench.ts';
import { median } from '../statistics.ts';

const PREFIX = '21234';
/** So far that a trip stands out from the processor time of a slow or busy machine, of which an event needs some 20 ms. */
const ROUND_TRIP_MS = 100;
/** What one connection sends within this time goes in one round trip. */
const TOGETHER_MS = ROUND_TRIP_MS / 4;
/** Longer than a round trip, as between machines: what runs beside a call to a Koha is no trip in sequence. */
const KOHA_MS = 120;

/** Of one event: trips in sequence from the delivery to the report, all trips, commands, and commands within scripts. */
interface Counts {
  readonly inSequence: readonly number[];
  readonly commands: ReadonlyMap<string, number>;
  readonly trips: number;
  readonly inScripts: number;
  readonly pingMs: number;
}

/**
 * Round trips to Redis and its commands for an event, counted with MONITOR. What waits for what shows in the time: an event
 * takes longer by the distance to Redis for each round trip that it waits for.
 */
export async function measureRedisTrips(run: Run): Promise<readonly Row[]> {
  run.progress('counting round trips to Redis');
  // A smoke run leaves out what is only taken off.
  const near = run.isQuick ? null : await measureAt(run, 0, 200);
  // Creates wait for each other, and each of them for Redis.
  const far = await measureAt(run, ROUND_TRIP_MS, many(run, 50, 10));
  const base = near === null ? 0 : median(near.inSequence);
  // What a round trip takes here, timers and all.
  const tripMs = far.pingMs - (near?.pingMs ?? 0);
  // Some commands belong to the time that passes, of which an event takes more when Redis is far.
  const { commands, inScripts } = near ?? far;
  const measure = { scenario: 'S1', unit: 'for an event' };
  const one = (what: string, ours: number): Row =>
    recordRow({ ...measure, what, rounds: [{ ours, against: 1 }] });
  return [
    valueRow(
      {
        ...measure,
        what: 'Redis round trips in sequence before the report',
        // An event waits for whole trips: what remains is what its processes took, this time.
        rounds: far.inSequence.map((ms) => ({ ours: Math.round((ms - base) / tripMs), against: 5 })),
      },
      { atMost: 5 },
    ),
    one('Redis round trips in all', far.trips),
    one(
      'Redis commands',
      [...commands.values()].reduce((total, count) => total + count, 0),
    ),
    one('Redis commands within scripts', inScripts),
    ...[...commands].filter(([, count]) => count >= 0.05).map(([name, count]) => one(`Redis ${name}`, count)),
  ];
}

async function measureAt(run: Run, roundTripMs: number, warmUp: number): Promise<Counts> {
  const events = many(run, 15, 5);
  const bench = await startBench({
    latencyMs: 0,
    isWatched: true,
    hasNoLimits: true,
    homes: [{ id: 'home', prefix: PREFIX, patrons: warmUp + events }],
    items: warmUp + events,
    ...(roundTripMs === 0 ? {} : { redisRoundTripMs: roundTripMs }),
  });
  const monitor = await startMonitor(bench.redis.port);
  try {
    await Promise.all(Array.from({ length: warmUp }, async (_, index) => scanOne(bench, index)));
    await setLatency(bench.kohas, KOHA_MS);
    const idleMs = many(run, 6_000, 1_000);
    await sleep(1_000);
    monitor.take();
    await sleep(idleMs);
    const idle = monitor.take();
    const startedAt = performance.now();
    const inSequence: number[] = [];
    for (let index = warmUp; index < warmUp + events; index += 1) {
      inSequence.push(await scanOne(bench, index));
      // What is left to be done after the report belongs to this event, not to the next one's way.
      await sleep(5 * roundTripMs);
    }
    const seen = monitor.take();
    const counts = countForOne(seen, idle, (performance.now() - startedAt) / idleMs, events);
    return { inSequence, ...counts, pingMs: await pingMs(bench.redisPort) };
  } finally {
    monitor.stop();
    await bench.stop();
  }
}

async function scanOne(bench: Bench, index: number): Promise<number> {
  const scan = { cardnumber: cardOf(PREFIX, index), item_barcode: barcodeOf(index) };
  const { id, sentAt } = await bench.scan(scan);
  return (await bench.kohas.ended(id)).at - sentAt;
}

/** For one event: what was seen, less what idle processes send in that time. */
function countForOne(
  seen: readonly Seen[],
  idle: readonly Seen[],
  idleTimes: number,
  events: number,
): Omit<Counts, 'inSequence' | 'pingMs'> {
  const forOne = (value: (of: readonly Seen[]) => number): number =>
    (value(seen) - idleTimes * value(idle)) / events;
  const names = [...new Set(seen.flatMap(({ name, client }) => (client === null ? [] : [name])))].sort();
  return {
    commands: new Map(
      names.map((name) => [
        name,
        forOne((of) => of.filter((each) => each.client !== null && each.name === name).length),
      ]),
    ),
    trips: forOne(countTrips),
    inScripts: forOne((of) => of.filter(({ client }) => client === null).length),
  };
}

function countTrips(seen: readonly Seen[]): number {
  const last = new Map<string, number>();
  let trips = 0;
  for (const { client, atMs } of seen) {
    if (client === null) continue;
    if (atMs - (last.get(client) ?? Number.NEGATIVE_INFINITY) > TOGETHER_MS) trips += 1;
    last.set(client, atMs);
  }
  return trips;
}
