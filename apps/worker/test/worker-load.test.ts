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

test('six jobs at once are company', () => {
  const load = buildWorkerLoad(50);
  const over = Array.from({ length: 5 }, () => load.begin());
  expect(load.hasCompany()).toBe(false);
  over.push(load.begin());
  expect(load.hasCompany()).toBe(true);
  over.forEach((end) => end());
  expect(load.hasCompany()).toBe(false);
});
