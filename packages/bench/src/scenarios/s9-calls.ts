import { countByOperation, forgetCalls, isPatronCall } from '../koha-calls.ts';
import { barcodeOf, cardOf } from '../kohas-protocol.ts';
import { valueRow, type Row } from '../row.ts';
import type { Run } from '../scenario.ts';
import { startBench, type Bench } from '../start-bench.ts';
import { sum } from '../statistics.ts';

const PREFIX = '21234';
const CANDIDATES = 7;
const ROUNDS = 3;

/** Calls to Kohas for one event, tokens, descriptions and plugin routes aside, against the fewest that can do it. */
export async function measureCalls(_run: Run): Promise<readonly Row[]> {
  const homes = Array.from({ length: CANDIDATES }, (_, place) => ({
    id: `home-${place}`,
    prefix: String(Number(PREFIX) + place),
    patrons: 1 + 2 * ROUNDS,
  }));
  const rows: Row[] = [];
  const routed = await startBench({ latencyMs: 0, isWatched: true, homes, items: ROUNDS });
  try {
    const at = (index: number, item: number | null) =>
      countCalls(routed, {
        cardnumber: cardOf(PREFIX, index),
        item_barcode: item === null ? null : barcodeOf(item),
      });
    await at(0, null);
    rows.push(await measureRow('copy', 2, (round) => at(1 + round, null)));
    rows.push(await measureRow('copy and checkout', 3, (round) => at(1 + ROUNDS + round, round)));
    // Look-up at home, a create that is refused, a look-up by card.
    rows.push(await measureRow('here already', 3, (round) => at(1 + round, null)));
  } finally {
    await routed.stop();
  }
  const open = await startBench({ latencyMs: 0, isWatched: true, homes, hasPatterns: false });
  try {
    const what = `not found with ${CANDIDATES} candidates`;
    const unknown = (round: number) =>
      countCalls(open, { cardnumber: cardOf('88888', round), item_barcode: null });
    rows.push(await measureRow(what, CANDIDATES, unknown));
  } finally {
    await open.stop();
  }
  return rows;
}

async function measureRow(
  what: string,
  fewest: number,
  count: (round: number) => Promise<number>,
): Promise<Row> {
  const counts: number[] = [];
  while (counts.length < ROUNDS) counts.push(await count(counts.length));
  const rounds = counts.map((ours) => ({ ours, against: fewest }));
  return valueRow({ scenario: 'S9', what, unit: 'calls', rounds }, { atMost: fewest });
}

async function countCalls(bench: Bench, data: Readonly<Record<string, unknown>>): Promise<number> {
  await forgetCalls(bench.kohas);
  const { id: eventId } = await bench.scan(data);
  await bench.kohas.ended(eventId);
  return sum(Object.values(await countByOperation(bench.kohas, isPatronCall)));
}
