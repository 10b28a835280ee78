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
  const workflow = await open();
  workflow.riverside.addFaults(faults.map((fault) => ({ operation: CREATE, ...fault })));
  return workflow;
};
const copies = (workflow: WorkflowBench) =>
  workflow.riverside.state().patrons.filter(({ surname }) => surname === PATRON.surname);
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
    const workflow = await faulty(fault);
    const writing = endOfRun(await workflow.run());
    expect(writing).toMatchObject({
      outcome: 'ALREADY_LOCAL',
      checkout: { result: 'CHECKED_OUT' },
      disclosed: { home: 'midland', fields: expect.arrayContaining(['surname', 'address']) },
    });
    expect(copies(workflow)).toHaveLength(1);
    expect(copies(workflow)[0]?.extended_attributes).toHaveLength(2);
  });

  test.each<[string, Omit<FaultDraft, 'operation'>]>([
    ['a reset', { kind: 'reset_before' }],
    ['silence', { kind: 'hang' }],
    ['a 503', { kind: 'status', status: 503 }],
    ['a 504 page', { kind: 'html', status: 504 }],
    ['one 502 page after the other', { kind: 'html', status: 502, times: 3 }],
    ['one bare 500 after the other', { kind: 'status', status: 500, times: 3 }],
  ])('by %s before it was made: tried again, one copy', async (_what, fault) => {
    const workflow = await faulty(fault);
    const { job } = waitOf(await workflow.run(noItem));
    expect(job.progress.waiting_for).toMatchObject({ library: 'riverside', reason: 'NO_ANSWER' });
    expect(copies(workflow)).toHaveLength(0);

    expect(endOfRun(await workflow.run({ job, starts: 2 })).outcome).toBe('COPIED');
    expect(copies(workflow)).toHaveLength(1);
  });

  test.each<[string, Omit<FaultDraft, 'operation'>]>([
    ['a 502 page', { kind: 'html', status: 502, times: 2 }],
    ['a bare 500', { kind: 'status', status: 500, times: 2 }],
  ])('by %s for a moment: looked up, and made in the same try, one copy', async (_what, fault) => {
    const workflow = await faulty(fault);
    expect(endOfRun(await workflow.run())).toMatchObject({
      outcome: 'COPIED',
      checkout: { result: 'CHECKED_OUT' },
    });
    expect(copies(workflow)).toHaveLength(1);
    const toRiverside = workflow.calls().filter((call) => /^riverside .* \/patrons$/.test(call));
    const looks = toRiverside.slice(1, toRiverside.lastIndexOf(`riverside ${CREATE}`));
    expect(toRiverside.filter((call) => call.endsWith(CREATE))).toHaveLength(3);
    // No create follows another without a look between them.
    expect(looks.join(' ')).not.toContain(`${CREATE} riverside ${CREATE}`);
  });

  test('is taken for made when only its body is cut off', async () => {
    const workflow = await faulty({ kind: 'truncate' });
    expect(endOfRun(await workflow.run())).toMatchObject({
      outcome: 'COPIED',
      checkout: { result: 'CHECKED_OUT' },
    });
    expect(copies(workflow)).toHaveLength(1);
  });

  test('and the look after it as well: the next run looks before it sends anything', async () => {
    const workflow = await faulty(
      { kind: 'reset_after' },
      { operation: 'GET /patrons', kind: 'reset_before' },
    );
    const { job } = waitOf(await workflow.run(noItem));
    workflow.riverside.clearCalls();

    expect(endOfRun(await workflow.run({ job, starts: 2 }))).toMatchObject({
      outcome: 'ALREADY_LOCAL',
      disclosed: { home: 'midland' },
    });
    expect(workflow.calls()).not.toContain(`riverside ${CREATE}`);
  });

  test('is not sent again while it may still be made: late, it meets its own copy', async () => {
    const workflow = await faulty({ kind: 'delay', ms: 1_300 });
    const { job } = waitOf(await workflow.run(noItem));
    await waitFor('Koha to make it late', () => copies(workflow).length === 1);

    expect(endOfRun(await workflow.run({ job, starts: 2 })).outcome).toBe('ALREADY_LOCAL');
    expect(copies(workflow)).toHaveLength(1);
  });
});

describe('Koha’s own refusal of one record', () => {
  test('eight times is LENDING_REFUSED, looked up before each try, and opens no circuit', async () => {
    const workflow = await faulty({ ...refused, times: 8 });
    expect(endOfRun(await workflow.run())).toMatchObject({ outcome: 'LENDING_REFUSED', homes: ['midland'] });
    const look = ['riverside GET /patrons', 'riverside GET /patrons'];
    expect(workflow.calls().slice(1)).toEqual(
      [1, 2, 3, 4, 5, 6, 7, 8].flatMap(() => [`riverside ${CREATE}`, ...look]),
    );
    expect(workflow.libraries.circuit('riverside').isOpen).toBe(false);
  });

  test('seven times, as a database that deadlocks gives it, and then it is stored', async () => {
    const workflow = await faulty({ ...refused, times: 7 });
    expect(endOfRun(await workflow.run()).outcome).toBe('COPIED');
    expect(copies(workflow)).toHaveLength(1);
  });

  test('is followed by pauses that grow and are never the same for two', async () => {
    const pausesOf = async (random: number): Promise<number[]> => {
      const pauses: number[] = [];
      const workflow = await faulty({ ...refused, times: 8 });
      const pause = (ms: number): Promise<void> => {
        pauses.push(ms);
        return Promise.resolve();
      };
      await workflow.run(noItem, { pause, random: () => random });
      return pauses;
    };
    expect(await pausesOf(0)).toEqual([50, 100, 200, 400, 800, 800, 800, 800]);
    expect(await pausesOf(0.5)).toEqual([75, 150, 300, 600, 1_200, 1_200, 1_200, 1_200]);
  });
});

