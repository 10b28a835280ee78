import { describe, expect, test } from '@jest/globals';
import type { LockOwner, PatronLocks } from '@passport/queue/locks';
import { LockLost } from '../src/job/job-lock.ts';
import { SLOT_WAIT_WHEN_FREE_MS, longestWriteMs } from '../src/koha/connect-libraries.ts';
import { type WithPatronLock, buildPatronLock } from '../src/provision/with-patron-lock.ts';
import { type ManualClock, aScan, manualClock, heldLock } from './builders.ts';

const KEY = 'midland:812';

interface Bench {
  /** The work begins with the lock taken. */
  readonly withPatronLock: WithPatronLock;
  /** The work takes it. */
  readonly withUntaken: WithPatronLock;
  readonly clock: ManualClock;
  readonly holders: Map<string, LockOwner>;
  fail(what: 'take' | 'release' | null): void;
}

function bench(): Bench {
  const clock = manualClock();
  const holders = new Map<string, LockOwner>();
  let failing: string | null = null;
  const patronLocks: PatronLocks = {
    take(name, owner) {
      if (failing === 'take') return Promise.reject(new Error('Connection is closed.'));
      if (holders.has(name)) return Promise.resolve(null);
      holders.set(name, owner);
      return Promise.resolve(patronLocks.taken(name, owner));
    },
    taken: (name) => () => {
      if (failing === 'release') return Promise.reject(new Error('Connection is closed.'));
      holders.delete(name);
      return Promise.resolve();
    },
  };
  let ids = 0;
  const withPatronLock = buildPatronLock({
    patronLocks,
    longestWriteMs: () => 6_000,
    newId: () => `run-${(ids += 1)}`,
    monotonicNow: clock.now,
    pause: (ms) => {
      clock.forward(ms);
      return Promise.resolve();
    },
  });
  return {
    withPatronLock: (scan, homeKey, lock, work) =>
      withPatronLock(scan, homeKey, lock, async (patronLock) => {
        await patronLock.take();
        return work(patronLock);
      }),
    withUntaken: withPatronLock,
    clock,
    holders,
    fail: (what) => (failing = what),
  };
}

describe('T-20 writing for one patron', () => {
  test('is done under the lock of the home key at this library, for this event', async () => {
    const { withPatronLock, holders } = bench();
    const during = await withPatronLock(aScan(), KEY, heldLock(), () => Promise.resolve(new Map(holders)));

    expect([...(during ?? [])]).toEqual([
      ['riverside:midland:812', { event: 'riverside.evt_1', run: 'run-1' }],
    ]);
    expect(holders.size).toBe(0);
  });

  test('waits two seconds for the lock, and then lets others use the worker', async () => {
    const { withPatronLock, holders, clock } = bench();
    holders.set('riverside:midland:812', { event: 'riverside.evt_2', run: 'x' });
    const work = () => Promise.reject(new Error('worked without the lock'));

    expect(await withPatronLock(aScan(), KEY, heldLock(), work)).toBeNull();
    expect(clock.now()).toBeGreaterThanOrEqual(2_000);
    expect(clock.now()).toBeLessThan(2_100);
  });

  test('releases the lock when the work fails', async () => {
    const { withPatronLock, holders } = bench();
    const work = () => Promise.reject(new Error('Koha'));

    await expect(withPatronLock(aScan(), KEY, heldLock(), work)).rejects.toThrow('Koha');
    expect(holders.size).toBe(0);
  });

  test('sends nothing that could outlive the lock', async () => {
    const { withPatronLock, clock } = bench();
    const sent: number[] = [];
    const work = (held: { assertHeld(): void }): Promise<string> => {
      while (clock.now() < 60_000) {
        held.assertHeld();
        sent.push(clock.now());
        clock.forward(1_000);
      }
      return Promise.resolve('never over');
    };

    expect(await withPatronLock(aScan(), KEY, heldLock(), work)).toBeNull();
    expect(Math.max(...sent) + 2 * 3_000).toBeLessThanOrEqual(26_000);
    expect(Math.max(...sent)).toBeGreaterThan(18_000);
  });

  test('sends nothing once the job’s own lock is lost', async () => {
    const { withPatronLock } = bench();
    const lock = heldLock();
    const work = (held: { assertHeld(): void }): Promise<void> => {
      lock.lose();
      return Promise.resolve().then(() => held.assertHeld());
    };
    await expect(withPatronLock(aScan(), KEY, lock, work)).rejects.toBeInstanceOf(LockLost);
  });

  test('does not wait for a lock that nobody needs any more', async () => {
    const { withPatronLock, holders } = bench();
    holders.set('riverside:midland:812', { event: 'riverside.evt_2', run: 'x' });
    const lock = heldLock();
    lock.lose();
    await expect(withPatronLock(aScan(), KEY, lock, () => Promise.resolve(1))).rejects.toBeInstanceOf(
      LockLost,
    );
  });

  test('keeps its result when the lock cannot be released: it expires by itself', async () => {
    const { withPatronLock, fail } = bench();
    fail('release');
    expect(await withPatronLock(aScan(), KEY, heldLock(), () => Promise.resolve('copied'))).toBe('copied');
  });

  test('is not begun while Redis cannot say who holds the lock', async () => {
    const { withPatronLock, fail } = bench();
    fail('take');
    await expect(withPatronLock(aScan(), KEY, heldLock(), () => Promise.resolve(1))).rejects.toThrow(
      'closed',
    );
  });
});

describe('T-20 a patron lock that is taken together with something else', () => {
  test('is held from then on, and released when the work is over', async () => {
    const { withUntaken, holders } = bench();
    const name = 'riverside:midland:812';
    const during = await withUntaken(aScan(), KEY, heldLock(), async (patronLock) => {
      expect(() => patronLock.assertHeld()).toThrow();
      const claimed = await patronLock.takeWith((wish) => {
        holders.set(wish.name, { event: 'riverside.evt_1', run: wish.run });
        return Promise.resolve('taken');
      });
      patronLock.assertHeld();
      await patronLock.take();
      return [claimed, ...holders.keys()];
    });

    expect(during).toEqual(['taken', name]);
    expect(holders.size).toBe(0);
  });

  for (const answer of ['place_busy', 'patron_busy'] as const) {
    test(`is not held, nor released, where the answer is ${answer}`, async () => {
      const { withUntaken, holders } = bench();
      const other = { event: 'riverside.evt_2', run: 'x' };
      holders.set('riverside:midland:812', other);
      const result = await withUntaken(aScan(), KEY, heldLock(), async (patronLock) => {
        const claimed = await patronLock.takeWith(() => Promise.resolve(answer));
        expect(() => patronLock.assertHeld()).toThrow();
        return claimed;
      });

      expect(result).toBe(answer);
      expect([...holders.values()]).toEqual([other]);
    });
  }

  test('that ran out, and is another event’s now, is waited for again', async () => {
    const { withPatronLock, holders } = bench();
    const result = await withPatronLock(aScan(), KEY, heldLock(), async (patronLock) => {
      holders.set('riverside:midland:812', { event: 'riverside.evt_2', run: 'x' });
      await patronLock.takeWith(() => Promise.resolve('patron_busy'));
      await patronLock.take();
      return 'written';
    });

    expect(result).toBeNull();
    expect(holders.size).toBe(1);
  });
});

test('the lock outlives a write of three calls that wait for a place as long as they may', () => {
  const timeoutMs = 3_000;
  expect(longestWriteMs(timeoutMs)).toBeGreaterThanOrEqual(3 * (SLOT_WAIT_WHEN_FREE_MS + timeoutMs));
});
