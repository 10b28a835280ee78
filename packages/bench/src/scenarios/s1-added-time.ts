import { preciseNow } from '../clock.ts';
import { setLatency } from '../koha-calls.ts';
import { createKohaFloor, type KohaFloor } from '../koha-floor.ts';
import { barcodeOf, cardOf } from '../kohas-protocol.ts';
import { differenceRow, type Round, type Row } from '../row.ts';
import { many, type Run } from '../scenario.ts';
import { LENDING, startBench, type Bench } from '../start-bench.ts';
import { percentile } from '../statistics.ts';
import { measureRedisTrips } from './redis-trips.ts';

const PREFIX = '21234';
const LATENCY_MS = 50;

/** Time that we add to a scan: from the signed POST until the lending Koha has answered our report, checkout included. */
export async function measureAddedTime(run: Run): Promise<readonly Row[]> {
  // The first ones compile the code of every process, so the Kohas need not take their time.
  const warmUp = many(run, 450, 20);
  const total = many(run, 4, 1);
  const settle = many(run, 3, 1);
  const perRound = many(run, 30, 3);
  const patrons = 2 * (warmUp + total * (settle + perRound));
  const homes = [{ id: 'home', prefix: PREFIX, patrons }];
  const bench = await startBench({ latencyMs: 0, isWatched: true, hasNoLimits: true, homes, items: patrons });
  try {
    const floor = await createKohaFloor(bench.kohas.kohas);
    const measureBoth = buildPair(bench, floor);
    run.progress(`warming up with ${warmUp} events`);
    for (let count = 0; count < warmUp; count += 1) await measureBoth();
    await setLatency(bench.kohas, LATENCY_MS);
    const rounds: Round[][] = [];
    while (rounds.length < total) {
      run.progress(`round ${rounds.length + 1} of ${total}`);
      for (let count = 0; count < settle; count += 1) await measureBoth();
      const round: Round[] = [];
      while (round.length < perRound) round.push(await measureBoth());
      rounds.push(round);
    }
    floor.close();
    return [...buildRows(rounds), ...(await measureRedisTrips(run))];
  } finally {
    await bench.stop();
  }
}

/** One event, then the same calls alone. */
function buildPair(bench: Bench, floor: KohaFloor): () => Promise<Round> {
  const home = bench.kohas.koha('home');
  const lending = bench.kohas.koha(LENDING);
  let index = 0;
  return async () => {
    const [scanned, alone] = [index, index + 1];
    index += 2;
    const { id, sentAt } = await bench.scan({
      cardnumber: cardOf(PREFIX, scanned),
      item_barcode: barcodeOf(scanned),
    });
    const ours = (await bench.kohas.ended(id)).at - sentAt;
    const startedAt = preciseNow();
    const card = cardOf(PREFIX, alone);
    await floor.look(home, card);
    const patronId = await floor.copy(lending, card, 'home', alone);
    await floor.checkOut(lending, patronId, barcodeOf(alone));
    await floor.report(lending, `floor-${alone}`);
    return { ours, against: (await bench.kohas.ended(`floor-${alone}`)).at - startedAt };
  };
}

function buildRows(rounds: readonly (readonly Round[])[]): readonly Row[] {
  const figure = (events: readonly Round[], share: number): Round => ({
    ours: percentile(
      events.map(({ ours }) => ours),
      share,
    ),
    against: percentile(
      events.map(({ against }) => against),
      share,
    ),
  });
  const measure = { scenario: 'S1', unit: 'ms' };
  const shares = [
    { what: 'scan to report, median', share: 0.5, atMost: 6 },
    { what: 'scan to report, 99th percentile', share: 0.99, atMost: 15 },
  ];
  return shares.map(({ what, share, atMost }) =>
    differenceRow(
      {
        ...measure,
        what,
        rounds: rounds.map((round) => figure(round, share)),
        all: figure(rounds.flat(), share),
      },
      { atMost },
    ),
  );
}
