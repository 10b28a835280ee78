import { expect, test } from '@jest/globals';
import { runChaos } from './chaos-run.ts';

const SEED = Number(process.env['PASSPORT_CHAOS_SEED'] ?? Math.floor(Math.random() * 1_000_000));

test(`T-14 T-20 T-35 chaos for twenty seconds leaves nothing lost, nothing twice, nothing late`, async () => {
  process.stderr.write(`chaos: seed ${SEED} (PASSPORT_CHAOS_SEED=${SEED} repeats it)\n`);
  const report = await runChaos({ breakingMs: 20_000, seed: SEED, log: () => undefined, lastSweepsMs: 0 });

  expect({ seed: SEED, ...report.wrongs }).toEqual({
    seed: SEED,
    ...Object.fromEntries(Object.keys(report.wrongs).map((name) => [name, []])),
  });
  expect(report.deliveries.acknowledged).toBe(report.events);
  expect(report.outcomes['COPIED']).toBeGreaterThan(0);
}, 150_000);
