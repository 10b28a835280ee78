import { percentile, preciseNow } from '../figures.ts';
import { setLatency } from '../koha-calls.ts';
import { createKohaFloor, type KohaFloor } from '../koha-floor.ts';
import { differenceRow, type Measured, type Round } from '../row.ts';
import { inRounds, many, repeat, type Run } from '../scenario.ts';
import { LENDING, scanOf, withBench, type Stack } from '../start-stack.ts';
import { measureRedisTrips } from './redis-trips.ts';

const LATENCY_MS = 50;

/** Time that we add to a scan: from the signed POST until the lending Koha has answered our report, checkout included. */
export function measureAddedTime(run: Run): Promise<readonly Measured[]> {
  // The first ones compile the code of every process, so the Kohas need not take their time.
  const warmUp = many(run, 450, 20);
  const total = many(run, 4, 1);
  const settle = many(run, 3, 1);
  const perRound = many(run, 30, 3);
  const scans = 2 * (warmUp + total * (settle + perRound));
  return withBench({ hasNoLimits: true, scans }, async (bench) => {
    const floor = await createKohaFloor(bench.kohas.kohas);
    const measureBoth = buildPair(bench, floor);
    run.progress(`warming up with ${warmUp} events`);
    await repeat(warmUp, measureBoth);
    await setLatency(bench.kohas, LATENCY_MS);
    const rounds = await inRounds(run, total, async () => {
      await repeat(settle, measureBoth);
      return repeat(perRound, measureBoth);
    });
    floor.close();
    return [...buildRows(rounds), ...(await measureRedisTrips(run))];
  });
}

/** One event, then the same calls alone. */
function buildPair({ kohas, timeScan }: Stack, floor: KohaFloor): () => Promise<Round> {
  const at = { home: kohas.koha('home'), lending: kohas.koha(LENDING) };
  let index = 0;
  return async () => {
    const ours = await timeScan(scanOf(index));
    const startedAt = preciseNow();
    const alone = index + 1;
    index += 2;
    await floor.runEvent(at, alone, 'floor');
    return { ours, against: (await kohas.ended(`floor-${alone}`)).at - startedAt };
  };
}

function buildRows(rounds: readonly (readonly Round[])[]): readonly Measured[] {
  const row = (name: string, share: number, atMost: number): Measured => {
    const figure = (events: readonly Round[]): Round => ({
      ours: percentile(
        events.map(({ ours }) => ours),
        share,
      ),
      against: percentile(
        events.map(({ against }) => against),
        share,
      ),
    });
    const measure = { what: `scan to report, ${name}`, unit: 'ms', rounds: rounds.map(figure) };
    return differenceRow({ ...measure, all: figure(rounds.flat()) }, { atMost });
  };
  return [row('median', 0.5, 6), row('99th percentile', 0.99, 15)];
}