describe('an answer that requires a delay or a new token', () => {
  test('429 with retry-after is obeyed', async () => {
    const workflow = await faulty({ kind: 'status', status: 429, headers: { 'retry-after': '7' } });
    const { job, untilMs } = waitOf(await workflow.run());
    expect(job.progress.waiting_for).toMatchObject({ library: 'riverside', reason: 'RATE_LIMITED' });
    expect(untilMs - Date.now()).toBeGreaterThan(6_500);
    expect(copies(workflow)).toHaveLength(0);
  });

  test('401 once renews the token and goes on', async () => {
    const workflow = await open();
    await workflow.run(noItem);
    workflow.riverside.revokeTokens();
    workflow.midland.putPatron('21234000000022', { ...PATRON, surname: 'Second' });
    expect(endOfRun(await workflow.run({ card: '21234000000022', job: { event_id: 'evt_2' } })).outcome).toBe(
      'COPIED',
    );
  });

  test('401 again is a refusal for a person', async () => {
    const workflow = await faulty({ kind: 'status', status: 401, times: 2 });
    expect(endOfRun(await workflow.run())).toMatchObject({
      outcome: 'MISCONFIGURED',
      problem: { library: 'riverside', what: 'credentials' },
    });
  });

  test.each([
    ['category', { error: 'Given category_id does not exist' }, 'PT'],
    ['branch', { error: 'Given library_id does not exist' }, 'MAIN'],
  ])('an unknown %s is MISCONFIGURED at once, by its code', async (what, body, name) => {
    const workflow = await faulty({ kind: 'status', status: 400, body });
    expect(endOfRun(await workflow.run())).toMatchObject({
      outcome: 'MISCONFIGURED',
      problem: { library: 'riverside', what, name },
    });
  });
});

describe('the change of a card', () => {
  const withOldCard = async () => {
    const workflow = await open();
    const patron = workflow.midland.state(CARD).patrons[0];
    workflow.riverside.putPatron('OLD', {
      surname: PATRON.surname,
      category_id: 'PT',
      expiry_date: '2037-12-31',
      extended_attributes: [
        { type: 'PASSPORTED', value: 'midland' },
        { type: 'PASSPORTED_ID', value: `midland:${patron?.patron_id}` },
      ],
    });
    return workflow;
  };

  test('that never reached Koha is made at the next try', async () => {
    const workflow = await withOldCard();
    workflow.riverside.addFaults([{ operation: 'PUT /patrons/{patron_id}', kind: 'reset_before' }]);
    const { job } = waitOf(await workflow.run(noItem));
    const writing = endOfRun(await workflow.run({ job, starts: 2 }));
    expect(writing).toMatchObject({ outcome: 'ALREADY_LOCAL', reasons: ['CARD_CHANGED'] });
    expect(copies(workflow)).toMatchObject([{ cardnumber: CARD }]);
  });

  test('whose answer is lost is looked up, and reported', async () => {
    const workflow = await withOldCard();
    workflow.riverside.addFaults([{ operation: 'PUT /patrons/{patron_id}', kind: 'reset_after' }]);
    const writing = endOfRun(await workflow.run(noItem));
    expect(writing).toMatchObject({ outcome: 'ALREADY_LOCAL', reasons: ['CARD_CHANGED'] });
    expect(copies(workflow)).toMatchObject([{ cardnumber: CARD }]);
  });
});

describe('nothing is written any more', () => {
  test('once the lock is lost', async () => {
    const workflow = await open();
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
    await expect(workflow.run({ lock }, { withPatronLock: withPatronLock as never })).rejects.toBeInstanceOf(
      LockLost,
    );
    expect(workflow.calls()).toEqual(['midland GET /patrons']);
  });

  test('when the process stops in the middle: requeued, and the next run converges', async () => {
    const workflow = await faulty({ kind: 'delay', ms: 300 });
    const lock = heldLock();
    const stopping = waitFor('the copy to be requested', () =>
      workflow.calls().includes(`riverside ${CREATE}`),
    ).then(() => lock.stop());
    expect(await workflow.run({ ...noItem, lock })).toEqual({ kind: 'requeue', delayMs: 1_000 });
    await stopping;

    // Koha may have made it before we hung up, may make it now, or never heard of it: one copy in each case.
    const { outcome } = endOfRun(await workflow.run({ ...noItem, starts: 2 }));
    expect(['ALREADY_LOCAL', 'COPIED']).toContain(outcome);
    expect(copies(workflow)).toHaveLength(1);
  });
});
