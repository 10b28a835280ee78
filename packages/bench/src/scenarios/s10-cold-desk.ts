import { setTimeout as sleep } from 'node:timers/promises';
import { median } from '../figures.ts';
import { differenceRow, ratioRow, type Measured, type Round } from '../row.ts';
import { many, repeat, type Run } from '../scenario.ts';
import { scanOf, startPairs, type Pair } from '../start-stack.ts';

const LATENCY_MS = 50;
const ROUND_TRIP_MS = 30;
const COLD_AT_MOST = 1.5;

/**
 * A desk that was quiet for a minute, and one whose service has just started: https, every Koha 30 ms away, web servers
 * that close idle connections after 5 s. Pairs of libraries are quiet through the same minute, each is one round.
 */
export async function measureColdDesk(run: Run): Promise<readonly Measured[]> {
  const quietMs = many(run, 60_000, 1_000);
  const warmUp = many(run, 20, 1);
  const warmScans = many(run, 5, 1);
  const stack = await startPairs(many(run, 5, 1), warmUp + warmScans + 2, {
    latencyMs: LATENCY_MS,
    front: { roundTripMs: ROUND_TRIP_MS, tls: true },
  });
  const { pairs, services } = stack;
  const used = new Map<Pair, number>();
  const scanOne = (pair: Pair): Promise<number> => {
    const index = used.get(pair) ?? 0;
    used.set(pair, index + 1);
    return stack.timeScan(scanOf(index, pair.prefix), pair.lending);
  };
  const ofEach = (measure: (pair: Pair) => Promise<number>): Promise<number[]> =>
    repeat(pairs.length, (place) => measure(pairs[place] as Pair));
  try {
    run.progress('warming up');
    await Promise.all(pairs.map((pair) => repeat(warmUp, () => scanOne(pair))));
    const warm = await ofEach(async (pair) => median(await repeat(warmScans, () => scanOne(pair))));
    run.progress(`a quiet time of ${quietMs / 1_000} s`);
    await sleep(quietMs);
    const cold = await ofEach(scanOne);
    const first = await ofEach(async (pair) => {
      run.progress(`first scan after start, ${pair.home}`);
      await Promise.all([...services.receivers, ...services.workers].map((each) => each.restart()));
      return scanOne(pair);
    });
    return buildRows(warm, cold, first);
  } finally {
    await stack.stop();
  }
}

function buildRows(
  warm: readonly number[],
  cold: readonly number[],
  first: readonly number[],
): readonly Measured[] {
  const rounds = (ours: readonly number[]): readonly Round[] =>
    ours.map((value, place) => ({ ours: value, against: warm[place] ?? Number.NaN }));
  const limit = COLD_AT_MOST * ROUND_TRIP_MS;
  const quiet = { what: 'first scan after a quiet minute, against warm', unit: 'ms', rounds: rounds(cold) };
  const start = { what: 'first scan after start, against warm', unit: 'ms', rounds: rounds(first) };
  return [
    { ...differenceRow(quiet, { atMost: limit }), target: `≤ ${limit} ms, ${COLD_AT_MOST} round trips` },
    ratioRow(start, { atMost: 2 }),
  ];
}
