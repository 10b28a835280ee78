import { setLatency } from '../koha-calls.ts';
import { barcodeOf, cardOf } from '../kohas-protocol.ts';
import { pingMs } from '../redis-ping.ts';
import { recordRow, valueRow, type Round, type Row } from '../row.ts';
import { many, type Run } from '../scenario.ts';
import { startBench, type Bench } from '../start-bench.ts';
import { median } from '../statistics.ts';

const PREFIX = '21234';
/** 1 ms in each direction. */
const ROUND_TRIP_MS = 2;
const AT_MOST = 6;
const LATENCY_MS = 50;

interface Side {
  readonly bench: Bench;
  scanned: number;
}

/** The same scans with Redis beside the processes and with Redis 1 ms away, one after the other. */
export async function measureFarRedis(run: Run): Promise<readonly Row[]> {
  const warmUp = many(run, 200, 10);
  const perRound = many(run, 20, 3);
  const total = many(run, 3, 1);
  const sides: Side[] = [];
  try {
    for (const roundTripMs of [0, ROUND_TRIP_MS])
      sides.push(await startSide(roundTripMs, warmUp + 2 + total * perRound));
    const [near, far] = sides;
    if (near === undefined || far === undefined) throw new Error('two sides were started');
    run.progress('warming up');
    await Promise.all(sides.map((side) => scanOften(side, warmUp)));
    for (const { bench } of sides) await setLatency(bench.kohas, LATENCY_MS);
    await Promise.all(sides.map((side) => scanOften(side, 2)));
    // What a round trip takes here, timers and all.
    const trip = (await pingMs(far.bench.redisPort)) - (await pingMs(near.bench.redisPort));
    const rounds: Round[] = [];
    while (rounds.length < total) {
      run.progress(`round ${rounds.length + 1} of ${total}`);
      const took: { near: number[]; far: number[] } = { near: [], far: [] };
      for (let count = 0; count < perRound; count += 1) {
        took.near.push(await scanOne(near));
        took.far.push(await scanOne(far));
      }
      rounds.push({ ours: median(took.far), against: median(took.near) });
    }
    return buildRows(rounds, trip);
  } finally {
    await Promise.all(sides.map(({ bench }) => bench.stop()));
  }
}

function buildRows(rounds: readonly Round[], trip: number): readonly Row[] {
  const measure = { scenario: 'S13' };
  return [
    valueRow(
      {
        ...measure,
        what: 'added by Redis 1 ms away in each direction',
        unit: 'round trips',
        rounds: rounds.map(({ ours, against }) => ({ ours: (ours - against) / trip, against: AT_MOST })),
      },
      { atMost: AT_MOST },
    ),
    recordRow({
      ...measure,
      what: `scan to report, a round trip to Redis takes ${trip.toFixed(1)} ms, against beside us`,
      unit: 'ms',
      rounds,
    }),
  ];
}

async function startSide(roundTripMs: number, scans: number): Promise<Side> {
  const bench = await startBench({
    // The first ones compile the code, so the Kohas need not take their time.
    latencyMs: 0,
    isWatched: true,
    homes: [{ id: 'home', prefix: PREFIX, patrons: scans }],
    items: scans,
    ...(roundTripMs === 0 ? {} : { redisRoundTripMs: roundTripMs }),
  });
  return { bench, scanned: 0 };
}

async function scanOften(side: Side, times: number): Promise<void> {
  for (let count = 0; count < times; count += 1) await scanOne(side);
}

async function scanOne(side: Side): Promise<number> {
  const index = side.scanned++;
  const scan = { cardnumber: cardOf(PREFIX, index), item_barcode: barcodeOf(index) };
  const { id, sentAt } = await side.bench.scan(scan);
  return (await side.bench.kohas.ended(id)).at - sentAt;
}
