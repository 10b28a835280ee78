import { describe, expect, test } from '@jest/globals';
import { buildLibraries } from '../src/koha/libraries.ts';
import { decidePromotion, promoteRound } from '../src/maintenance/tasks.ts';
import { manualClock, kohaError, noClient } from './builders.ts';

const closed = { isOpen: false, isDue: false };
const open = { isOpen: true, isDue: false };
const due = { isOpen: true, isDue: true };

describe('how many of the jobs that wait for a library are promoted', () => {
  test.each<[string, typeof closed, number | null, string]>([
    ['nobody while its circuit is open', open, 10, 'none'],
    ['one to see whether it is back, when it may be tried', due, null, 'one'],
    ['all when it answered just now', closed, 3_000, 'all'],
    ['one when it answered some time ago', closed, 3_001, 'one'],
    ['one when this worker never spoke to it', closed, null, 'one'],
  ])('%s', (_what, circuit, sinceSuccessMs, expected) => {
    expect(decidePromotion(circuit, sinceSuccessMs)).toBe(expected);
  });
});

test('a round promotes for each library as its own circuit says', async () => {
  const clock = manualClock();
  const watch = {
    circuitChanged: () => undefined,
    answered: () => undefined,
    failed: () => undefined,
    reported: () => undefined,
  };
  const clients = new Map(['back', 'lost', 'unknown'].map((id) => [id, noClient]));
  const libraries = buildLibraries(clients, { monotonicNow: clock.now, random: () => 0.5 }, watch);
  await libraries.call('back', () => Promise.resolve());
  for (let n = 0; n < 5; n += 1) {
    await libraries.call('lost', () => Promise.reject(kohaError('timeout'))).catch(() => undefined);
  }
  const promoted: [string, number][] = [];

  await promoteRound({
    circuitOf: (library) => libraries.circuit(library),
    delayedFor: () => Promise.resolve(['back', 'lost', 'unknown']),
    promote: (library, most) => {
      promoted.push([library, most]);
      return Promise.resolve(1);
    },
  });

  expect(promoted).toEqual([
    ['back', Infinity],
    ['unknown', 1],
  ]);
});
