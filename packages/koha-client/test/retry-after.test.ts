import { expect, test } from '@jest/globals';
import { parseRetryAfter } from '../src/errors/failure-of.ts';

const NOW = Date.parse('2026-11-25T09:00:00Z');
const DAY_MS = 86_400_000;

test.each<[string | undefined, number | null]>([
  ['0', 0],
  ['7', 7_000],
  [' 120 ', 120_000],
  ['999999999', DAY_MS],
  ['Wed, 25 Nov 2026 09:00:30 GMT', 30_000],
  ['Wednesday, 25-Nov-26 09:00:30 GMT', 30_000],
  ['Wed Nov 25 09:00:30 2026 GMT', 30_000],
  ['Wed, 25 Nov 2026 08:00:00 GMT', 0],
  ['Wed, 25 Nov 2099 08:00:00 GMT', DAY_MS],
  [undefined, null],
  ['', null],
  ['-1', null],
  ['1.5', null],
  ['1e9', null],
  ['soon', null],
  ['2026-11-25', null],
  ['Mon, 99 Foo 2026', null],
])('retry-after %j means %s ms', (header, expected) => {
  expect(parseRetryAfter(header, NOW)).toBe(expected);
});
