import { barcodeOf, cardOf } from '../kohas-protocol.ts';
import { differenceRow } from '../row.ts';
import type { Row } from '../row.ts';
import { startBench } from '../start-bench.ts';
import type { Bench } from '../start-bench.ts';

const PREFIX = '21234';
const CANDIDATES = 7;

/** Calls to Kohas for one event, tokens, descriptions and plugin routes aside, against the fewest that can do it. */
export async function measureCalls(): Promise<readonly Row[]> {
  const homes = Array.from({ length: CANDIDATES }, (_, place) => ({
    id: `home-${place}`,
    prefix: String(Number(PREFIX) + place),
    patrons: 5,
  }));
  const routed = await startBench({ latencyMs: 0, isWatched: true, homes, items: 5 });
  const rows: Row[] = [];
  const add = (what: string, ours: number, fewest: number) => {
    const measure = { scenario: 'S9', what, unit: 'calls', ours, against: fewest };
    rows.push({ ...differenceRow(measure, { atMost: 0 }), target: `${fewest}` });
  };
  try {
    const count = (index: number, item: number | null) =>
      countCalls(routed, {
        cardnumber: cardOf(PREFIX, index),
        item_barcode: item === null ? null : barcodeOf(item),
      });
    await count(0, null);
    add('copy', await count(1, null), 2);
    add('copy and loan', await count(2, 0), 3);
    // Look at home, a create that is refused, a look by card.
    add('here already', await count(1, null), 3);
  } finally {
    await routed.stop();
  }
  const open = await startBench({ latencyMs: 0, isWatched: true, homes, hasPatterns: false });
  try {
    const unknown = { cardnumber: cardOf('88888', 1), item_barcode: null };
    add(`not found with ${CANDIDATES} candidates`, await countCalls(open, unknown), CANDIDATES);
  } finally {
    await open.stop();
  }
  return rows;
}

async function countCalls(bench: Bench, data: Readonly<Record<string, unknown>>): Promise<number> {
  for (const { id } of bench.kohas.kohas) await bench.kohas.control(id, 'DELETE', 'calls');
  const { id: eventId } = await bench.scan(data);
  await bench.kohas.ended(eventId);
  const lists = await Promise.all(bench.kohas.kohas.map(({ id }) => bench.kohas.control(id, 'GET', 'calls')));
  const isCounted = ({ path }: { path: string }) => !/^\/api\/v1\/(?:oauth\/token|contrib\/.*)?$/.test(path);
  return (lists.flat() as { path: string }[]).filter(isCounted).length;
}
