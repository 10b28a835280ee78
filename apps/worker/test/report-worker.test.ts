import { expect, test } from '@jest/globals';
import { reportDelayMs } from '../src/job/report-worker.ts';

const gaps = (from: number, count: number): number[] =>
  Array.from({ length: count }, (_, index) => reportDelayMs(from + index));

test('a report is tried again at gaps of at most five seconds while somebody may stand at the desk', () => {
  expect(gaps(1, 5)).toEqual([1_000, 2_000, 4_000, 5_000, 5_000]);
  const firstMinutes = gaps(1, 24);
  expect(Math.max(...firstMinutes)).toBe(5_000);
  expect(firstMinutes.reduce((sum, gap) => sum + gap, 0)).toBeGreaterThan(100_000);
});

test('a report of a long outage is still tried each ten seconds', () => {
  expect(new Set(gaps(25, 1_000))).toEqual(new Set([10_000]));
});
