import { describe, expect, test } from '@jest/globals';
import { differenceRow, ratioRow, recordRow, valueRow, type Round } from '../src/row.ts';
import { brokenRows } from '../src/scenario.ts';

const rounds: readonly Round[] = [
  { ours: 10, against: 8 },
  { ours: 12, against: 8 },
  { ours: 30, against: 10 },
];
const measure = { what: 'a scan', unit: 'ms', rounds };

describe('a row of the report', () => {
  test('compares each round with what was measured beside it, and shows the least and the most', () => {
    expect(ratioRow(measure, { atMost: 1.5 })).toMatchObject({
      ours: 12,
      against: 8,
      ratio: 1.5,
      spread: [1.25, 3],
      target: '≤ 1.5 ×',
      met: true,
    });
  });

  test('is not met above a limit, and not below one', () => {
    expect(differenceRow(measure, { atMost: 3 }).met).toBe(false);
    expect(ratioRow(measure, { atLeast: 1.6 }).met).toBe(false);
  });

  test('takes the figures of all rounds together where they are given', () => {
    const row = differenceRow({ ...measure, all: { ours: 29, against: 9 } }, { atMost: 15 });
    expect(row).toMatchObject({ ours: 29, against: 9, ratio: 20, spread: [2, 20], met: false });
  });

  test('can be held to a value of its own', () => {
    const row = valueRow(measure, { atMost: 12 });
    expect(row).toMatchObject({ ours: 12, spread: [10, 30], target: '≤ 12 ms in all', met: true });
  });

  test('promises nothing where there is no target', () => {
    expect(recordRow(measure)).toMatchObject({ target: 'for the record', met: null });
  });

  test('counts as broken when nothing was measured', () => {
    const empty = ratioRow({ ...measure, rounds: [{ ours: Number.NaN, against: 1 }] }, { atMost: 1 });
    expect(brokenRows([ratioRow(measure, { atMost: 1 }), empty])).toEqual([empty]);
  });
});
