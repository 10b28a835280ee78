import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { CreatePlaces, PlaceOwner } from '@passport/queue';
import { leakGuard } from '@passport/testkit';
import { buildInPlace } from '../src/provision/create-place.ts';
import { aScan, handClock, heldLock } from './builders.ts';
import { openWorkflow, waitOf } from './workflow-bench.ts';

const own = leakGuard({ beforeEach, afterEach });

/** Places of which each library's can be given to somebody else. */
function bench() {
  const clock = handClock();
  const held = new Map<string, PlaceOwner>();
  const left: string[] = [];
  const places: CreatePlaces = {
    take(library, holder) {
      if (held.has(library)) return Promise.resolve(null);
      held.set(library, holder);
      return Promise.resolve({
        keep: () => Promise.resolve(true),
        release: () => Promise.resolve(void held.delete(library)),
      });
    },
    leave: (library) => Promise.resolve(void left.push(library)),
  };
  let ids = 0;
  const inPlace = buildInPlace({
    places,
    mostWaiting: 1,
    newId: () => `run-${(ids += 1)}`,
    monotonicNow: clock.now,
    pause: (ms) => Promise.resolve(clock.forward(ms)),
  });
  return { inPlace, held, left };
}

const other = { event: 'riverside.evt_9', run: 'x', sinceMs: 0 };

describe('the place at which copies are created', () => {
  test('is held during the work, and given back when it fails', async () => {
    const { inPlace, held } = bench();
    const during = await inPlace(aScan(), heldLock().signal, () => Promise.resolve([...held.keys()]));
    expect(during).toEqual({ kind: 'done', value: ['riverside'] });

    const failing = inPlace(aScan(), heldLock().signal, () => Promise.reject(new Error('Koha')));
    await expect(failing).rejects.toThrow('Koha');
    expect(held.size).toBe(0);
  });

  test('that does not come free is given up in time, the work not begun', async () => {
    const { inPlace, held } = bench();
    held.set('riverside', other);
    const work = () => Promise.reject(new Error('worked without the place'));

    expect(await inPlace(aScan(), heldLock().signal, work)).toEqual({
      kind: 'busy',
      freeInMs: expect.any(Number),
    });
  });

  test('of one library keeps nobody from another’s', async () => {
    const { inPlace, held } = bench();
    held.set('riverside', other);
    const elsewhere = inPlace(aScan({ lending: 'lakeside' }), heldLock().signal, () =>
      Promise.resolve('made'),
    );
    expect(await elsewhere).toEqual({ kind: 'done', value: 'made' });
  });

  test('is no more waited for by a job that has to stop', async () => {
    const { inPlace, held, left } = bench();
    held.set('riverside', other);
    const lock = heldLock();
    const waiting = inPlace(aScan(), lock.signal, () => Promise.resolve(1));
    lock.stop();
    await expect(waiting).rejects.toThrow();
    expect(left).toEqual(['riverside']);
  });

  test('not had: the job comes back, with no attempt, nothing noted as sent and nothing sent', async () => {
    const story = own(await openWorkflow());
    const saved: unknown[] = [];
    const save = (job: unknown): Promise<void> => Promise.resolve(void saved.push(job));
    const decision = waitOf(
      await story.run(
        { item: null, save },
        { inPlace: () => Promise.resolve({ kind: 'busy', freeInMs: 700 }) },
      ),
    );

    expect(decision.job).toMatchObject({
      sent: null,
      progress: { attempt: 0, waiting_for: { library: 'riverside', reason: 'BUSY' } },
    });
    expect(decision.untilMs - Date.now()).toBeGreaterThan(500);
    expect(saved).toEqual([]);
    expect(story.calls()).toEqual(['midland GET /patrons']);
    expect(story.audited).toEqual(['looked up']);
  });
});
