import { expect, test } from '@jest/globals';
import { surnamesAtRiverside, testStrangers } from './hostile-koha/test-strangers.ts';

testStrangers('home');

test('names that write backwards are copied without what reverses them', () => {
  const copies = surnamesAtRiverside();
  expect(copies).toContain('Qvistgaard');
  expect(copies.filter((name) => /[\u200b\u202e\u2066]/.test(name))).toEqual([]);
});
