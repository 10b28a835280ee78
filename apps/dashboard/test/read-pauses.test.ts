import { expect, test } from '@jest/globals';
import type { Pause } from '@passport/queue/processes';
import { pausesOf } from '../src/overview/read-pauses.ts';

const NOW = Date.parse('2026-11-25T12:00:00Z');
const planned = (untilMs: number, side: 'home' | null) => ({
  when: { kind: 'once' as const, fromMs: NOW - 1, untilMs },
  side,
  reason: 'planned',
});
const ordered = (library: string, untilMs: number): Pause => ({
  library,
  side: 'home',
  until_ms: untilMs,
  reason: 'said',
  by: 'olga',
  at_ms: NOW,
});
const shown = (...args: Parameters<typeof pausesOf>): string[] =>
  pausesOf(...args).map(({ side, until_ms: untilMs, reason }) => `${side} ${untilMs - NOW} ${reason}`);

test('a planned window is shown as a pause is, on each of its sides', () => {
  const library = { id: 'midland', windows: [planned(NOW + 20, null)] };
  expect(shown(library, [], NOW)).toEqual(['home 20 planned', 'lending 20 planned']);
  expect(shown(library, [], NOW + 20)).toEqual([]);
});

test('of a pause and a window the longer one is shown, and nothing of other libraries', () => {
  const library = { id: 'midland', windows: [planned(NOW + 20, 'home')] };
  expect(shown(library, [ordered('midland', NOW + 30)], NOW)).toEqual(['home 30 said']);
  expect(shown(library, [ordered('midland', NOW + 10)], NOW)).toEqual(['home 20 planned']);
  expect(shown({ id: 'riverside' }, [ordered('midland', NOW + 30)], NOW)).toEqual([]);
});
