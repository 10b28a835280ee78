import { setTimeout as sleep } from 'node:timers/promises';
import { median, sum } from '../figures.ts';
import { setLatency } from '../koha-calls.ts';
import { pingMs, startMonitor, type Seen } from '../redis-figures.ts';
import { recordRow, valueRow, type Measured } from '../row.ts';
import { many, repeat, type Run } from '../scenario.ts';
import { scanOf, withBench } from '../start-stack.ts';

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
export async function measureRedisTrips(run: Run): Promise<readonly Measured[]> {
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
  const one = (what: string, ours: number): Measured =>
    recordRow({ what, unit: 'for an event', rounds: [{ ours, against: 1 }] });
  // An event waits for whole trips: what remains is what its processes took, this time.
  const rounds = far.inSequence.map((ms) => ({ ours: Math.round((ms - base) / tripMs), against: 5 }));
  const what = 'Redis round trips in sequence before the report';
  return [
    valueRow({ what, unit: 'for an event', rounds }, { atMost: 5 }),
    one('Redis round trips in all', far.trips),
    one('Redis commands', sum([...commands.values()])),
    one('Redis commands within scripts', inScripts),
    ...[...commands].filter(([, count]) => count >= 0.05).map(([name, count]) => one(`Redis ${name}`, count)),
  ];
}

function measureAt(run: Run, redisRoundTripMs: number, warmUp: number): Promise<Counts> {
  const events = many(run, 15, 5);
  return withBench({ hasNoLimits: true, scans: warmUp + events, redisRoundTripMs }, async (bench) => {
    const monitor = await startMonitor(bench.redis.port);
    try {
      await Promise.all(Array.from({ length: warmUp }, (_, index) => bench.timeScan(scanOf(index))));
      await setLatency(bench.kohas, KOHA_MS);
      const idleMs = many(run, 6_000, 1_000);
      await sleep(1_000);
      monitor.take();
      await sleep(idleMs);
      const idle = monitor.take();
      const startedAt = performance.now();
      const inSequence = await repeat(events, async (index) => {
        const ms = await bench.timeScan(scanOf(warmUp + index));
        // What is left to be done after the report belongs to this event, not to the next one's way.
        await sleep(5 * redisRoundTripMs);
        return ms;
      });
      const counts = countForOne(monitor.take(), idle, (performance.now() - startedAt) / idleMs, events);
      return { inSequence, ...counts, pingMs: await pingMs(bench.redisPort) };
    } finally {
      monitor.stop();
    }
  });
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
  const countOf = (wanted: string): number =>
    forOne((of) => of.filter(({ client, name }) => client !== null && name === wanted).length);
  return {
    commands: new Map(names.map((name) => [name, countOf(name)])),
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
