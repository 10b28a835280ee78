import { describe, expect, test } from '@jest/globals';
import { effectiveConfig, nextWindows, pausesAt, windowAt, type PlannedWindow } from '../src/index.ts';
import { at, parse, validFile } from './valid-file.ts';

/** The windows of a library whose entry says so. */
function windowsOf(...windows: readonly object[]): readonly PlannedWindow[] {
  const file = validFile();
  at(file, 'libraries', 1)['windows'] = windows;
  return parse(file).libraries[1]?.windows ?? [];
}

const reason = 'backup';
/** Times of day are the process's own, so the days of a test are made in the same way. 2026-11-29 is a Sunday. */
const localMs = (day: number, hour: number, minute = 0): number =>
  new Date(2026, 10, day, hour, minute).getTime();
const HOUR_MS = 3_600_000;

test('windows are read from the file, and printed as they hold', () => {
  const file = validFile();
  at(file, 'libraries', 1)['windows'] = [
    { at: '02:05', for: '90m', days: ['sun', 'wed'], as: 'home', reason },
    { from: '2026-12-24T18:00:00+01:00', until: '2026-12-27T06:00:00+01:00', reason },
  ];
  const consortium = parse(file);
  expect(consortium.libraries.map(({ windows }) => windows)).toEqual([
    [],
    [
      {
        when: { kind: 'weekly', hour: 2, minute: 5, lengthMs: 5_400_000, days: [0, 3] },
        side: 'home',
        reason,
      },
      {
        when: {
          kind: 'once',
          fromMs: Date.parse('2026-12-24T17:00:00Z'),
          untilMs: Date.parse('2026-12-27T05:00:00Z'),
        },
        side: null,
        reason,
      },
    ],
    [],
  ]);
  expect(effectiveConfig(consortium)['libraries']).toMatchObject([
    { windows: [] },
    {
      windows: [
        { at: '02:05', for: '90m', days: ['sun', 'wed'], as: 'home', reason },
        { from: '2026-12-24T17:00:00.000Z', until: '2026-12-27T05:00:00.000Z', reason },
      ],
    },
    { windows: [] },
  ]);
});

describe('a window of every week', () => {
  const windows = windowsOf({ at: '22:30', for: '4h', days: ['sun'], as: 'home', reason });

  test.each([
    ['before it begins', localMs(29, 22, 29), false],
    ['as it begins', localMs(29, 22, 30), true],
    ['after midnight', localMs(30, 1), true],
    ['in its last minute', localMs(30, 2, 29), true],
    ['at its end', localMs(30, 2, 30), false],
    ['on another day', localMs(30, 23), false],
    ['in the night before', localMs(29, 1), false],
    ['a week later', localMs(36, 23), true],
  ])('%s', (_when, nowMs, isOpen) => {
    expect(windowAt(windows, 'home', nowMs) !== null).toBe(isOpen);
  });

  test('says when it began and when it ends, and is for one side', () => {
    const span = { fromMs: localMs(29, 22, 30), untilMs: localMs(29, 22, 30) + 4 * HOUR_MS };
    expect(windowAt(windows, 'home', localMs(30, 1))).toEqual({ ...span, reason });
    expect(windowAt(windows, 'lending', localMs(30, 1))).toBeNull();
  });
});

test('without days it is one of every day, without a side one of both', () => {
  const windows = windowsOf({ at: '00:00', for: '24h', reason });
  for (const side of ['home', 'lending'] as const)
    for (const day of [23, 24, 25, 26, 27, 28, 29])
      expect(windowAt(windows, side, localMs(day, 12))).toMatchObject({ fromMs: localMs(day, 0) });
});

test('a window that is planned once lasts from its beginning until its end', () => {
  const from = '2026-12-24T18:00:00+01:00';
  const windows = windowsOf({ from, until: '2026-12-24T20:00:00+01:00', reason });
  const open = [-1, 0, 2 * HOUR_MS - 1, 2 * HOUR_MS].map(
    (afterMs) => windowAt(windows, 'lending', Date.parse(from) + afterMs) !== null,
  );
  expect(open).toEqual([false, true, true, false]);
});

test('of two windows the one that lasts longer counts, whatever their order', () => {
  const short = { at: '10:00', for: '1h', reason: 'short' };
  const long = { at: '09:00', for: '4h', reason: 'long' };
  for (const windows of [windowsOf(short, long), windowsOf(long, short)])
    expect(windowAt(windows, 'home', localMs(25, 10, 30))).toMatchObject({ reason: 'long' });
});

describe('what a library learns of its pauses', () => {
  const windows = windowsOf(
    { at: '22:30', for: '4h', days: ['sun'], as: 'home', reason },
    { from: '2026-12-01T18:00:00Z', until: '2026-12-01T20:00:00Z', reason: 'update' },
    { from: '2026-12-24T18:00:00Z', until: '2026-12-24T20:00:00Z', reason: 'far away' },
  );
  const once = Date.parse('2026-12-01T18:00:00Z');

  test('the next time of each window within a week, the earliest first, for each of its sides', () => {
    expect(nextWindows(windows, localMs(28, 12))).toEqual([
      { side: 'home', from_ms: localMs(29, 22, 30), until_ms: localMs(30, 2, 30), reason },
      ...(['home', 'lending'] as const).map((side) => ({
        side,
        from_ms: once,
        until_ms: once + 2 * HOUR_MS,
        reason: 'update',
      })),
    ]);
  });

  test('one that lasts is not the next one: that is in a week', () => {
    const next = nextWindows(windows, localMs(29, 23));
    expect(next.map(({ from_ms: fromMs }) => fromMs)).toEqual([once, once, localMs(36, 22, 30)]);
    const daily = windowsOf({ at: '22:30', for: '4h', days: ['sun'], reason });
    expect(nextWindows(daily, localMs(29, 22, 30)).map(({ from_ms: fromMs }) => fromMs)).toEqual(
      Array.from({ length: 2 }, () => localMs(36, 22, 30)),
    );
  });

  test('what was said and what is planned are one pause, until the later end', () => {
    const ordered = (untilMs: number) => [{ side: 'home' as const, until_ms: untilMs, reason: 'said' }];
    const now = localMs(29, 23);
    expect(pausesAt(windows, ordered(localMs(30, 1)), now)).toMatchObject([{ side: 'home', reason }]);
    expect(pausesAt(windows, ordered(localMs(30, 3)), now)).toMatchObject([{ reason: 'said' }]);
    expect(pausesAt([], ordered(now), now)).toEqual([]);
  });
});
