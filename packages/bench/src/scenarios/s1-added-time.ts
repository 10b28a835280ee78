import { percentile, preciseNow } from '../figures.ts';
import { createFloor } from '../floor.ts';
import { differenceRow, type Measured, type Round } from '../row.ts';
import { inRounds, many, repeat, type Run } from '../scenario.ts';
import { LENDING, scanOf, withBench } from '../stack.ts';

const LATENCY_MS = 50;

/** Time that we add to a scan: from the signed POST until the lending Koha has answered our report, checkout included. */
export function measureAddedTime(run: Run): Promise<readonly Measured[]> {
  // The first ones compile the code of every process, so the Kohas need not take their time.
  const warmUp = many(run, 450, 20);
  const total = many(run, 4, 1);
  const settle = many(run, 3, 1);
  const perRound = many(run, 30, 3);
  const scans = 2 * (warmUp + total * (settle + perRound));
  return withBench({ hasNoLimits: true, scans }, async ({ kohas, timeScan }) => {
    const floor = await createFloor(kohas.kohas);
    const [home, lending] = [kohas.koha('home'), kohas.koha(LENDING)];
    let index = 0;
    /** One event, then the same calls alone. */
    const measureBoth = async (): Promise<Round> => {
      const ours = await timeScan(scanOf(index));
      const startedAt = preciseNow();
      const alone = index + 1;
      index += 2;
      await floor.runEvent(home, lending, alone);
      return { ours, against: (await kohas.ended(`floor-${alone}`)) - startedAt };
    };
    run.progress(`warming up with ${warmUp} events`);
    await repeat(warmUp, measureBoth);
    await kohas.controlAll('PUT', 'settings', { latency_ms: LATENCY_MS });
    const rounds = await inRounds(run, total, async () => {
      await repeat(settle, measureBoth);
      return repeat(perRound, measureBoth);
    });
    floor.close();
    return [rowOf(rounds, 'median', 0.5, 6), rowOf(rounds, '99th percentile', 0.99, 15)];
  });
}

function rowOf(rounds: readonly (readonly Round[])[], name: string, share: number, atMost: number): Measured {
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
}
