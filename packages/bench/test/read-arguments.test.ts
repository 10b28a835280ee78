import { expect, test } from '@jest/globals';
import { readArguments } from '../src/read-arguments.ts';

const read = (...args: readonly string[]) => readArguments(args, ['S1', 'S4']);

test('measures everything unless scenarios are named, in any case', () => {
  expect(read()).toEqual({ names: [], isQuick: false, isWritten: false, against: undefined });
  expect(read('s4', '--quick')).toMatchObject({ names: ['S4'], isQuick: true });
});

test('writes the report of a full run only', () => {
  expect(read('--write-report')).toMatchObject({ isWritten: true });
  expect(read('--write-report', 'S1')).toBe('Only a full run writes the report.');
  expect(read('--write-report', '--quick')).toBe('Only a full run writes the report.');
});

test('compares with an earlier report, unless its own figures mean nothing', () => {
  expect(read('--against', 'before.txt', 'S1')).toMatchObject({ against: 'before.txt', names: ['S1'] });
  expect(read('--against', 'before.txt', '--quick')).toMatch('nothing to compare');
});

test('says what it does not understand', () => {
  expect(read('S99')).toBe('There is no S99; there are S1 S4.');
  expect(read('--slow')).toMatch(/--slow/);
});
