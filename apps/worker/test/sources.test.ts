import { expect, test } from '@jest/globals';
import { rememberTask } from '../src/maintenance/remember-task.ts';
import { readTimings } from '../src/sources.ts';

test('a task runs as often as the timings say that it was given', () => {
  const idle = { isBusy: () => false, monotonicNow: () => 0 };
  const memory = { store: () => Promise.resolve(), waiting: () => Promise.resolve([]) };
  const everyMs = (text?: string): number =>
    rememberTask({
      consortium: { libraries: [] } as never,
      memory,
      ...idle,
      timings: readTimings(text),
    }).everyMs;
  expect([everyMs(), everyMs('{"rememberMs":1000}')]).toEqual([15_000, 1_000]);
});

test.each(['{"rememberms":1000}', '{"rememberMs":0}', '{"rememberMs":"1s"}'])('%s is refused', (text) => {
  expect(() => readTimings(text)).toThrow(/^PASSPORT_TEST_TIMINGS: remember\w+ is no timing$/i);
});
