import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { FaultDraft } from '@passport/koha-double';
import { leakGuard, waitFor } from '@passport/testkit';
import { LockLost } from '../src/job/job-lock.ts';
import { CARD, heldLock } from './builders.ts';
import { PATRON, type WorkflowBench, endOfRun, openWorkflow, waitOf } from './workflow-bench.ts';

const own = leakGuard({ beforeEach, afterEach });
const open = async (): Promise<WorkflowBench> => own(await openWorkflow());
const CREATE = 'POST /patrons';
const noItem = { item: null };

const faulty = async (...faults: (Omit<FaultDraft, 'operation'> & { operation?: string })[]) => {
  const story = await open();
  story.riverside.addFaults(faults.map((fault) => ({ operation: CREATE, ...fault })));
  return story;
};
const copies = (story: WorkflowBench) =>
  story.riverside.state().patrons.filter(({ surname }) => surname === PATRON.surname);
const refused = {
  kind: 'status',
  status: 500,
  body: { error: 'x', error_code: 'internal_server_error' },
} as const;

describe('T-14 the create whose answer is lost', () => {
  test.each<[string, Omit<FaultDraft, 'operation'>]>([
    ['a reset', { kind: 'reset_after' }],
    ['a 502 page', { kind: 'html', status: 502, after: true }],
    ['an HTML page with 200', { kind: 'html', status: 200, after: true }],
    ['a bare 500', { kind: 'status', status: 500, after: true }],
    ['a 503 from a proxy', { kind: 'html', status: 503, after: true }],
    ['Koha’s own error after the commit', { ...refused, after: true }],
  ])('by %s after it was made: looked up, one marked copy, its disclosure known', async (_what, fault) => {
    const story = await faulty(fault);
    const ending = endOfRun(await story.run());
    expect(ending).toMatchObject({
      outcome: 'ALREADY_LOCAL',
      checkout: { result: 'CHECKED_OUT' },
      disclosed: { home: 'midland', fields: expect.arrayContaining(['surname', 'address']) },
    });
    expect(copies(story)).toHaveLength(1);
    expect(copies(story)[0]?.extended_attributes).toHaveLength(2);
  });

  test.each<[string, Omit<FaultDraft, 'operation'>]>([
    ['a reset', { kind: 'reset_before' }],
    ['silence', { kind: 'hang' }],
    ['a 503', { kind: 'status', status: 503 }],
    ['a 504 page', { kind: 'html', status: 504 }],
    ['one 502 page after the other', { kind: 'html', status: 502, times: 3 }],
    ['one bare 500 after the other', { kind: 'status', status: 500, times: 3 }],
  ])('by %s before it was made: tried again, one copy', async (_what, fault) => {
    const story = await faulty(fault);
    const { job } = waitOf(await story.run(noItem));
    expect(job.progress.waiting_for).toMatchObject({ library: 'riverside', reason: 'NO_ANSWER' });
    expect(copies(story)).toHaveLength(0);

    expect(endOfRun(await story.run({ job, starts: 2 })).outcome).toBe('COPIED');
    expect(copies(story)).toHaveLength(1);
  });

  test.each<[string, Omit<FaultDraft, 'operation'>]>([
    ['a 502 page', { kind: 'html', status: 502, times: 2 }],
    ['a bare 500', { kind: 'status', status: 500, times: 2 }],
  ])('by %s for a moment: looked up, and made in the same try, one copy', async (_what, fault) => {
    const story = await faulty(fault);
    expect(endOfRun(await story.run())).toMatchObject({
      outcome: 'COPIED',
      checkout: { result: 'CHECKED_OUT' },
    });
    expect(copies(story)).toHaveLength(1);
    const toRiverside = story.calls().filter((call) => /^riverside .* \/patrons$/.test(call));
    const looks = toRiverside.slice(1, toRiverside.lastIndexOf(`riverside ${CREATE}`));
    expect(toRiverside.filter((call) => call.endsWith(CREATE))).toHaveLength(3);
    // No create follows another without a look between them.
    expect(looks.join(' ')).not.toContain(`${CREATE} riverside ${CREATE}`);
  });

  test('is taken for made when only its body is cut off', async () => {
    const story = await faulty({ kind: 'truncate' });
    expect(endOfRun(await story.run())).toMatchObject({
      outcome: 'COPIED',
      checkout: { result: 'CHECKED_OUT' },
    });
    expect(copies(story)).toHaveLength(1);
  });

  test('and the look after it as well: the next run looks before it sends anything', async () => {
    const story = await faulty({ kind: 'reset_after' }, { operation: 'GET /patrons', kind: 'reset_before' });
    const { job } = waitOf(await story.run(noItem));
    story.riverside.clearCalls();

    expect(endOfRun(await story.run({ job, starts: 2 }))).toMatchObject({
      outcome: 'ALREADY_LOCAL',
      disclosed: { home: 'midland' },
    });
    expect(story.calls()).not.toContain(`riverside ${CREATE}`);
  });

  test('is not sent again while it may still be made: late, it meets its own copy', async () => {
    const story = await faulty({ kind: 'delay', ms: 1_300 });
    const { job } = waitOf(await story.run(noItem));
    await waitFor('Koha to make it late', () => copies(story).length === 1);

    expect(endOfRun(await story.run({ job, starts: 2 })).outcome).toBe('ALREADY_LOCAL');
    expect(copies(story)).toHaveLength(1);
  });
});

