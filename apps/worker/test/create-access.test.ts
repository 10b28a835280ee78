import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { CreatePlaces, PlaceOwner } from '@passport/queue/locks';
import { leakGuard } from '@passport/testkit';
import type { TakenJob } from '../src/job/taken-job.ts';
import { type TakeWithPlace, buildCreateAccess } from '../src/provision/create-access.ts';
import { aScan, manualClock, heldLock } from './builders.ts';
import type { WithPatronLock } from '../src/provision/with-patron-lock.ts';
import { endOfRun, openWorkflow, waitOf } from './workflow-bench.ts';

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
      return Promise.resolve(places.taken(library, owner, 0));
    },
    taken: (library) => ({
      keep: () => Promise.resolve(true),
      release: () => Promise.resolve(void held.delete(library)),
    }),
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

const MADE = {
  outcome: 'COPIED' as const,
  reasons: [],
  home: 'midland',
  home_key: 'midland:2',
  patron_id: 7,
  disclosed: ['surname'],
};

const other = { event: 'riverside.evt_9', run: 'x', sinceMs: 0 };

describe('the place at which copies are created', () => {
  test('is held during the work, and released when it fails', async () => {
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

  test('is taken by what takes more than it, tried again until the place is free', async () => {
    const { within, held } = bench();
    const answers = ['place_busy', 'place_busy', 'taken'] as const;
    let tries = 0;
    const take: TakeWithPlace = ({ library, owner }) => {
      const answer = answers[tries++] ?? 'place_busy';
      if (answer === 'taken') held.set(library, owner);
      return Promise.resolve(answer);
    };
    const done = await within(aScan(), heldLock().signal, () => Promise.resolve([...held.keys()]), take);

    expect(done).toEqual({ kind: 'done', value: ['riverside'] });
    expect(tries).toBe(3);
    expect(held.size).toBe(0);
  });

  test('is left to others at once while another event writes for the patron', async () => {
    const { within, clock } = bench();
    const work = () => Promise.reject(new Error('worked without the patron lock'));
    const busy = await within(aScan(), heldLock().signal, work, () => Promise.resolve('patron_busy'));

    expect(busy).toEqual({ kind: 'patron_busy' });
    expect(clock.now()).toBe(0);
    expect(await within(aScan(), heldLock().signal, () => Promise.resolve('next'))).toEqual({
      kind: 'done',
      value: 'next',
    });
  });

  test('is tried for again once the patron lock is had', async () => {
    const workflow = own(await openWorkflow());
    const saved: unknown[] = [];
    const save: TakenJob['save'] = (job) => {
      if (saved.push(job) === 1) return Promise.resolve('patron_busy');
      return Promise.resolve('taken');
    };
    const waited: string[] = [];
    const decision = await workflow.run(
      { item: null, save },
      {
        withPatronLock: (_scan, _homeKey, lock, work) =>
          work({
            ...lock,
            take: () => Promise.resolve(void waited.push('patron lock')),
            takeWith: (claim) => claim({ name: '', run: '', lifeMs: 0 }),
          }),
        createAccess: {
          freeInMs: () => null,
          async within(_scan, _signal, work, take) {
            const owner = { event: 'riverside.evt_1', run: 'run-1', sinceMs: 0 };
            const claimed = await take?.({ library: 'riverside', owner, placeLifeMs: 0 });
            return claimed === 'patron_busy' ? { kind: claimed } : { kind: 'done', value: await work() };
          },
        },
      },
    );

    expect(endOfRun(decision)).toMatchObject({ outcome: 'COPIED' });
    expect(waited).toEqual(['patron lock']);
    expect(saved).toHaveLength(2);
    expect(workflow.calls()).toEqual(['midland GET /patrons', 'riverside POST /patrons']);
  });

  for (const [what, job] of [
    ['looks for the copy that an earlier run was about to send', {}],
    ['checks out to the copy that an earlier run made', { made: MADE }],
  ] as const) {
    test(`is not the first thing of a run that ${what}: that is the patron lock`, async () => {
      const workflow = own(await openWorkflow());
      const withPatronLock: WithPatronLock = (_scan, _homeKey, lock, work) =>
        work({
          ...lock,
          take: () => Promise.reject(new Error('it is taken')),
          takeWith: () => Promise.reject(new Error('took the place')),
        });

      await expect(workflow.run({ starts: 2, job }, { withPatronLock })).rejects.toThrow('it is taken');
      expect(workflow.calls().filter((call) => call.startsWith('riverside'))).toEqual([]);
    });
  }

  test('not had: the job comes back, with no attempt, nothing noted as sent and nothing sent', async () => {
    const workflow = own(await openWorkflow());
    const saved: unknown[] = [];
    const save: TakenJob['save'] = (job) => {
      saved.push(job);
      return Promise.resolve('taken');
    };
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

  test('with a full line: the job comes back later, and no request was made', async () => {
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
