import { preciseNow } from '../clock.ts';
import { createKohaFloor } from '../koha-floor.ts';
import { barcodeOf, cardOf } from '../kohas-protocol.ts';
import { differenceRow } from '../row.ts';
import type { Row } from '../row.ts';
import { LENDING, startBench } from '../start-bench.ts';
import { median, percentile } from '../statistics.ts';

const EVENTS = 200;
const WARM_UP = 20;
const PREFIX = '21234';

/** Time that we add to a scan: from the signed POST until the lending Koha has answered our report, loan included. */
export async function measureAddedTime(): Promise<readonly Row[]> {
  const total = 2 * (EVENTS + WARM_UP);
  const homes = [{ id: 'home', prefix: PREFIX, patrons: total }];
  const bench = await startBench({ latencyMs: 50, isWatched: true, homes, items: total });
  try {
    const home = bench.kohas.koha('home');
    const lending = bench.kohas.koha(LENDING);
    const floor = await createKohaFloor([home, lending]);
    const ours: number[] = [];
    const least: number[] = [];
    for (let index = 0; index < EVENTS + WARM_UP; index += 1) {
      const scanned = { cardnumber: cardOf(PREFIX, 2 * index), item_barcode: barcodeOf(2 * index) };
      const { id, sentAt } = await bench.scan(scanned);
      const took = (await bench.kohas.ended(id)).at - sentAt;

      const startedAt = preciseNow();
      const card = cardOf(PREFIX, 2 * index + 1);
      await floor.look(home, card);
      const patronId = await floor.copy(lending, card, 'home', index);
      await floor.lend(lending, patronId, barcodeOf(2 * index + 1));
      await floor.tell(lending, `floor-${index}`);
      const floorTook = (await bench.kohas.ended(`floor-${index}`)).at - startedAt;
      if (index < WARM_UP) continue;
      ours.push(took);
      least.push(floorTook);
    }
    floor.close();
    const measure = { scenario: 'S1', unit: 'ms' };
    return [
      differenceRow(
        { ...measure, what: 'scan to report, median', ours: median(ours), against: median(least) },
        { atMost: 5 },
      ),
      differenceRow(
        {
          ...measure,
          what: 'scan to report, 99th percentile',
          ours: percentile(ours, 0.99),
          against: percentile(least, 0.99),
        },
        { atMost: 15 },
      ),
    ];
  } finally {
    await bench.stop();
  }
}
