import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { CreatePlaces, PlaceOwner } from '@passport/queue';
import { leakGuard } from '@passport/testkit';
import { buildCreateAccess } from '../src/provision/create-place.ts';
import { aScan, manualClock, heldLock } from './builders.ts';
import { openWorkflow, waitOf } from './workflow-bench.ts';

const own = leakGuard({ beforeEach, afterEach });

/** Places of which each library's can be given to somebody else. */
function bench() {
  const clock = manualClock();
  const held = new Map<string, PlaceOwner>();
  const left: string[] = [];
  const places: CreatePlaces = {
    take(library, owner) {
      if (held.has(library)) return Promise.resolve(null);
      held.set(library, owner);
      return Promise.resolve({
        keep: () => Promise.resolve(true),
        release: () => Promise.resolve(void held.delete(library)),
      });
    },
    leave: (library) => Promise.resolve(void left.push(library)),
  };
  let ids = 0;
  const { within, freeInMs } = buildCreateAccess({
    places,
    mostWaiting: 1,
    hasFreeSlots: () => false,
    newId: () => `run-${(ids += 1)}`,
    monotonicNow: clock.now,
    pause: (ms) => Promise.resolve(clock.forward(ms)),
  });
  return { within, freeInMs, held, left, clock };
}

const other = { event: 'riverside.evt_9', run: 'x', sinceMs: 0 };

describe('the place at which copies are created', () => {
  test('is held during the work, and given back when it fails', async () => {
    const { within, held } = bench();
    const during = await within(aScan(), heldLock().signal, () => Promise.resolve([...held.keys()]));
    expect(during).toEqual({ kind: 'done', value: ['riverside'] });

    const failing = within(aScan(), heldLock().signal, () => Promise.reject(new Error('Koha')));
    await expect(failing).rejects.toThrow('Koha');
    expect(held.size).toBe(0);
  });

  test('that does not come free is given up in time, the work not begun', async () => {
    const { within, held } = bench();
    held.set('riverside', other);
    const work = () => Promise.reject(new Error('worked without the place'));

    expect(await within(aScan(), heldLock().signal, work)).toEqual({
      kind: 'busy',
      freeInMs: expect.any(Number),
    });
  });

  test('of one library keeps nobody from another’s', async () => {
    const { within, held } = bench();
    held.set('riverside', other);
    const elsewhere = within(aScan({ lending: 'lakeside' }), heldLock().signal, () =>
      Promise.resolve('made'),
    );
    expect(await elsewhere).toEqual({ kind: 'done', value: 'made' });
  });

  test('is no more waited for by a job that has to stop', async () => {
    const { within, held, left } = bench();
    held.set('riverside', other);
    const lock = heldLock();
    const waiting = within(aScan(), lock.signal, () => Promise.resolve(1));
    lock.stop();
    await expect(waiting).rejects.toThrow();
    expect(left).toEqual(['riverside']);
  });

  test('not had: the job comes back, with no attempt, nothing noted as sent and nothing sent', async () => {
    const workflow = own(await openWorkflow());
    const saved: unknown[] = [];
    const save = (job: unknown): Promise<void> => Promise.resolve(void saved.push(job));
    const decision = waitOf(
      await workflow.run(
        { item: null, save },
        {
          createAccess: {
            freeInMs: () => null,
            within: () => Promise.resolve({ kind: 'busy', freeInMs: 700 }),
          },
        },
      ),
    );

    expect(decision.job).toMatchObject({
      sent: null,
      progress: { attempt: 0, waiting_for: { library: 'riverside', reason: 'BUSY' } },
    });
    expect(decision.untilMs - Date.now()).toBeGreaterThan(500);
    expect(saved).toEqual([]);
    expect(workflow.calls()).toEqual(['midland GET /patrons']);
    expect(workflow.audited).toEqual(['looked up']);
  });

  test('with a full line: the job comes back later, and nobody was asked anything', async () => {
    const workflow = own(await openWorkflow());
    const within = () => Promise.reject(new Error('went to the place'));
    const decision = waitOf(
      await workflow.run({ item: null }, { createAccess: { freeInMs: () => 900, within } }),
    );

    expect(decision.job).toMatchObject({
      sent: null,
      progress: { attempt: 0, waiting_for: { library: 'riverside', reason: 'BUSY' } },
    });
    expect(decision.untilMs - Date.now()).toBeGreaterThan(700);
    expect(workflow.calls()).toEqual([]);
    expect(workflow.audited).toEqual([]);
  });

  test('whose line is full says when to come back', async () => {
    const { within, freeInMs, held, clock } = bench();
    held.set('riverside', other);
    const lock = heldLock();
    const first = within(aScan(), lock.signal, () => Promise.resolve(1));
    expect(freeInMs('riverside')).toBeNull();
    const second = within(aScan(), lock.signal, () => Promise.resolve(2));
    clock.forward(1_001); // a create that takes long
    expect(freeInMs('riverside')).toBeGreaterThan(0);
    expect(freeInMs('lakeside')).toBeNull();
    lock.stop();
    await Promise.allSettled([first, second]);
  });
});
