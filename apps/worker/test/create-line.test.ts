import { describe, expect, test } from '@jest/globals';
import { waitFor } from '@passport/testkit';
import { buildCreateLine } from '../src/provision/create-line.ts';
import { manualClock } from './builders.ts';

const never = new AbortController().signal;
/** Other jobs need every slot of the worker. */
const full = (): boolean => false;
/** So long that it may hang. */
const SLOW_MS = 1_001;

describe('the line of those who create at one lending library', () => {
  test('lets one go at a time, the oldest scan first', async () => {
    const line = buildCreateLine(5, full, manualClock().now);
    const order: string[] = [];
    const enter = async (name: string, sinceMs: number): Promise<void> => {
      if (await line.enter(sinceMs, never)) order.push(name);
    };
    await enter('first', 50);
    const others = [enter('young', 30), enter('old', 10), enter('middle', 20)];
    for (const length of [2, 3, 4]) {
      line.leave();
      await waitFor('the next one', () => order.length === length);
    }
    await Promise.all(others);
    expect(order).toEqual(['first', 'old', 'middle', 'young']);
  });

  test('drops the youngest at once when it is full and a create takes long', async () => {
    const clock = manualClock();
    const line = buildCreateLine(1, full, clock.now);
    await line.enter(0, never);
    clock.forward(SLOW_MS);
    const young = line.enter(30, never);
    const old = line.enter(10, never);

    expect(await young).toBe(false);
    expect(await line.enter(20, never)).toBe(false);
    line.leave();
    expect(await old).toBe(true);
  });

  test('lets all wait as long as nobody needs their slots, and says that it is full', async () => {
    let hasFreeSlots = true;
    const clock = manualClock();
    const line = buildCreateLine(1, () => hasFreeSlots, clock.now);
    await line.enter(0, never);
    clock.forward(SLOW_MS);
    const waiting = [line.enter(10, never), line.enter(20, never)];
    expect(line.isFull).toBe(false);

    hasFreeSlots = false;
    expect(line.isFull).toBe(true);
    expect(await line.enter(30, never)).toBe(false);
    line.leave();
    expect(await waiting[0]).toBe(true);
    line.leave();
    expect(await waiting[1]).toBe(true);
  });

  test('lets all wait where creates are quick, whoever needs their slots', async () => {
    const line = buildCreateLine(1, full, manualClock().now);
    await line.enter(0, never);
    const waiting = [1, 2, 3].map((sinceMs) => line.enter(sinceMs, never));
    expect(line.isFull).toBe(false);
    for (const next of waiting) {
      line.leave();
      expect(await next).toBe(true);
    }
  });

  test('takes creates for slow when most of the last five were', async () => {
    const clock = manualClock();
    const line = buildCreateLine(0, full, clock.now);
    const wasFull: boolean[] = [];
    for (const tookMs of [900, 20, 20, 900, 900, 900]) {
      await line.enter(0, never);
      clock.forward(tookMs);
      line.leave();
      wasFull.push(line.isFull);
    }
    expect(wasFull).toEqual([true, true, false, true, true, true]);
  });

  test('spreads those who come back over its next free moments, by how long one takes', async () => {
    const clock = manualClock();
    const line = buildCreateLine(1, full, clock.now);
    for (let step = 0; step < 50; step += 1) {
      await line.enter(step, never);
      clock.forward(200);
      line.leave();
    }
    const booked = [line.bookMs(), line.bookMs(), line.bookMs()];
    expect(booked[0]).toBeCloseTo(250, 0);
    expect(booked[1]).toBeCloseTo(450, 0);
    expect(booked[2]).toBeCloseTo(650, 0);
  });

  test('is left by a job that has to stop, and the next one goes on', async () => {
    const line = buildCreateLine(5, full, manualClock().now);
    const stop = new AbortController();
    await line.enter(0, never);
    const stopped = line.enter(1, stop.signal);
    const next = line.enter(2, never);
    stop.abort(new Error('stopped'));
    await expect(stopped).rejects.toThrow('stopped');

    line.leave();
    expect(await next).toBe(true);
  });
});
