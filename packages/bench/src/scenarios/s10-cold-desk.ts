import { setTimeout as sleep } from 'node:timers/promises';
import { barcodeOf, cardOf } from '../kohas-protocol.ts';
import { differenceRow, ratioRow, type Round, type Row } from '../row.ts';
import { many, type Run } from '../scenario.ts';
import { serveKoha } from '../start-bench.ts';
import { startStack, type Stack } from '../start-stack.ts';
import { median } from '../statistics.ts';

const LATENCY_MS = 50;
const ROUND_TRIP_MS = 30;
const COLD_AT_MOST = 1.5;
const WARM_UP = 20;

/** A home and a lending library that nobody else uses: its own connections, its own tokens. */
interface Pair {
  readonly home: string;
  readonly lending: string;
  readonly prefix: string;
  used: number;
}

/**
 * A desk that was quiet for a minute, and one whose service has just started: https, every Koha 30 ms away, web servers
 * that close idle connections after 5 s. Pairs of libraries are quiet through the same minute, each is one round.
 */
export async function measureColdDesk(run: Run): Promise<readonly Row[]> {
  const quietMs = many(run, 60_000, 1_000);
  const pairs: readonly Pair[] = Array.from({ length: many(run, 5, 1) }, (_, place) => ({
    home: `home-${place}`,
    lending: `lending-${place}`,
    prefix: String(21_000 + place),
    used: 0,
  }));
  const warmUp = many(run, WARM_UP, 1);
  const warmScans = many(run, 5, 1);
  const stack = await startPairs(pairs, warmUp + warmScans + 2);
  try {
    run.progress('warming up');
    await Promise.all(pairs.map((pair) => scanOften(stack, pair, warmUp)));
    const warm: number[] = [];
    for (const pair of pairs) warm.push(median(await scanOften(stack, pair, warmScans)));
    run.progress(`a quiet time of ${quietMs / 1_000} s`);
    await sleep(quietMs);
    const cold: number[] = [];
    for (const pair of pairs) cold.push(await scanOne(stack, pair));
    const first: number[] = [];
    for (const pair of pairs) {
      run.progress(`first scan after start, ${first.length + 1} of ${pairs.length}`);
      await Promise.all(
        [...stack.services.receivers, ...stack.services.workers].map((each) => each.restart()),
      );
      first.push(await scanOne(stack, pair));
    }
    return buildRows(warm, cold, first);
  } finally {
    await stack.stop();
  }
}

function buildRows(
  warm: readonly number[],
  cold: readonly number[],
  first: readonly number[],
): readonly Row[] {
  const measure = { scenario: 'S10', unit: 'ms' };
  const rounds = (ours: readonly number[]): readonly Round[] =>
    ours.map((value, place) => ({ ours: value, against: warm[place] ?? Number.NaN }));
  const limit = COLD_AT_MOST * ROUND_TRIP_MS;
  return [
    {
      ...differenceRow(
        { ...measure, what: 'first scan after a quiet minute, against warm', rounds: rounds(cold) },
        { atMost: limit },
      ),
      target: `≤ ${limit} ms, ${COLD_AT_MOST} round trips`,
    },
    ratioRow(
      { ...measure, what: 'first scan after start, against warm', rounds: rounds(first) },
      { atMost: 2 },
    ),
  ];
}

function startPairs(pairs: readonly Pair[], scans: number): Promise<Stack> {
  return startStack({
    plan: {
      latencyMs: LATENCY_MS,
      isWatched: true,
      libraries: pairs.flatMap(({ home, lending, prefix }, place) => [
        { id: home, prefix, patrons: scans, items: 0 },
        { id: lending, prefix: String(91_000 + place), patrons: 0, items: scans },
      ]),
    },
    front: { webWorkers: null, serviceMs: 0, roundTripMs: ROUND_TRIP_MS, tls: true },
    serve: (kohas, secretOf) =>
      kohas.map((koha) => serveKoha(koha, koha.id.startsWith('lending') ? secretOf(koha.id) : null)),
    keys: { agreements: pairs.map(({ home, lending }) => ({ home, lending })) },
  });
}

async function scanOften(stack: Stack, pair: Pair, times: number): Promise<readonly number[]> {
  const took: number[] = [];
  while (took.length < times) took.push(await scanOne(stack, pair));
  return took;
}

/** From the signed POST until the lending Koha has answered our report, checkout included. */
async function scanOne(stack: Stack, pair: Pair): Promise<number> {
  const index = pair.used++;
  const { id, sentAt } = await stack.scan(pair.lending, {
    cardnumber: cardOf(pair.prefix, index),
    item_barcode: barcodeOf(index),
  });
  return (await stack.kohas.ended(id)).at - sentAt;
}
