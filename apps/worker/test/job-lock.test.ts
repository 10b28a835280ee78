import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { LockLost, keepJobLock } from '../src/job/job-lock.ts';
import { manualClock } from './builders.ts';

const LOCK_MS = 5_000;
beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

/** A Redis that answers each renewal when the test says so. */
function bench(takenAt = 1_000) {
  const clock = manualClock(1_000);
  const renewals: {
    readonly sentAt: number;
    answer(isOurs: boolean): Promise<void>;
    fail(error: Error): Promise<void>;
  }[] = [];
  const settle = (act: () => void): Promise<void> => {
    act();
    return jest.advanceTimersByTimeAsync(0);
  };
  const errors: unknown[] = [];
  const lock = keepJobLock({
    durationMs: LOCK_MS,
    takenAt,
    monotonicNow: clock.now,
    renew: () =>
      new Promise((resolve, reject) => {
        renewals.push({
          sentAt: clock.now(),
          answer: (isOurs) => settle(() => resolve(isOurs)),
          fail: (error) => settle(() => reject(error)),
        });
      }),
    onError: (error) => errors.push(error),
  });
  /** Time passes, and timers fire. */
  const pass = async (ms: number): Promise<void> => {
    clock.forward(ms);
    await jest.advanceTimersByTimeAsync(ms);
  };
  return { clock, lock, renewals, errors, pass };
}

describe('a lock', () => {
  test('is held until a second before it can expire', async () => {
    const { lock, pass } = bench();
    await pass(3_999);
    expect(() => lock.assertHeld()).not.toThrow();
    expect(lock.signal.aborted).toBe(false);
    await pass(1);
    expect(lock.signal.reason).toBeInstanceOf(LockLost);
    expect(() => lock.assertHeld()).toThrow(LockLost);
  });

  test('counts from the sending of what took it, however late the answer came', async () => {
    const { lock, pass } = bench(-2_000);
    await pass(999);
    expect(lock.signal.aborted).toBe(false);
    await pass(1);
    expect(lock.signal.aborted).toBe(true);
  });

  test('is not held at all when its answer came after its time', () => {
    const { lock } = bench(1_000 - LOCK_MS);
    expect(() => lock.assertHeld()).toThrow(LockLost);
  });

  test('is renewed four times in its duration, and counts from the sending of each renewal', async () => {
    const { lock, renewals, pass } = bench();
    await pass(1_250);
    await pass(900);
    expect(renewals.map(({ sentAt }) => sentAt)).toEqual([2_250]);
    await renewals[0]?.answer(true);
    await pass(1_250);
    expect(renewals.map(({ sentAt }) => sentAt)).toEqual([2_250, 4_400]);
    await pass(1_849);
    expect(lock.signal.aborted).toBe(false);
    await pass(1);
    expect(lock.signal.aborted).toBe(true);
  });

  test('is lost while the event loop is blocked, before any timer can say so', () => {
    const { lock, clock } = bench();
    clock.forward(6_000);
    expect(() => lock.assertHeld()).toThrow(LockLost);
  });

  test('is not trusted longer for a renewal that was refused, or that failed', async () => {
    const { lock, renewals, errors, pass } = bench();
    await pass(1_250);
    await renewals[0]?.answer(false);
    await pass(1_250);
    await renewals[1]?.fail(new Error('OOM'));
    await pass(1_250);
    expect(renewals).toHaveLength(3);
    expect(errors).toEqual([new Error('OOM')]);
    await pass(250);
    expect(lock.signal.aborted).toBe(true);
  });

  test('once lost is not won back by a renewal that is answered late', async () => {
    const { lock, renewals, pass } = bench();
    await pass(1_250);
    await pass(2_750);
    await renewals[0]?.answer(true);
    expect(() => lock.assertHeld()).toThrow(LockLost);
    await pass(60_000);
    expect(renewals).toHaveLength(1);
  });

  test('that is released aborts and renews nothing any more', async () => {
    const { lock, renewals, pass } = bench();
    lock.release();
    await pass(60_000);
    expect(lock.signal.aborted).toBe(false);
    expect(renewals).toHaveLength(0);
    expect(jest.getTimerCount()).toBe(0);
  });

  test('that is released while a renewal is on its way stays silent when it is answered', async () => {
    const { lock, renewals, pass } = bench();
    await pass(1_250);
    lock.release();
    await renewals[0]?.answer(true);
    await pass(60_000);
    expect(lock.signal.aborted).toBe(false);
    expect(jest.getTimerCount()).toBe(0);
  });
});
