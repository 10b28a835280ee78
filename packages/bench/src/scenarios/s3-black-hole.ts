import { setTimeout as sleep } from 'node:timers/promises';
import { createKohaFloor } from '../koha-floor.ts';
import { barcodeOf, cardOf } from '../kohas-protocol.ts';
import { startReferenceShape } from '../reference-shape.ts';
import { ratioRow, recordRow, type Round, type Row } from '../row.ts';
import { many, type Run } from '../scenario.ts';
import { startBench, type Bench } from '../start-bench.ts';
import { percentile } from '../statistics.ts';

/** Of five homes the last one dies. */
const PLACES = [0, 1, 2, 3, 4];
const DEAD = 4;
const DEAD_EVERY = 5;
const LATENCY_MS = 50;
const PAUSE_MS = 40;
/** The default deadline of a call. */
const DEADLINE_MS = 3_000;

interface RoundOfAll {
  readonly others: Round;
  /** Until the desk has been notified that the dead library is waited for; the latest. */
  readonly named: number;
  readonly reference: Round | null;
}

/** One library of five accepts and never answers: what becomes of the others' scans, and of its own. */
export async function measureBlackHole(run: Run): Promise<readonly Row[]> {
  const rounds: RoundOfAll[] = [];
  const total = many(run, 3, 1);
  while (rounds.length < total) {
    run.progress(`round ${rounds.length + 1} of ${total}`);
    rounds.push(await measureRound(run));
  }
  return buildRows(rounds, patienceOf(run));
}

/** The reference would wait for LWP's 180 s. */
const patienceOf = (run: Run): number => many(run, 5_000, 1_000);

function buildRows(rounds: readonly RoundOfAll[], patienceMs: number): readonly Row[] {
  const measure = { scenario: 'S3', unit: 'ms' };
  const others = {
    ...measure,
    what: 'scans of the four others, 99th percentile',
    rounds: rounds.map((each) => each.others),
  };
  const named = {
    ...measure,
    what: 'the dead one named as waited for, latest',
    rounds: rounds.map((round) => ({ ours: round.named, against: DEADLINE_MS })),
  };
  const rows = [ratioRow(others, { atMost: 1.2 }), ratioRow(named, { atMost: 1.1 })];
  const references = rounds.flatMap(({ reference }) => reference ?? []);
  if (references.length === 0) return rows;
  const what = `the reference plugin's shape, any scan, given up after ${patienceMs / 1_000} s`;
  return [...rows, recordRow({ ...measure, what, rounds: references })];
}

async function measureRound(run: Run): Promise<RoundOfAll> {
  const homes = PLACES.map((place) => ({ id: `home-${place}`, prefix: prefixOf(place), patrons: 400 }));
  const bench = await startBench({ latencyMs: LATENCY_MS, isWatched: true, homes, items: 1_000 });
  try {
    const next = { item: 0, card: PLACES.map(() => 0) };
    const scan = (place: number) => {
      const index = next.card[place] ?? 0;
      next.card[place] = index + 1;
      next.item += 1;
      return bench.scan({
        cardnumber: cardOf(prefixOf(place), index),
        item_barcode: barcodeOf(next.item),
      });
    };
    const events = many(run, 80, 10);
    await runMixed(bench, many(run, 60, 5), scan);
    const alive = await runMixed(bench, events, scan);
    const reference = await measureReference(bench, run);
    const dead = await runMixed(bench, events, scan, true);
    return {
      others: { ours: percentile(dead.routed, 0.99), against: percentile(alive.routed, 0.99) },
      named: Math.max(...dead.waits),
      reference,
    };
  } finally {
    await bench.stop();
  }
}

/** One scan in the reference's shape before and after the fifth library dies, as it is from here on. */
async function measureReference(bench: Bench, run: Run): Promise<Round | null> {
  const homes = PLACES.map((place) => bench.kohas.koha(`home-${place}`));
  const floor = await createKohaFloor(homes);
  const shape = await startReferenceShape(homes, floor);
  try {
    const lookUp = async () => (await shape?.lookUp(cardOf('88888', 1), patienceOf(run))) ?? patienceOf(run);
    await lookUp();
    const against = await lookUp();
    await bench.kohas.control(`home-${DEAD}`, 'POST', 'faults', [
      { operation: '*', kind: 'hang', times: 100_000 },
    ]);
    return shape === null ? null : { ours: await lookUp(), against };
  } finally {
    shape?.stop();
    floor.close();
  }
}

const prefixOf = (place: number): string => String(21_000 + place);

/** Scans of four libraries with one of the fifth after every five, each at its time whatever became of the others. */
async function runMixed(
  bench: Bench,
  events: number,
  scan: (place: number) => Promise<{ id: string; sentAt: number }>,
  isDead = false,
): Promise<{ routed: number[]; waits: number[] }> {
  const routed: Promise<number>[] = [];
  const waits: Promise<number>[] = [];
  const until = async (sent: Promise<{ id: string; sentAt: number }>, what: 'ended' | 'waiting') => {
    const { id, sentAt } = await sent;
    return (await bench.kohas[what](id)).at - sentAt;
  };
  for (let index = 0; index < events; index += 1) {
    routed.push(until(scan(index % 4), 'ended'));
    if (index % DEAD_EVERY === 0) waits.push(until(scan(DEAD), isDead ? 'waiting' : 'ended'));
    await sleep(PAUSE_MS);
  }
  return { routed: await Promise.all(routed), waits: await Promise.all(waits) };
}
