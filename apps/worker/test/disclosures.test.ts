import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { FaultDraft } from '@passport/koha-double';
import type { DisclosureReceipt } from '@passport/queue/copies';
import { leakGuard } from '@passport/testkit';
import type { RunResult } from '../src/job/run-scan.ts';
import { recordDisclosures } from '../src/job/settlement.ts';
import { CARD, NOON, jobData, runDeps } from './builders.ts';
import { type WorkflowBench, endOfRun, openWorkflow } from './workflow-bench.ts';

const own = leakGuard({ beforeEach, afterEach });
const open = async (): Promise<WorkflowBench> => own(await openWorkflow());
const noItem = { item: null };
/** What the job remembers of what it sent, ended or delayed. */
const sentOf = (decision: RunResult) => ('job' in decision ? decision.job.sent : undefined);
const LEFT = { home: 'midland', fields: expect.arrayContaining(['surname', 'address']) };

describe('a record that has left for the lending library is on record', () => {
  test.each<[string, Omit<FaultDraft, 'operation'>]>([
    [
      'a possible duplicate (409)',
      {
        kind: 'status',
        status: 409,
        body: { error: 'A patron record matching these details already exists' },
      },
    ],
    ['a 400', { kind: 'status', status: 400, body: { error: 'Given category_id does not exist' } }],
    [
      'a 403',
      {
        kind: 'status',
        status: 403,
        body: {
          error: 'Authorization failure. Missing required permission(s).',
          required_permissions: { borrowers: 'edit_borrowers' },
        },
      },
    ],
    [
      'its own error (500)',
      { kind: 'status', status: 500, body: { error: 'x', error_code: 'internal_server_error' }, times: 8 },
    ],
    ['a bare 500', { kind: 'status', status: 500, times: 3 }],
    ['a 503 page', { kind: 'html', status: 503 }],
    ['a redirect', { kind: 'status', status: 302, headers: { location: 'https://login.example' } }],
    ['silence', { kind: 'hang' }],
    ['a reset', { kind: 'reset_before' }],
  ])('when Koha answers %s', async (_what, fault) => {
    const workflow = await open();
    workflow.riverside.addFaults([{ operation: 'POST /patrons', ...fault }]);
    const decision = await workflow.run(noItem);

    expect(workflow.copy()).toBeUndefined();
    expect(sentOf(decision)).toMatchObject(LEFT);
    if (decision.kind === 'done') expect(endOfRun(decision).disclosed).toMatchObject({ home: 'midland' });
  });

  test.each<[string, Omit<FaultDraft, 'operation'>]>([
    ['fails', { kind: 'status', status: 503 }],
    ['is refused', { kind: 'status', status: 403, body: { error: 'access_denied' } }],
    ['does not come', { kind: 'reset_before' }],
  ])('when Koha refuses the token after it has read it, and the new one %s', async (_what, fault) => {
    const workflow = await open();
    await workflow.libraries.call('riverside', (koha) =>
      koha.findByCard(CARD, { attributes: true, balance: false }),
    );
    workflow.riverside.addFaults([
      { operation: 'POST /patrons', kind: 'status', status: 401, body: { error: 'x' } },
      { operation: 'POST /oauth/token', ...fault },
    ]);

    expect(sentOf(await workflow.run(noItem))).toMatchObject(LEFT);
  });

  test('when somebody has the card already', async () => {
    const workflow = await open();
    workflow.riverside.putPatron(CARD, { surname: 'Native', category_id: 'AD' });
    expect(sentOf(await workflow.run(noItem))).toMatchObject(LEFT);
  });

  test('and so is the one of an earlier run, whose card has another home by now', async () => {
    const workflow = await open();
    const earlier = { home: 'midland', home_key: 'midland:7', fields: ['surname'] };
    const decision = await workflow.run({ ...noItem, job: { sent: earlier } });

    expect(decision).toMatchObject({ kind: 'done', outcome: 'COPIED' });
    expect(decision).toMatchObject({
      job: { sent: { home_key: expect.stringMatching(/^midland:[^7]$/) }, sent_before: [earlier] },
    });
  });
});

describe('a record that never left is not', () => {
  test('when nobody listens at the lending library', async () => {
    const workflow = await open();
    await workflow.libraries.call('riverside', (koha) => koha.capabilities());
    await workflow.riverside.close();
    const decision = await workflow.run(noItem);

    expect(decision.kind).toBe('retry');
    expect(sentOf(decision)).toBeNull();
  });

  test('when the token is refused', async () => {
    const workflow = await open();
    await workflow.libraries.call('riverside', (koha) => koha.capabilities());
    workflow.riverside.addFaults([
      { operation: 'POST /oauth/token', kind: 'status', status: 403, body: { error: 'access_denied' } },
    ]);
    const decision = await workflow.run(noItem);

    expect(decision).toMatchObject({ kind: 'done', outcome: 'MISCONFIGURED' });
    expect(sentOf(decision)).toBeNull();
    expect(workflow.copy()).toBeUndefined();
  });
});

test('an override is on the receipt of the patron it was made for, and on no other', async () => {
  const decided = {
    question: 'OVERRIDE' as const,
    home_key: 'midland:7',
    reasons: ['UNDER_AGE' as const],
    option: 'GUARANTOR',
    operator: 77,
    at: '2026-11-25T12:00:00.000Z',
  };
  const receipts: DisclosureReceipt[] = [];
  const append = (receipt: DisclosureReceipt) => Promise.resolve(String(receipts.push(receipt)));
  const { consortium } = runDeps();
  for (const homeKey of ['midland:7', 'midland:8']) {
    const sent = { home: 'midland', home_key: homeKey, fields: ['surname'] };
    await recordDisclosures(jobData({ sent, decided: [decided] }), {
      consortium,
      receipts: { append },
      now: () => NOON,
    });
  }
  expect(receipts).toMatchObject([
    { homeKey: 'midland:7', override: { because: 'GUARANTOR', operator: 77 } },
    { homeKey: 'midland:8' },
  ]);
  expect(receipts[1]).not.toHaveProperty('override');
});

test('a copy is on record, with its number, before the next event of its patron gets the patron lock', async () => {
  const workflow = await open();
  const steps: unknown[] = [];
  await workflow.run(noItem, {
    async withPatronLock(_scan, _homeKey, lock, work) {
      const take = () => Promise.resolve();
      const result = await work({
        ...lock,
        take,
        takeWith: (claim) => claim({ name: '', run: '', lifeMs: 0 }),
      });
      steps.push('released');
      return result;
    },
    receipts: {
      append({ patronId }) {
        steps.push(patronId);
        return Promise.resolve('1-0');
      },
    },
  });
  expect(steps).toEqual([workflow.copy()?.patron_id, 'released']);
});