describe('Koha’s own refusal of one record', () => {
  test('eight times is LENDING_REFUSED, looked up before each try, and opens no circuit', async () => {
    const story = await faulty({ ...refused, times: 8 });
    expect(endOfRun(await story.run())).toMatchObject({ outcome: 'LENDING_REFUSED', homes: ['midland'] });
    const look = ['riverside GET /patrons', 'riverside GET /patrons'];
    expect(story.calls().slice(1)).toEqual(
      [1, 2, 3, 4, 5, 6, 7, 8].flatMap(() => [`riverside ${CREATE}`, ...look]),
    );
    expect(story.libraries.circuit('riverside').isOpen).toBe(false);
  });

  test('seven times, as a database that deadlocks gives it, and then it is stored', async () => {
    const story = await faulty({ ...refused, times: 7 });
    expect(endOfRun(await story.run()).outcome).toBe('COPIED');
    expect(copies(story)).toHaveLength(1);
  });

  test('is followed by pauses that grow and are never the same for two', async () => {
    const pausesOf = async (random: number): Promise<number[]> => {
      const pauses: number[] = [];
      const story = await faulty({ ...refused, times: 8 });
      const pause = (ms: number): Promise<void> => {
        pauses.push(ms);
        return Promise.resolve();
      };
      await story.run(noItem, { pause, random: () => random });
      return pauses;
    };
    expect(await pausesOf(0)).toEqual([50, 100, 200, 400, 800, 800, 800, 800]);
    expect(await pausesOf(0.5)).toEqual([75, 150, 300, 600, 1_200, 1_200, 1_200, 1_200]);
  });
});

describe('an answer that asks for patience or for a new token', () => {
  test('429 with retry-after is obeyed', async () => {
    const story = await faulty({ kind: 'status', status: 429, headers: { 'retry-after': '7' } });
    const { job, untilMs } = waitOf(await story.run());
    expect(job.progress.waiting_for).toMatchObject({ library: 'riverside', reason: 'RATE_LIMITED' });
    expect(untilMs - Date.now()).toBeGreaterThan(6_500);
    expect(copies(story)).toHaveLength(0);
  });

  test('401 once renews the token and goes on', async () => {
    const story = await open();
    await story.run(noItem);
    story.riverside.revokeTokens();
    story.midland.putPatron('21234000000022', { ...PATRON, surname: 'Second' });
    expect(endOfRun(await story.run({ card: '21234000000022', job: { event_id: 'evt_2' } })).outcome).toBe(
      'COPIED',
    );
  });

  test('401 again is a refusal for a person', async () => {
    const story = await faulty({ kind: 'status', status: 401, times: 2 });
    expect(endOfRun(await story.run())).toMatchObject({
      outcome: 'MISCONFIGURED',
      problem: { library: 'riverside', what: 'credentials' },
    });
  });

  test.each([
    ['category', { error: 'Given category_id does not exist' }, 'PT'],
    ['branch', { error: 'Given library_id does not exist' }, 'MAIN'],
  ])('an unknown %s is MISCONFIGURED at once, by its code', async (what, body, name) => {
    const story = await faulty({ kind: 'status', status: 400, body });
    expect(endOfRun(await story.run())).toMatchObject({
      outcome: 'MISCONFIGURED',
      problem: { library: 'riverside', what, name },
    });
  });
});

describe('the change of a card', () => {
  const withOldCard = async () => {
    const story = await open();
    const patron = story.midland.state(CARD).patrons[0];
    story.riverside.putPatron('OLD', {
      surname: PATRON.surname,
      category_id: 'PT',
      expiry_date: '2037-12-31',
      extended_attributes: [
        { type: 'PASSPORTED', value: 'midland' },
        { type: 'PASSPORTED_ID', value: `midland:${patron?.patron_id}` },
      ],
    });
    return story;
  };

  test('that never reached Koha is made at the next try', async () => {
    const story = await withOldCard();
    story.riverside.addFaults([{ operation: 'PUT /patrons/{patron_id}', kind: 'reset_before' }]);
    const { job } = waitOf(await story.run(noItem));
    const ending = endOfRun(await story.run({ job, starts: 2 }));
    expect(ending).toMatchObject({ outcome: 'ALREADY_LOCAL', reasons: ['CARD_CHANGED'] });
    expect(copies(story)).toMatchObject([{ cardnumber: CARD }]);
  });

  test('whose answer is lost is looked up, and told', async () => {
    const story = await withOldCard();
    story.riverside.addFaults([{ operation: 'PUT /patrons/{patron_id}', kind: 'reset_after' }]);
    const ending = endOfRun(await story.run(noItem));
    expect(ending).toMatchObject({ outcome: 'ALREADY_LOCAL', reasons: ['CARD_CHANGED'] });
    expect(copies(story)).toMatchObject([{ cardnumber: CARD }]);
  });
});

describe('nothing is written any more', () => {
  test('once the lock is lost', async () => {
    const story = await open();
    const lock = heldLock();
    const withPatronLock = (
      _scan: unknown,
      _key: string,
      held: typeof lock,
      work: (held: typeof lock) => unknown,
    ) => {
      lock.lose();
      return work(held);
    };
    await expect(story.run({ lock }, { withPatronLock: withPatronLock as never })).rejects.toBeInstanceOf(
      LockLost,
    );
    expect(story.calls()).toEqual(['midland GET /patrons']);
  });

  test('when the process stops in the middle: handed back, and the next run converges', async () => {
    const story = await faulty({ kind: 'delay', ms: 300 });
    const lock = heldLock();
    const stopping = waitFor('the copy to be asked for', () =>
      story.calls().includes(`riverside ${CREATE}`),
    ).then(() => lock.stop());
    expect(await story.run({ ...noItem, lock })).toEqual({ kind: 'requeue' });
    await stopping;

    // Koha may have made it before we hung up, may make it now, or never heard of it: one copy in each case.
    const { outcome } = endOfRun(await story.run({ ...noItem, starts: 2 }));
    expect(['ALREADY_LOCAL', 'COPIED']).toContain(outcome);
    expect(copies(story)).toHaveLength(1);
  });
});
