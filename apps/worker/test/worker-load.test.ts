import { expect, test } from '@jest/globals';
import { buildWorkerLoad } from '../src/job/worker-load.ts';

test('a worker has free slots until three quarters of its slots are taken', () => {
  const load = buildWorkerLoad(8);
  const ends = Array.from({ length: 6 }, () => load.begin());
  expect(load.hasFreeSlots()).toBe(true);
  const last = load.begin();
  expect(load.hasFreeSlots()).toBe(false);
  last();
  expect(load.hasFreeSlots()).toBe(true);
  for (const end of ends) end();
  expect(load.hasFreeSlots()).toBe(true);
});
