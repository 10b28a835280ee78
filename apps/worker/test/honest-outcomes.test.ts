import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { leakGuard } from '@passport/testkit';
import type { RunResult } from '../src/job/run-scan.ts';
import { CARD } from './builders.ts';
import { PATRON, type WorkflowBench, endOfRun, openWorkflow, waitOf } from './workflow-bench.ts';

const own = leakGuard({ beforeEach, afterEach });
const open = async (plan: Parameters<typeof openWorkflow>[0] = {}): Promise<WorkflowBench> =>
  own(await openWorkflow(plan));
const checkouts = (workflow: WorkflowBench) => workflow.riverside.state().checkouts;

describe('a refusal that is cut off or not Koha’s own', () => {
  test.each([
    ['a page with 409', { kind: 'html', status: 409 }],
    ['a page with 403', { kind: 'html', status: 403 }],
    ['a page with 404', { kind: 'html', status: 404 }],
  ] as const)('%s on the create: looked up, and our copy found', async (_what, fault) => {
    const workflow = await open();
    endOfRun(await workflow.run({ item: null }));
    workflow.riverside.addFaults([{ operation: 'POST /patrons', ...fault }]);
    expect(endOfRun(await workflow.run({ item: null })).outcome).toBe('ALREADY_LOCAL');
  });

  test('at home: waited for, since nobody knows yet', async () => {
    const workflow = await open();
    workflow.midland.addFaults([{ operation: 'GET /patrons', kind: 'html', status: 403 }]);
    expect(waitOf(await workflow.run()).job.progress.waiting_for).toMatchObject({
      library: 'midland',
      reason: 'NO_ANSWER',
    });
  });
});

describe('an end after the copy was made', () => {
  test('by a checkout that only a person can fix: the copy is named, and disclosed', async () => {
    const workflow = await open();
    workflow.riverside.addFaults([
      {
        operation: 'POST /checkouts',
        kind: 'status',
        status: 403,
        body: {
          error: 'Authorization failure. Missing required permission(s).',
          required_permissions: { circulate: 'circulate_remaining_permissions' },
        },
      },
    ]);
    const writing = endOfRun(await workflow.run());
    expect(writing).toMatchObject({
      outcome: 'MISCONFIGURED',
      homes: ['midland'],
      patronId: workflow.copy()?.patron_id,
      problem: { library: 'riverside', what: 'permission' },
      disclosed: { home: 'midland', fields: expect.arrayContaining(['surname']) },
    });
  });

  test('by nobody answering for too long: it may be there, so it is disclosed', async () => {
    const workflow = await open();
    workflow.riverside.addFaults([
      { operation: 'POST /patrons', kind: 'reset_after' },
      { operation: 'GET /patrons', kind: 'reset_before', times: 50 },
    ]);
    const { job } = waitOf(await workflow.run({ item: null }));
    expect(job.sent).toMatchObject({ home: 'midland', fields: expect.arrayContaining(['surname']) });
    const old = { ...job, received_ms: Date.now() - 3_600_000 };
    const late = await workflow.run({ item: null, job: old, starts: 2 });
    expect(endOfRun(late)).toMatchObject({
      outcome: 'LENDING_UNREACHABLE',
      homes: ['midland'],
      disclosed: { home: 'midland' },
    });
  });

  test('by a patron who is not found any more keeps what an earlier run disclosed, and names no home', async () => {
    const workflow = await open();
    workflow.riverside.addFaults([
      { operation: 'POST /patrons', kind: 'reset_after' },
      { operation: 'GET /patrons', kind: 'reset_before', times: 50 },
    ]);
    const { job } = waitOf(await workflow.run({ item: null }));
    workflow.midland.putPatron(CARD, { ...PATRON, cardnumber: '21234000000999' });
    const decision = await workflow.run({ item: null, job, starts: 2 });
    const end = endOfRun(decision);
    expect(end).toMatchObject({ outcome: 'NOT_FOUND', disclosed: { home: 'midland' } });
    expect(end.homes).toBeUndefined();
    expect(decision).toMatchObject({ job: { sent: { home: 'midland' } } });
  });

  test('by a bug of ours: the copy of an earlier run is disclosed', async () => {
    const workflow = await open();
    workflow.riverside.addFaults([{ operation: 'POST /checkouts', kind: 'status', status: 503 }]);
    const { job } = waitOf(await workflow.run());
    expect(endOfRun(await workflow.run({ job, starts: 2, bugs: 5 }))).toMatchObject({
      outcome: 'MISCONFIGURED',
      disclosed: { home: 'midland', fields: job.made?.disclosed },
    });
  });
});

