import { sum } from '../figures.ts';
import { countByOperation, forgetCalls, isPatronCall } from '../koha-calls.ts';
import { valueRow, type Measured } from '../row.ts';
import { repeat, type Run } from '../scenario.ts';
import { PREFIX, scanOf, withBench, type Stack } from '../start-stack.ts';

const CANDIDATES = 7;
const ROUNDS = 3;

/** Calls to Kohas for one event, tokens, descriptions and plugin routes aside, against the fewest that can do it. */
export async function measureCalls(_run: Run): Promise<readonly Measured[]> {
  const homes = Array.from({ length: CANDIDATES }, (_, place) => ({
    id: `home-${place}`,
    prefix: String(Number(PREFIX) + place),
    patrons: 1 + 2 * ROUNDS,
  }));
  const routed = await withBench({ homes, scans: 2 * ROUNDS + 1 }, async (bench) => {
    const copyOf = (index: number) => countCalls(bench, { ...scanOf(index), item_barcode: null });
    await copyOf(0);
    return [
      await measureRow('copy', 2, (round) => copyOf(1 + round)),
      await measureRow('copy and checkout', 3, (round) => countCalls(bench, scanOf(1 + ROUNDS + round))),
      // Look-up at home, a create that is refused, a look-up by card.
      await measureRow('here already', 3, (round) => copyOf(1 + round)),
    ];
  });
  const what = `not found with ${CANDIDATES} candidates`;
  const open = await withBench({ homes, scans: 0, hasPatterns: false }, (bench) =>
    measureRow(what, CANDIDATES, (round) =>
      countCalls(bench, { ...scanOf(round, '88888'), item_barcode: null }),
    ),
  );
  return [...routed, open];
}

async function measureRow(
  what: string,
  fewest: number,
  count: (round: number) => Promise<number>,
): Promise<Measured> {
  const rounds = (await repeat(ROUNDS, count)).map((ours) => ({ ours, against: fewest }));
  return valueRow({ what, unit: 'calls', rounds }, { atMost: fewest });
}

async function countCalls(bench: Stack, data: Readonly<Record<string, unknown>>): Promise<number> {
  await forgetCalls(bench.kohas);
  await bench.timeScan(data);
  return sum(Object.values(await countByOperation(bench.kohas, isPatronCall)));
}
