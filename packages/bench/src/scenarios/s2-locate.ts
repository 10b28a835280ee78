import { timeOf } from '../figures.ts';
import { createFloor, type Floor } from '../floor.ts';
import { cardOf, type StartedKoha } from '../kohas-protocol.ts';
import { startReferenceShape, type ReferenceShape } from '../reference-shape.ts';
import { ratioRow, recordRow, type Measure, type Measured, type Round } from '../row.ts';
import { many, repeat, type Run } from '../scenario.ts';
import { withBench, type Stack } from '../stack.ts';

const SIZES = [
  { candidates: 5, atMost: 1.15 },
  { candidates: 20, atMost: 1.25 },
  { candidates: 90, atMost: 1.6 },
];
const LATENCY_MS = 50;

/** Time until it is known where a card is from when every candidate is queried, against one call to one library. */
export async function measureLocate(run: Run): Promise<readonly Measured[]> {
  const sizes = run.isQuick ? SIZES.slice(0, 1) : SIZES;
  const rows = await repeat(sizes.length, async (place) => {
    const { candidates, atMost } = sizes[place] as (typeof SIZES)[number];
    run.progress(`${candidates} candidates`);
    return buildRows(candidates, atMost, await measureSize(run, candidates));
  });
  return rows.flat();
}

interface RoundOfAll extends Round {
  readonly reference: number | null;
}

function measureSize(run: Run, candidates: number): Promise<readonly RoundOfAll[]> {
  const homes = Array.from({ length: candidates }, (_, place) => ({
    id: `home-${place}`,
    prefix: String(10_000 + place),
    patrons: 1,
  }));
  return withBench({ latencyMs: LATENCY_MS, hasPatterns: false, scans: 0, homes }, async (bench) => {
    const kohas = homes.map(({ id }) => bench.kohas.koha(id));
    const floor = await createFloor(kohas);
    const reference = await startReferenceShape(kohas, floor);
    try {
      const tools = { bench, first: bench.kohas.koha('home-0'), floor, reference };
      const warmUp = many(run, 40, 3);
      const events = many(run, 10, 3);
      await measureRound(tools, 0, warmUp);
      return await repeat(many(run, 3, 1), (round) => measureRound(tools, warmUp + round * events, events));
    } finally {
      reference?.stop();
      floor.close();
    }
  });
}

function buildRows(candidates: number, atMost: number, rounds: readonly RoundOfAll[]): readonly Measured[] {
  const measure = (what: string, of: readonly Round[]): Measure => ({
    what: `${what} with ${candidates} candidates, mean`,
    unit: 'ms',
    rounds: of,
  });
  const references = rounds.flatMap(({ reference, against }) =>
    reference === null ? [] : { ours: reference, against },
  );
  const row = ratioRow(measure('located', rounds), { atMost });
  return references.length === 0
    ? [row]
    : [row, recordRow(measure("the reference plugin's shape", references))];
}

interface Tools {
  readonly bench: Stack;
  readonly first: StartedKoha;
  readonly floor: Floor;
  readonly reference: ReferenceShape | null;
}

/** Each event of ours is followed by one call alone, each round by one search in the reference's shape. */
async function measureRound(
  { bench, first, floor, reference }: Tools,
  from: number,
  events: number,
): Promise<RoundOfAll> {
  const before = await readLocate(bench);
  const calls = await repeat(events, async (place) => {
    const card = cardOf('88888', from + place);
    await bench.timeScan({ cardnumber: card, item_barcode: null });
    return timeOf(() => floor.look(first, card));
  });
  const after = await readLocate(bench);
  return {
    ours: (1_000 * (after.seconds - before.seconds)) / (after.count - before.count),
    against: calls.reduce((total, ms) => total + ms, 0) / calls.length,
    // Once: a process for each library keeps the machine busy.
    reference: (await reference?.lookUp(cardOf('88888', from))) ?? null,
  };
}

/** The worker's own measure of its step. */
async function readLocate({ worker }: Stack): Promise<{ seconds: number; count: number }> {
  const text = await worker.metrics();
  const read = (what: string): number =>
    Number(new RegExp(`^passport_step_seconds_${what}\\{step="locate"\\} (\\S+)$`, 'm').exec(text)?.[1] ?? 0);
  return { seconds: read('sum'), count: read('count') };
}