describe('an event that is given up before Koha has said what came of its checkout', () => {
  const OLD = { received_ms: Date.now() - 3_600_000 };
  const NOBODY_KNOWS = { result: 'NO_ANSWER', keys: [] };
  /** After a run whose checkout was made, and its answer lost. */
  async function openAfterLost() {
    const workflow = await open();
    workflow.riverside.addFaults([
      { operation: 'POST /checkouts', kind: 'reset_after' },
      { operation: 'GET /items', kind: 'reset_before', times: 99 },
    ]);
    const { job } = waitOf(await workflow.run());
    return { workflow, job };
  }
  const checkoutOf = (result: RunResult) => ('job' in result ? result.job.progress.checkout : null);

  test('says that nobody knows where Koha is silent', async () => {
    const { workflow, job } = await openAfterLost();
    const end = await workflow.run({ job: { ...job, ...OLD }, starts: 2 });

    expect(endOfRun(end)).toMatchObject({ outcome: 'COPIED', checkout: NOBODY_KNOWS });
    expect(end).toHaveProperty('ifCancelled', null);
  });

  test('says so where other events are first', async () => {
    const { workflow, job } = await openAfterLost();
    const withPatronLock = () => Promise.resolve(null);
    const end = await workflow.run({ job: { ...job, ...OLD }, starts: 2 }, { withPatronLock });

    expect(endOfRun(end)).toMatchObject({ outcome: 'COPIED', checkout: NOBODY_KNOWS });
  });

  test.each([
    ['the worker died of it', { stalls: 9 }],
    ['it met bug after bug', { bugs: 9 }],
  ])('says so where %s', async (_what, taken) => {
    const { workflow, job } = await openAfterLost();
    const end = await workflow.run({ job, starts: 2, ...taken });

    expect(end).toMatchObject({ kind: 'done', outcome: 'MISCONFIGURED' });
    expect(checkoutOf(end)).toEqual(NOBODY_KNOWS);
  });

  test('says so where Koha refuses the look', async () => {
    const { workflow, job } = await openAfterLost();
    workflow.riverside.clearFaults();
    workflow.riverside.putSettings({ permissions: [] });
    const end = await workflow.run({ job, starts: 2 });

    expect(end).toMatchObject({ kind: 'done', outcome: 'MISCONFIGURED' });
    expect(checkoutOf(end)).toEqual(NOBODY_KNOWS);
  });

  test('says so where its item is gone from the job', async () => {
    const { workflow, job } = await openAfterLost();
    const end = await workflow.run({ job: { ...job, encrypted_item: null }, starts: 2 });

    expect(checkoutOf(end)).toEqual(NOBODY_KNOWS);
  });

  test('says so where the library takes no checkouts by now, and its item is gone', async () => {
    const { job } = await openAfterLost();
    const off = await open({ entry: { retry: { checkout: false } } });
    const end = await off.run({ job: { ...job, encrypted_item: null }, starts: 2 });

    expect(checkoutOf(end)).toEqual(NOBODY_KNOWS);
  });

  test('says so where Koha cannot show the checkout, and a look is not answered', async () => {
    const workflow = await open();
    const body = { errors: [{ message: 'Month out of range.', path: '/body/due_date' }], status: 500 };
    workflow.riverside.addFaults([
      { operation: 'POST /checkouts', kind: 'status', status: 500, body },
      { operation: 'GET /items', kind: 'reset_before', times: 99 },
    ]);

    expect(checkoutOf(await workflow.run())).toEqual(NOBODY_KNOWS);
  });

  test('says that it was too late where Koha has said that it was not made', async () => {
    const workflow = await open();
    workflow.riverside.addFaults([{ operation: 'POST /checkouts', kind: 'reset_before' }]);
    const { job } = waitOf(await workflow.run());
    const late = { job: { ...job, ...OLD }, starts: 2 };

    expect(checkoutOf(await workflow.run(late))).toEqual({ result: 'TOO_LATE', keys: [] });
    workflow.riverside.addFaults([{ operation: 'GET /patrons/{patron_id}', kind: 'reset_before', times: 9 }]);
    expect(checkoutOf(await workflow.run(late))).toEqual({ result: 'TOO_LATE', keys: [] });
  });
});

