import { preciseNow } from '../clock.ts';
import { createKohaFloor } from '../koha-floor.ts';
import { cardOf } from '../kohas-protocol.ts';
import { ratioRow } from '../row.ts';
import type { Row } from '../row.ts';
import { startBench } from '../start-bench.ts';
import type { Bench } from '../start-bench.ts';
import { sum } from '../statistics.ts';

const EVENTS = 40;
const WARM_UP = 10;
const SIZES = [
  { candidates: 5, atMost: 1.2 },
  { candidates: 20, atMost: 1.2 },
  { candidates: 90, atMost: 2 },
];

/** Time to the verdict of locate when every candidate is asked, against one call to one library; means of 40. */
export async function measureLocate(): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const { candidates, atMost } of SIZES) rows.push(await measureSize(candidates, atMost));
  return rows;
}

async function measureSize(candidates: number, atMost: number): Promise<Row> {
  const homes = Array.from({ length: candidates }, (_, place) => ({
    id: `home-${place}`,
    prefix: String(10_000 + place),
    patrons: 1,
  }));
  const bench = await startBench({ latencyMs: 50, isWatched: true, hasPatterns: false, homes });
  try {
    const first = bench.kohas.koha('home-0');
    const floor = await createKohaFloor([first]);
    const scanOne = async (index: number) => {
      const { id } = await bench.scan({ cardnumber: cardOf('88888', index), item_barcode: null });
      await bench.kohas.ended(id);
    };
    for (let index = 0; index < WARM_UP; index += 1) await scanOne(index);
    const before = await readLocate(bench);
    const calls: number[] = [];
    for (let index = 0; index < EVENTS; index += 1) {
      await scanOne(WARM_UP + index);
      const startedAt = preciseNow();
      await floor.look(first, cardOf('88888', index));
      calls.push(preciseNow() - startedAt);
    }
    const after = await readLocate(bench);
    floor.close();
    const ours = (1_000 * (after.seconds - before.seconds)) / (after.count - before.count);
    const what = `verdict with ${candidates} candidates, mean`;
    return ratioRow(
      { scenario: 'S2', what, unit: 'ms', ours, against: sum(calls) / calls.length },
      { atMost },
    );
  } finally {
    await bench.stop();
  }
}

/** The worker's own measure of its step. */
async function readLocate({ services }: Bench): Promise<{ seconds: number; count: number }> {
  const text = (await services.workers[0]?.metrics()) ?? '';
  const read = (what: string): number =>
    Number(new RegExp(`^passport_step_seconds_${what}\\{step="locate"\\} (\\S+)$`, 'm').exec(text)?.[1] ?? 0);
  return { seconds: read('sum'), count: read('count') };
}
