import { expect, test } from '@jest/globals';
import { type Attempt, type AttemptCall, withAttempt } from '../src/index.ts';

const call = (library: string): AttemptCall => ({ library, step: 'locate', answer: 'answered', ms: 5 });
const calls = (count: number): AttemptCall[] => Array.from({ length: count }, (_, n) => call(`library-${n}`));
const attempt = (at_ms: number, count = 1): Omit<Attempt, 'others'> => ({
  at_ms,
  ms: 10,
  calls: calls(count),
  result: 'NO_ANSWER',
});
const after = (counts: readonly number[]): Attempt[] =>
  counts.reduce<Attempt[]>((before, count, n) => withAttempt(before, attempt(n, count)), []);

test('attempts are kept in their order, at most ten, the newest', () => {
  expect(after([1, 1]).map(({ at_ms }) => at_ms)).toEqual([0, 1]);
  expect(after(Array.from({ length: 14 }, () => 1)).map(({ at_ms }) => at_ms)).toEqual([
    4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
  ]);
});

test('of many libraries twelve are kept, and how many more there were', () => {
  const [only] = after([1_000]);
  expect([only?.calls.length, only?.others]).toEqual([12, 988]);
  expect(after([12])[0]?.others).toBe(0);
});

test('all attempts together keep 24 libraries: the oldest attempts go', () => {
  expect(after([12, 12]).length).toBe(2);
  expect(after([12, 12, 1]).map(({ calls: kept }) => kept.length)).toEqual([12, 1]);
  expect(after([500, 500, 500, 500]).flatMap(({ calls: kept }) => kept).length).toBe(24);
  expect(JSON.stringify(after(Array.from({ length: 20 }, () => 1_000))).length).toBeLessThan(2_500);
});