describe('T-35 a checkout near the end of its time', () => {
  const entry = { koha: { timeout: '1s' }, retry: { checkout_within: '4s' } };

  test('is not sent once a slow token has eaten the time that was left', async () => {
    const workflow = await open({ entry });
    endOfRun(await workflow.run({ item: null }));
    workflow.riverside.revokeTokens();
    workflow.riverside.addFaults([
      { operation: 'GET /patrons', kind: 'status', status: 401, body: { error: 'x' } },
      { operation: 'POST /oauth/token', kind: 'delay', ms: 700 },
    ]);
    const writing = endOfRun(await workflow.run({ agoMs: 2_700 }));
    expect(writing.checkout).toMatchObject({ result: 'TOO_LATE' });
    expect(checkouts(workflow)).toHaveLength(0);
  });

  test('whose answer is lost is not called too late while Koha may still make it', async () => {
    const workflow = await open({ entry });
    workflow.riverside.addFaults([{ operation: 'POST /checkouts', kind: 'delay', ms: 1_300 }]);
    const delayed = waitOf(await workflow.run({ agoMs: 1_500 }));
    expect(delayed.job.made).toMatchObject({ outcome: 'COPIED' });
    expect(delayed.untilMs - Date.now()).toBeGreaterThan(500);
    expect(workflow.copy(CARD)).toBeDefined();
  });

  test('whose answer is lost is looked for when Koha has let go of it, though the first look fails', async () => {
    const workflow = await open({ entry });
    workflow.riverside.addFaults([
      { operation: 'POST /checkouts', kind: 'delay', ms: 1_300 },
      { operation: 'GET /items', kind: 'reset_before' },
    ]);
    const delayed = waitOf(await workflow.run());
    expect(delayed.untilMs - Date.now()).toBeGreaterThan(900);
  });
});

describe('the circuit of a lending library', () => {
  /** A workflow whose lending library is known, and does not answer until its circuit is open. */
  async function openWithCircuit(): Promise<WorkflowBench> {
    // No time passes for it, so that it is not tried whether the library is back, however long a run takes.
    const workflow = await open({ monotonicNow: () => 0 });
    endOfRun(await workflow.run({ item: null }));
    workflow.riverside.addFaults([{ operation: '*', kind: 'reset_before', times: 1_000_000 }]);
    // What the first run left to be done may still succeed, and the count of failures in a row begins anew.
    for (let tries = 0; tries < 10 && !workflow.libraries.circuit('riverside').isOpen; tries += 1)
      await workflow.run({ item: null });
    return workflow;
  }

  test('opens although its description is remembered', async () => {
    const { libraries } = await openWithCircuit();
    expect(libraries.circuit('riverside').isOpen).toBe(true);
  });

  test('is not closed by a branch that no header can carry', async () => {
    const { libraries, run } = await openWithCircuit();
    await run({ item: null, job: { branch: 'É' } });
    expect(libraries.circuit('riverside').isOpen).toBe(true);
  });
});
