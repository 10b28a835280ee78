import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { isFrom, releases } from '@passport/koha-double';
import { leakGuard } from '@passport/testkit';
import { CARD, ITEM } from './builders.ts';
import { type WorkflowBench, type WorkflowPlan, endOfRun, openWorkflow, waitOf } from './workflow-bench.ts';

const own = leakGuard({ beforeEach, afterEach });

/** Koha asks to confirm a rental charge only where the library wants that. */
const asksForFees = { RentalFeesCheckoutConfirmation: '1' };

describe.each(releases)('the loan of the waiting item, Koha %s:', (release) => {
  const open = async (plan: WorkflowPlan = {}): Promise<WorkflowBench> =>
    own(await openWorkflow({ ...plan, riverside: { release, settings: asksForFees, ...plan.riverside } }));
  const confirming = (...keys: string[]): WorkflowPlan => ({ entry: { retry: { confirm: keys } } });
  const checkout = async (story: WorkflowBench, wish = {}) => endOfRun(await story.run(wish)).checkout;
  const loans = (story: WorkflowBench) => story.riverside.state().checkouts;
  const copyNow = async (story: WorkflowBench): Promise<number> => {
    const { patronId } = endOfRun(await story.run({ item: null }));
    if (patronId === undefined) throw new Error('no copy');
    return patronId;
  };

  test('CHECKED_OUT at the branch of the scan', async () => {
    const story = await open();
    expect(await checkout(story, { job: { branch: 'NORTH' } })).toEqual({ result: 'CHECKED_OUT', keys: [] });
    expect(loans(story)).toMatchObject([{ library_id: 'NORTH', external_id: ITEM, cardnumber: CARD }]);
  });

  test('NOT_ASKED where no item waits, and where the library does not want it', async () => {
    expect(await checkout(await open(), { item: null })).toEqual({ result: 'NOT_ASKED', keys: [] });
    const silent = await open({ entry: { retry: { checkout: false } } });
    expect(await checkout(silent)).toEqual({ result: 'NOT_ASKED', keys: [] });
    expect(loans(silent)).toHaveLength(0);
  });

  test('ITEM_NOT_FOUND', async () => {
    expect(await checkout(await open(), { item: 'NO-SUCH' })).toEqual({ result: 'ITEM_NOT_FOUND', keys: [] });
  });

  test('ALREADY_CHECKED_OUT for Koha’s RENEW_ISSUE: never renewed', async () => {
    const story = await open();
    await checkout(story);
    const [before] = loans(story);
    expect(await checkout(story, { job: { event_id: 'evt_2' } })).toEqual({
      result: 'ALREADY_CHECKED_OUT',
      keys: [],
    });
    expect(loans(story)).toEqual([before]);
  });

  test('ALREADY_CHECKED_OUT where it could not even be renewed', async () => {
    const story = await open();
    story.riverside.putSettings({ circulation_rules: [{ rule: 'maxissueqty', value: '50' }] });
    await checkout(story);
    expect(await checkout(story, { job: { event_id: 'evt_2' } })).toMatchObject({
      result: 'ALREADY_CHECKED_OUT',
    });
  });

  test('NEEDS_CONFIRMATION with Koha’s keys, nothing lent', async () => {
    const story = await open();
    story.riverside.putItem(ITEM, { rental_charge: 2 });
    expect(await checkout(story)).toEqual({ result: 'NEEDS_CONFIRMATION', keys: ['RENTALCHARGE'] });
    expect(loans(story)).toHaveLength(0);
  });

  test('confirms when every single key may be', async () => {
    const story = await open(confirming('RENTALCHARGE', 'ADDITIONAL_MATERIALS'));
    story.riverside.putSettings({ CircConfirmItemParts: true });
    story.riverside.putItem(ITEM, { rental_charge: 2, materials_notes: 'with a disc' });
    expect(await checkout(story)).toEqual({ result: 'CHECKED_OUT', keys: [] });
  });

  test('confirms nothing when one of them may not be', async () => {
    const story = await open(confirming('RENTALCHARGE'));
    story.riverside.putSettings({ CircConfirmItemParts: true });
    story.riverside.putItem(ITEM, { rental_charge: 2, materials_notes: 'with a disc' });
    expect(await checkout(story)).toEqual({
      result: 'NEEDS_CONFIRMATION',
      keys: ['ADDITIONAL_MATERIALS', 'RENTALCHARGE'],
    });
    expect(loans(story)).toHaveLength(0);
  });

  test('the item is out to somebody else: a person decides, that loan stays', async () => {
    const story = await open(confirming('RENTALCHARGE'));
    const other = await copyNow(story);
    story.riverside.putPatron('LOCAL-1', { surname: 'Other', category_id: 'AD' });
    await checkout(story);
    story.midland.putPatron('21234000000022', {
      surname: 'Second',
      category_id: 'AD',
      expiry_date: '2037-12-31',
    });
    expect(await checkout(story, { card: '21234000000022', job: { event_id: 'evt_2' } })).toEqual({
      result: 'NEEDS_CONFIRMATION',
      keys: ['ISSUED_TO_ANOTHER'],
    });
    expect(loans(story)).toMatchObject([{ patron_id: other }]);
  });

  test('BLOCKED with Koha’s keys, and nothing of what goes with them', async () => {
    const story = await open();
    story.riverside.putItem(ITEM, { not_for_loan_status: 1 });
    expect(await checkout(story)).toEqual({ result: 'BLOCKED', keys: ['NOT_FOR_LOAN'] });
  });

  test('T-35 TOO_LATE when checkout_within has passed: the copy is finished, nothing is lent', async () => {
    const story = await open();
    const ending = endOfRun(await story.run({ agoMs: 90_001 }));
    expect(ending).toMatchObject({ outcome: 'COPIED', checkout: { result: 'TOO_LATE', keys: [] } });
    expect(story.calls()).not.toContain('riverside POST /checkouts');
    expect(story.copy()).toBeDefined();
  });

  test('T-35 TOO_LATE a little before, so that Koha’s answer is still in time', async () => {
    const story = await open();
    expect(await checkout(story, { agoMs: 89_500 })).toEqual({ result: 'TOO_LATE', keys: [] });
  });

  test('TOO_LATE when the item is gone from the job by then', async () => {
    const story = await open();
    expect(await checkout(story, { job: { sealed_item: null, item_asked: true } })).toEqual({
      result: 'TOO_LATE',
      keys: [],
    });
  });

  test('T-35 the answer is lost after the loan was made: read first, one loan, CHECKED_OUT', async () => {
    const story = await open();
    story.riverside.addFaults([{ operation: 'POST /checkouts', kind: 'reset_after' }]);
    expect(await checkout(story)).toEqual({ result: 'CHECKED_OUT', keys: [] });
    expect(loans(story)).toHaveLength(1);
    expect(loans(story)[0]).toMatchObject({ renewals_count: 0 });
  });

  test('T-35 the call is lost before the loan was made: tried again later, once', async () => {
    const story = await open();
    story.riverside.addFaults([{ operation: 'POST /checkouts', kind: 'reset_before' }]);
    const { job } = waitOf(await story.run());
    expect(job).toMatchObject({ made: { outcome: 'COPIED', home: 'midland' } });

    story.midland.deletePatron(CARD);
    story.riverside.clearCalls();
    const ending = endOfRun(await story.run({ job, starts: 2 }));
    expect(ending).toMatchObject({ outcome: 'COPIED', checkout: { result: 'CHECKED_OUT' } });
    expect(ending.disclosed?.fields).toContain('surname');
    expect(loans(story)).toHaveLength(1);
    expect(story.calls().filter((call) => call.startsWith('riverside'))).not.toContain(
      'riverside POST /patrons',
    );
  });

  test('T-35 nobody can tell whether it was made: nothing is sent before that is known', async () => {
    const story = await open();
    story.riverside.addFaults([
      { operation: 'POST /checkouts', kind: 'reset_after' },
      { operation: 'GET /checkouts', kind: 'reset_before' },
    ]);
    const { job } = waitOf(await story.run());
    story.riverside.addFaults([{ operation: 'GET /checkouts', kind: 'html' }]);
    const again = waitOf(await story.run({ job, starts: 2 }));
    const ending = endOfRun(await story.run({ job: again.job, starts: 3 }));
    expect(ending.checkout).toEqual({ result: 'ALREADY_CHECKED_OUT', keys: [] });
    expect(loans(story)).toHaveLength(1);
  });

  test('T-35 it comes back too late: no loan, the copy stands', async () => {
    const story = await open();
    story.riverside.addFaults([{ operation: 'POST /checkouts', kind: 'reset_before' }]);
    const { job } = waitOf(await story.run());
    const late = { ...job, received_ms: Date.now() - 120_000 };
    expect(endOfRun(await story.run({ job: late, starts: 2 }))).toMatchObject({
      outcome: 'COPIED',
      checkout: { result: 'TOO_LATE' },
    });
    expect(loans(story)).toHaveLength(0);
  });

  test('T-35 it comes back too late, but the loan had been made in time: that is told', async () => {
    const story = await open();
    story.riverside.addFaults([
      { operation: 'POST /checkouts', kind: 'reset_after' },
      { operation: 'GET /items', kind: 'reset_before', times: !isFrom(release, '24.11') ? 2 : 1 },
    ]);
    const first = await story.run();
    const { job } = waitOf(first);
    story.riverside.clearFaults();
    const late = { ...job, received_ms: Date.now() - 120_000 };
    const { checkout: result } = endOfRun(await story.run({ job: late, starts: 2 }));
    expect(result).toMatchObject({ result: !isFrom(release, '24.11') ? 'TOO_LATE' : 'ALREADY_CHECKED_OUT' });
    expect(loans(story)).toHaveLength(!isFrom(release, '24.11') ? 0 : 1);
  });

  test('the copy vanished before the loan: BLOCKED', async () => {
    const story = await open();
    const { job } = await parkedBeforeLoan(story);
    story.riverside.deletePatron(CARD);
    expect(endOfRun(await story.run({ job })).checkout?.result).toBe('BLOCKED');
  });

  async function parkedBeforeLoan(story: WorkflowBench) {
    story.riverside.addFaults([{ operation: 'POST /checkouts', kind: 'reset_before' }]);
    return waitOf(await story.run());
  }
});
