import { preciseNow } from '../clock.ts';
import { createKohaFloor, type KohaFloor } from '../koha-floor.ts';
import { cardOf, type StartedKoha } from '../kohas-protocol.ts';
import { startReferenceShape, type ReferenceShape } from '../reference-shape.ts';
import { ratioRow, recordRow, type Measure, type Round, type Row } from '../row.ts';
import { many, type Run } from '../scenario.ts';
import { startBench, type Bench } from '../start-bench.ts';
import { sum } from '../statistics.ts';

const SIZES = [
  { candidates: 5, atMost: 1.15 },
  { candidates: 20, atMost: 1.25 },
  { candidates: 90, atMost: 1.6 },
];
const LATENCY_MS = 50;
const PATIENCE_MS = 30_000;

/** Time until it is known where a card is from when every candidate is queried, against one call to one library. */
export async function measureLocate(run: Run): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const { candidates, atMost } of run.isQuick ? SIZES.slice(0, 1) : SIZES) {
    run.progress(`${candidates} candidates`);
    rows.push(...(await measureSize(run, candidates, atMost)));
  }
  return rows;
}

interface Tools {
  readonly bench: Bench;
  readonly first: StartedKoha;
  readonly floor: KohaFloor;
  readonly reference: ReferenceShape | null;
}

async function measureSize(run: Run, candidates: number, atMost: number): Promise<readonly Row[]> {
  const homes = Array.from({ length: candidates }, (_, place) => ({
    id: `home-${place}`,
    prefix: String(10_000 + place),
    patrons: 1,
  }));
  const bench = await startBench({ latencyMs: LATENCY_MS, isWatched: true, hasPatterns: false, homes });
  let reference: ReferenceShape | null = null;
  try {
    const kohas = homes.map(({ id }) => bench.kohas.koha(id));
    const floor = await createKohaFloor(kohas);
    reference = await startReferenceShape(kohas, floor);
    const tools = { bench, first: bench.kohas.koha('home-0'), floor, reference };
    let next = 0;
    const measureEvents = async (events: number, shapesWanted: number): Promise<RoundOfAll> => {
      const from = next;
      next += events;
      return measureRound(tools, { from, events, shapesWanted });
    };
    await measureEvents(many(run, 40, 3), 1);
    const rounds: RoundOfAll[] = [];
    while (rounds.length < many(run, 3, 1)) rounds.push(await measureEvents(many(run, 10, 3), 1));
    floor.close();
    return buildRows(candidates, atMost, rounds);
  } finally {
    reference?.stop();
    await bench.stop();
  }
}

interface RoundOfAll extends Round {
  readonly reference: number | null;
}

function buildRows(candidates: number, atMost: number, rounds: readonly RoundOfAll[]): readonly Row[] {
  const measure = (what: string, ours: (round: RoundOfAll) => number): Measure => ({
    scenario: 'S2',
    what: `${what} with ${candidates} candidates, mean`,
    unit: 'ms',
    rounds: rounds.map((round) => ({ ours: ours(round), against: round.against })),
  });
  const row = ratioRow(
    measure('located', ({ ours }) => ours),
    { atMost },
  );
  if (rounds.some(({ reference }) => reference === null)) return [row];
  return [
    row,
    recordRow(measure("the reference plugin's shape", ({ reference }) => reference ?? Number.NaN)),
  ];
}

/** Each event of ours is followed by one call alone, each round by some searches in the reference's shape. */
async function measureRound(
  tools: Tools,
  { from, events, shapesWanted }: { from: number; events: number; shapesWanted: number },
): Promise<RoundOfAll> {
  const { bench, first, floor, reference } = tools;
  const before = await readLocate(bench);
  const calls: number[] = [];
  const shapes: (number | null)[] = [];
  for (let index = from; index < from + events; index += 1) {
    const card = cardOf('88888', index);
    const { id } = await bench.scan({ cardnumber: card, item_barcode: null });
    await bench.kohas.ended(id);
    const startedAt = preciseNow();
    await floor.look(first, card);
    calls.push(preciseNow() - startedAt);
  }
  const after = await readLocate(bench);
  // Less often: a process for each library keeps the machine busy.
  for (let count = 0; count < shapesWanted; count += 1)
    shapes.push((await reference?.lookUp(cardOf('88888', from + count), PATIENCE_MS)) ?? null);
  const known = shapes.filter((ms) => ms !== null);
  return {
    ours: (1_000 * (after.seconds - before.seconds)) / (after.count - before.count),
    against: sum(calls) / calls.length,
    reference: known.length < shapes.length ? null : sum(known) / known.length,
  };
}

/** The worker's own measure of its step. */
async function readLocate({ services }: Bench): Promise<{ seconds: number; count: number }> {
  const text = (await services.workers[0]?.metrics()) ?? '';
  const read = (what: string): number =>
    Number(new RegExp(`^passport_step_seconds_${what}\\{step="locate"\\} (\\S+)$`, 'm').exec(text)?.[1] ?? 0);
  return { seconds: read('sum'), count: read('count') };
}
