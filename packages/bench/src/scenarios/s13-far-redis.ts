import { median } from '../figures.ts';
import { setLatency } from '../koha-calls.ts';
import { pingMs } from '../redis-figures.ts';
import { recordRow, valueRow, type Measured } from '../row.ts';
import { inRounds, many, repeat, type Run } from '../scenario.ts';
import { scanOf, withBench } from '../start-stack.ts';

/** 1 ms in each direction. */
const ROUND_TRIP_MS = 2;
const AT_MOST = 6;
const LATENCY_MS = 50;

/** The same scans with Redis beside the processes and with Redis 1 ms away, one after the other. */
export function measureFarRedis(run: Run): Promise<readonly Measured[]> {
  const warmUp = many(run, 200, 10);
  const perRound = many(run, 20, 3);
  // The first ones compile the code, so the Kohas need not take their time.
  const scans = warmUp + 2 + many(run, 3, 1) * perRound;
  return withBench({ scans }, (near) =>
    withBench({ scans, redisRoundTripMs: ROUND_TRIP_MS }, async (far) => {
      const sides = [near, far];
      let next = 0;
      const scanBoth = async (): Promise<number[]> => {
        const index = next++;
        return repeat(
          sides.length,
          async (place) => (await sides[place]?.timeScan(scanOf(index))) ?? Number.NaN,
        );
      };
      run.progress('warming up');
      await repeat(warmUp, scanBoth);
      for (const { kohas } of sides) await setLatency(kohas, LATENCY_MS);
      await repeat(2, scanBoth);
      // What a round trip takes here, timers and all.
      const trip = (await pingMs(far.redisPort)) - (await pingMs(near.redisPort));
      const rounds = await inRounds(run, 3, async () => {
        const took = await repeat(perRound, scanBoth);
        const medianAt = (place: number): number => median(took.map((both) => both[place] ?? Number.NaN));
        return { ours: medianAt(1), against: medianAt(0) };
      });
      const added = rounds.map(({ ours, against }) => ({ ours: (ours - against) / trip, against: AT_MOST }));
      const what = `scan to report, a round trip to Redis takes ${trip.toFixed(1)} ms, against beside us`;
      return [
        valueRow(
          { what: 'added by Redis 1 ms away in each direction', unit: 'round trips', rounds: added },
          { atMost: AT_MOST },
        ),
        recordRow({ what, unit: 'ms', rounds }),
      ];
    }),
  );
}
