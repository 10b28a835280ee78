import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { LockLost, buildLockWatch } from '../src/job/job-lock.ts';
import { handClock } from './builders.ts';

const LOCK_MS = 5_000;
beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

function bench() {
  const clock = handClock(1_000);
  const watch = buildLockWatch(LOCK_MS, clock.now);
  /** Time passes, and timers fire. */
  const pass = (ms: number): void => {
    clock.forward(ms);
    jest.advanceTimersByTime(ms);
  };
  return { clock, watch, pass };
}

describe('a lock', () => {
  test('is held until a second before it can run out', () => {
    const { watch, pass } = bench();
    const lock = watch.taken('token', 1_000);
    pass(3_999);
    expect(() => lock.assertHeld()).not.toThrow();
    expect(lock.signal.aborted).toBe(false);
    pass(1);
    expect(lock.signal.reason).toBeInstanceOf(LockLost);
    expect(() => lock.assertHeld()).toThrow(LockLost);
  });

  test('counts from the sending of what took it, however late the answer came', () => {
    const { watch, pass } = bench();
    const lock = watch.taken('token', -2_000);
    pass(999);
    expect(lock.signal.aborted).toBe(false);
    pass(1);
    expect(lock.signal.aborted).toBe(true);
  });

  test('is not held at all when its answer came after its time', () => {
    const { watch } = bench();
    const lock = watch.taken('token', 1_000 - LOCK_MS);
    expect(() => lock.assertHeld()).toThrow(LockLost);
  });

  test('lives on with each renewal, counted from its sending', () => {
    const { watch, pass } = bench();
    const lock = watch.taken('token', 1_000);
    pass(2_500);
    watch.renewed('token', 3_400);
    pass(3_899);
    expect(lock.signal.aborted).toBe(false);
    pass(1);
    expect(lock.signal.aborted).toBe(true);
  });

  test('is lost while the event loop is blocked, before any timer can say so', () => {
    const { watch, clock } = bench();
    const lock = watch.taken('token', 1_000);
    clock.forward(6_000);
    expect(() => lock.assertHeld()).toThrow(LockLost);
  });

  test('once lost is not won back by a renewal that comes late', () => {
    const { watch, pass } = bench();
    const lock = watch.taken('token', 1_000);
    pass(4_000);
    watch.renewed('token', 5_000);
    expect(() => lock.assertHeld()).toThrow(LockLost);
  });

  test('of a job is apart from that of its twin in the same process', () => {
    const { watch, pass } = bench();
    const first = watch.taken('token-1', 1_000);
    pass(3_000);
    const twin = watch.taken('token-2', 4_000);
    watch.renewed('token-2', 4_000);
    pass(1_000);
    expect(first.signal.aborted).toBe(true);
    expect(twin.signal.aborted).toBe(false);
  });

  test('that is forgotten aborts nothing any more', () => {
    const { watch, pass } = bench();
    const lock = watch.taken('token', 1_000);
    watch.forget('token');
    pass(60_000);
    expect(lock.signal.aborted).toBe(false);
    expect(jest.getTimerCount()).toBe(0);
  });
});
