import { describe, expect, test } from '@jest/globals';
import {
  durationText,
  localParts,
  localTime,
  relativeTime,
  timeText,
  withLocalTime,
} from '../src/shown-time.ts';

const WINTER = Date.parse('2026-11-29T13:32:07.500Z');
const SUMMER = Date.parse('2026-07-01T23:30:00Z');

describe('a time that is shown', () => {
  test.each([
    ['UTC', WINTER, '2026-11-29 13:32:07 UTC'],
    ['Europe/Berlin', WINTER, '2026-11-29 14:32:07 CET'],
    ['Europe/Berlin', SUMMER, '2026-07-02 01:30:00 CEST'],
    ['America/New_York', SUMMER, '2026-07-01 19:30:00 GMT-4'],
  ])('is that of the clock on the wall in %s, and names its zone', (zone, ms, expected) => {
    expect(Object.values(localParts(ms, zone)).join(' ')).toBe(expected);
  });

  test.each([
    [0, 'just now'],
    [-999, 'just now'],
    [-1_000, '1 second ago'],
    [-185_000, '3 minutes ago'],
    [20_000, 'in 20 seconds'],
    [-90 * 3_600_000, '3 days ago'],
  ])('%d ms from now is %s', (ms, expected) => {
    expect(relativeTime(WINTER + ms, WINTER)).toBe(expected);
    expect(timeText(WINTER + ms, WINTER)).toMatch(/^20\d\d-\d\d-\d\d \d\d:\d\d:\d\d \S+, /);
  });

  test('replaces what programs write as a time, and nothing that only looks like one', () => {
    expect(withLocalTime('2026-11-29T13:32:07.500Z')).toBe(localTime(WINTER));
    for (const text of ['2026-13-45T00:00Z', '2026-11-29T::Z', 'until 2026-11-29T13:32:07Z', '2026-11-29'])
      expect(withLocalTime(text)).toBe(text);
  });

  test.each([
    [400, '0.4 s'],
    [12_000, '12 s'],
    [185_000, '3 min'],
    [3 * 3_600_000, '3 h'],
    [50 * 3_600_000, '2 d'],
  ])('a length of %d ms is %s', (ms, expected) => {
    expect(durationText(ms)).toBe(expected);
  });
});
