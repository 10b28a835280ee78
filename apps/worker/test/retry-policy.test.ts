import { describe, expect, test } from '@jest/globals';
import type { KohaErrorCode } from '@passport/koha-client';
import fc from 'fast-check';
import { LONGEST_WAIT_MS, WAIT_RULES, decideFailure, nextDelayMs } from '../src/provision/retry-policy.ts';
import { LibraryClosed } from '../src/koha/koha-failure.ts';
import { kohaError } from './builders.ts';

describe('the schedule of tries', () => {
  test.each([
    [1, 250, 500],
    [2, 500, 1_000],
    [3, 500, 1_000],
    [4, 1_000, 2_000],
    [5, 1_000, 2_000],
    [6, 2_000, 4_000],
    [7, 4_000, 8_000],
    [8, 8_000, 16_000],
    [10, 30_000, 60_000],
    [40, 30_000, 60_000],
  ])('after try %i the next comes within %i and %i ms', (attempt, soonest, latest) => {
    expect(nextDelayMs(attempt, null, 0)).toBe(soonest);
    expect(nextDelayMs(attempt, null, 1 - Number.EPSILON)).toBe(latest);
  });

  test('is never longer than a minute, never negative, whatever the attempt and the dice', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1_000_000 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (attempt, random) => {
          const delay = nextDelayMs(attempt, null, random);
          expect(delay).toBeGreaterThanOrEqual(250);
          expect(delay).toBeLessThanOrEqual(60_000);
        },
      ),
    );
  });

  test.each(['PAUSED', 'CONSENT', 'LIMIT_REACHED', 'CIRCUIT_OPEN', 'NO_ANSWER'] as const)(
    'no wait (%s) is so long that it is taken for a step of the clock',
    (reason) => {
      const wait = {
        library: 'midland',
        retryAfterMs: 3_600_000,
        attempt: 40,
        random: () => 1 - Number.EPSILON,
      };
      const delayMs = WAIT_RULES[reason].delayMs({ ...wait, freeSlotMs: () => 0 });
      expect(delayMs).toBeLessThan(LONGEST_WAIT_MS);
    },
  );

  test('only what a library did not do costs an attempt', () => {
    const costly = Object.entries(WAIT_RULES).flatMap(([reason, { isAttempt }]) =>
      isAttempt ? [reason] : [],
    );
    expect(costly.toSorted()).toEqual(['NO_ANSWER', 'RATE_LIMITED']);
  });

  test('jobs that failed together do not come back together', () => {
    const delays = [0, 0.25, 0.5, 0.75].map((random) => nextDelayMs(5, null, random));
    expect(new Set(delays).size).toBe(4);
  });

  test('obeys a library that requests a longer delay, and not one that requests a shorter one', () => {
    expect(nextDelayMs(1, 7_000, 0)).toBe(7_000);
    expect(nextDelayMs(7, 1_000, 1 - Number.EPSILON)).toBe(8_000);
  });

  test('waits no longer than its library is left alone, whatever delay it requests', () => {
    expect(nextDelayMs(1, 3_600_000, 0)).toBe(60_000);
    expect(nextDelayMs(40, 86_400_000, 1 - Number.EPSILON)).toBe(60_000);
  });
});

describe('a failure that may pass by itself', () => {
  test.each<[KohaErrorCode, string]>([
    ['timeout', 'NO_ANSWER'],
    ['unreachable', 'NO_ANSWER'],
    ['reset', 'NO_ANSWER'],
    ['http_5xx', 'NO_ANSWER'],
    ['maintenance', 'NO_ANSWER'],
    ['bad_answer', 'NO_ANSWER'],
    ['redirect', 'NO_ANSWER'],
    ['record_refused', 'NO_ANSWER'],
    ['rate_limited', 'RATE_LIMITED'],
    ['busy', 'BUSY'],
  ])('T-16 %s waits for the library as %s', (code, reason) => {
    expect(decideFailure(kohaError(code, { retryAfterMs: 4_000 }))).toEqual({
      kind: 'wait',
      library: 'midland',
      reason,
      retryAfterMs: 4_000,
    });
  });

  test('an open circuit waits for its library', () => {
    expect(decideFailure(new LibraryClosed('lakeside'))).toMatchObject({
      kind: 'wait',
      library: 'lakeside',
      reason: 'CIRCUIT_OPEN',
    });
  });

  test.each([408, 425])('so does status %i', (status) => {
    expect(decideFailure(kohaError('unexpected_status', { status }))).toMatchObject({ kind: 'wait' });
  });
});

describe('a failure that only a person can fix says which', () => {
  test.each<[string, Parameters<typeof kohaError>, { what: string; name: string | null }]>([
    ['credentials', ['credentials'], { what: 'credentials', name: null }],
    [
      'a permission',
      ['permission', { permission: 'borrowers: 1' }],
      { what: 'permission', name: 'borrowers: 1' },
    ],
    ['a branch', ['permission', { branch: 'NORTH' }], { what: 'branch', name: 'NORTH' }],
    ['a status', ['unexpected_status', { status: 404 }], { what: 'other', name: 'status 404' }],
  ])('%s', (_what, failure, problem) => {
    expect(decideFailure(kohaError(...failure))).toEqual({
      kind: 'misconfigured',
      problem: { library: 'midland', ...problem },
    });
  });
});

test('a call that we broke off hands the job back', () => {
  expect(decideFailure(kohaError('aborted'))).toEqual({ kind: 'requeue' });
});

test.each([new TypeError('x is not a function'), 'text', undefined])('anything else is a bug', (error) => {
  expect(decideFailure(error)).toEqual({ kind: 'bug' });
});
