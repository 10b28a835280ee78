import { expect, test } from '@jest/globals';
import { buildSlotClock } from '../src/koha/slot-clock.ts';
import { manualClock } from './builders.ts';

function bench(cap = 8) {
  const clock = manualClock();
  return { clock, slots: buildSlotClock(() => cap, clock.now) };
}

test('jobs that find a library at its cap are spread over its next free places', () => {
  const { slots } = bench(4);
  slots.answered('midland', 100);
  const booked = Array.from({ length: 4_000 }, () => slots.bookMs('midland'));

  expect(booked.slice(0, 3)).toEqual([75, 100, 125]);
  expect(new Set(booked.slice(0, 1_000)).size).toBe(1_000);
});

test('nobody is sent away for longer than half a minute', () => {
  const { slots } = bench(1);
  slots.answered('midland', 3_000);
  const booked = Array.from({ length: 100 }, () => slots.bookMs('midland'));

  expect(Math.max(...booked)).toBe(30_000);
});

test('places that were not used are free again', () => {
  const { slots, clock } = bench(1);
  slots.answered('midland', 1_000);
  for (let n = 0; n < 10; n += 1) slots.bookMs('midland');
  clock.forward(60_000);

  expect(slots.bookMs('midland')).toBe(1_050);
});

test('it learns how long the library takes, and keeps libraries apart', () => {
  const { slots } = bench(1);
  expect(slots.answerMs('midland')).toBeNull();
  slots.answered('midland', 100);
  for (let n = 0; n < 100; n += 1) slots.answered('midland', 500);

  expect(slots.answerMs('midland')).toBeCloseTo(500, 0);
  expect(slots.answerMs('lakeside')).toBeNull();
  expect(slots.bookMs('lakeside')).toBe(250);
});
