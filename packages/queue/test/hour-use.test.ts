import { describe, expect, test } from '@jest/globals';
import { OUTCOMES } from '@passport/contract';
import { hourUseOf } from '@passport/queue/ledger';

const homes = ['midland'];
const usedBy = (hasSentRecord: boolean, named: readonly string[]) =>
  Object.fromEntries(
    OUTCOMES.map((outcome) => [outcome, hourUseOf({ outcome, homes: named, hasSentRecord })]),
  );

describe('what an event uses of the hourly quota', () => {
  test('is a copy once a record was sent, whatever came of it', () => {
    expect(new Set(Object.values(usedBy(true, homes)))).toEqual(new Set(['copies']));
  });

  test('is a decision where it names a home without that, and nothing for a home that did not answer', () => {
    const { NOT_FOUND, NOT_A_CARD, HOME_UNREACHABLE, ...others } = usedBy(false, homes);
    expect({ NOT_FOUND, NOT_A_CARD, HOME_UNREACHABLE }).toEqual({
      NOT_FOUND: 'misses',
      NOT_A_CARD: 'none',
      HOME_UNREACHABLE: 'none',
    });
    expect(new Set(Object.values(others))).toEqual(new Set(['verdicts']));
  });

  test('is a decision where staff were asked about somebody, also where the event is cancelled or lapses', () => {
    const used = hourUseOf({ outcome: 'CANCELLED', homes: [], hasSentRecord: false, hasAsked: true });
    expect(used).toBe('verdicts');
  });

  test('is at most a miss where it names nobody', () => {
    const { NOT_FOUND, ...others } = usedBy(false, []);
    expect(NOT_FOUND).toBe('misses');
    expect(new Set(Object.values(others))).toEqual(new Set(['none']));
  });
});
