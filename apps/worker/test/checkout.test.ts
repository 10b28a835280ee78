import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { isFrom, testedReleases } from '@passport/koha-double';
import { leakGuard } from '@passport/testkit';
import { ScanCancelled } from '../src/provision/scan.ts';
import type { TakenJob } from '../src/job/taken-job.ts';
import type { ProvisionContext } from '../src/provision/context.ts';
import { CARD, ITEM, kohaError } from './builders.ts';
import {
  type WorkflowBench,
  type WorkflowPlan,
  consortiumOf,
  endOfRun,
  openWorkflow,
  waitOf,
} from './workflow-bench.ts';

const own = leakGuard({ beforeEach, afterEach });

/** Koha requires confirmation of a rental charge only where the library wants that. */
const confirmsFees = { RentalFeesCheckoutConfirmation: '1' };

describe.each(testedReleases)('the checkout of the waiting item, Koha %s:', (release) => {
  const open = async (plan: WorkflowPlan = {}): Promise<WorkflowBench> =>
    own(await openWorkflow({ ...plan, riverside: { release, settings: confirmsFees, ...plan.riverside } }));
  const confirming = (...keys: string[]): WorkflowPlan => ({ entry: { retry: { confirm: keys } } });
  const checkout = async (workflow: WorkflowBench, wish = {}) => endOfRun(await workflow.run(wish)).checkout;
  const checkouts = (workflow: WorkflowBench) => workflow.riverside.state().checkouts;
  const copyNow = async (workflow: WorkflowBench): Promise<number> => {
    const { patronId } = endOfRun(await workflow.run({ item: null }));
    if (patronId === undefined) throw new Error('no copy');
    return patronId;
  };

  test('CHECKED_OUT at the branch of the scan', async () => {
    const workflow = await open();
    expect(await checkout(workflow, { job: { branch: 'NORTH' } })).toEqual({
      result: 'CHECKED_OUT',
      keys: [],
    });
    expect(checkouts(workflow)).toMatchObject([{ library_id: 'NORTH', external_id: ITEM, cardnumber: CARD }]);
  });

  test('waits, where Koha fails over it, with what is known of the copy', async () => {
    const workflow = await open();
    const body = { error: 'x', error_code: 'internal_server_error' };
    workflow.riverside.addFaults([
      { operation: 'POST /checkouts', kind: 'status', status: 500, body, times: 9 },
    ]);
    expect(waitOf(await workflow.run()).job.progress).toMatchObject({
      state: 'waiting',
      homes: [{ id: 'midland' }],
      patron_id: workflow.copy()?.patron_id,
      waiting_for: { library: 'riverside', reason: 'NO_ANSWER' },
    });
  });

  test('NOT_ASKED where no item waits, and where the library does not want it', async () => {
    expect(await checkout(await open(), { item: null })).toEqual({ result: 'NOT_ASKED', keys: [] });
    const silent = await open({ entry: { retry: { checkout: false } } });
    expect(await checkout(silent)).toEqual({ result: 'NOT_ASKED', keys: [] });
    expect(checkouts(silent)).toHaveLength(0);
  });

  test('ITEM_NOT_FOUND', async () => {
    expect(await checkout(await open(), { item: 'NO-SUCH' })).toEqual({ result: 'ITEM_NOT_FOUND', keys: [] });
  });

  test('ALREADY_CHECKED_OUT for Koha’s RENEW_ISSUE: never renewed', async () => {
    const workflow = await open();
    await checkout(workflow);
    const [before] = checkouts(workflow);
    expect(await checkout(workflow, { job: { event_id: 'evt_2' } })).toEqual({
      result: 'ALREADY_CHECKED_OUT',
      keys: [],
    });
    expect(checkouts(workflow)).toEqual([before]);
  });

  test('ALREADY_CHECKED_OUT where it could not even be renewed', async () => {
    const workflow = await open();
    workflow.riverside.putSettings({ circulation_rules: [{ rule: 'maxissueqty', value: '50' }] });
    await checkout(workflow);
    expect(await checkout(workflow, { job: { event_id: 'evt_2' } })).toMatchObject({
      result: 'ALREADY_CHECKED_OUT',
    });
  });

  test('NEEDS_CONFIRMATION with Koha’s keys, nothing checked out', async () => {
    const workflow = await open();
    workflow.riverside.putItem(ITEM, { rental_charge: 2 });
    expect(await checkout(workflow)).toEqual({ result: 'NEEDS_CONFIRMATION', keys: ['RENTALCHARGE'] });
    expect(checkouts(workflow)).toHaveLength(0);
  });

  test('confirms when every single key may be', async () => {
    const workflow = await open(confirming('RENTALCHARGE', 'ADDITIONAL_MATERIALS'));
    workflow.riverside.putSettings({ CircConfirmItemParts: true });
    workflow.riverside.putItem(ITEM, { rental_charge: 2, materials_notes: 'with a disc' });
    expect(await checkout(workflow)).toEqual({ result: 'CHECKED_OUT', keys: [] });
  });

  test('confirms nothing when one of them may not be', async () => {
    const workflow = await open(confirming('RENTALCHARGE'));
    workflow.riverside.putSettings({ CircConfirmItemParts: true });
    workflow.riverside.putItem(ITEM, { rental_charge: 2, materials_notes: 'with a disc' });
    expect(await checkout(workflow)).toEqual({
      result: 'NEEDS_CONFIRMATION',
      keys: ['ADDITIONAL_MATERIALS', 'RENTALCHARGE'],
    });
    expect(checkouts(workflow)).toHaveLength(0);
  });

  test('confirms once: what Koha wants confirmed after that, a person decides', async () => {
    const workflow = await open(confirming('RENTALCHARGE'));
    workflow.riverside.putItem(ITEM, { rental_charge: 2 });
    const body = { error: 'Confirmation error' };
    workflow.riverside.addFaults([
      { operation: 'POST /checkouts', kind: 'status', status: 412, body, times: 9 },
    ]);
    expect(await checkout(workflow)).toEqual({ result: 'NEEDS_CONFIRMATION', keys: ['RENTALCHARGE'] });
    const sent = workflow.calls().filter((call) => call === 'riverside POST /checkouts');
    expect(sent).toHaveLength(2);
  });

  test('the item is out to somebody else: a person decides, that checkout stays', async () => {
    const workflow = await open(confirming('RENTALCHARGE'));
    const other = await copyNow(workflow);
    workflow.riverside.putPatron('LOCAL-1', { surname: 'Other', category_id: 'AD' });
    await checkout(workflow);
    workflow.midland.putPatron('21234000000022', {
      surname: 'Second',
      category_id: 'AD',
      expiry_date: '2037-12-31',
    });
    expect(await checkout(workflow, { card: '21234000000022', job: { event_id: 'evt_2' } })).toEqual({
      result: 'NEEDS_CONFIRMATION',
      keys: ['ISSUED_TO_ANOTHER'],
    });
    expect(checkouts(workflow)).toMatchObject([{ patron_id: other }]);
  });

  test('BLOCKED with Koha’s keys, and nothing of what goes with them', async () => {
    const workflow = await open();
    workflow.riverside.putItem(ITEM, { not_for_loan_status: 1 });
    expect(await checkout(workflow)).toEqual({ result: 'BLOCKED', keys: ['NOT_FOR_LOAN'] });
  });

  test('T-35 TOO_LATE when checkout_within has passed: the copy is finished, nothing is checked out', async () => {
    const workflow = await open();
    const writing = endOfRun(await workflow.run({ agoMs: 90_001 }));
    expect(writing).toMatchObject({ outcome: 'COPIED', checkout: { result: 'TOO_LATE', keys: [] } });
    expect(workflow.calls()).not.toContain('riverside POST /checkouts');
    expect(workflow.copy()).toBeDefined();
  });

  test('T-35 TOO_LATE a little before, so that Koha’s answer is still in time', async () => {
    const workflow = await open();
    expect(await checkout(workflow, { agoMs: 89_500 })).toEqual({ result: 'TOO_LATE', keys: [] });
  });

  test('TOO_LATE when the item is gone from the job by then', async () => {
    const workflow = await open();
    expect(await checkout(workflow, { job: { encrypted_item: null, checkout_requested: true } })).toEqual({
      result: 'TOO_LATE',
      keys: [],
    });
  });

  test('T-35 the answer is lost after the checkout was made: read first, one checkout, CHECKED_OUT', async () => {
    const workflow = await open();
    workflow.riverside.addFaults([{ operation: 'POST /checkouts', kind: 'reset_after' }]);
    expect(await checkout(workflow)).toEqual({ result: 'CHECKED_OUT', keys: [] });
    expect(checkouts(workflow)).toHaveLength(1);
    expect(checkouts(workflow)[0]).toMatchObject({ renewals_count: 0 });
  });

  test('T-35 the call is lost before the checkout was made: tried again later, once', async () => {
    const workflow = await open();
    workflow.riverside.addFaults([{ operation: 'POST /checkouts', kind: 'reset_before' }]);
    const { job } = waitOf(await workflow.run());
    expect(job).toMatchObject({ made: { outcome: 'COPIED', home: 'midland' } });

    workflow.midland.deletePatron(CARD);
    workflow.riverside.clearCalls();
    const writing = endOfRun(await workflow.run({ job, starts: 2 }));
    expect(writing).toMatchObject({ outcome: 'COPIED', checkout: { result: 'CHECKED_OUT' } });
    expect(writing.disclosed?.fields).toContain('surname');
    expect(checkouts(workflow)).toHaveLength(1);
    expect(workflow.calls().filter((call) => call.startsWith('riverside'))).not.toContain(
      'riverside POST /patrons',
    );
  });

  test('T-35 the note says when it may be looked for, also where it has waited for a place for long', async () => {
    const workflow = await open();
    const noted: number[] = [];
    const saveWanted: TakenJob['saveWanted'] = async ({ made }) => {
      noted.push((made?.look_from_ms ?? 0) - Date.now());
    };
    const call: ProvisionContext['libraries']['call'] = (library, work, side) =>
      workflow.libraries.call(
        library,
        (koha) => {
          const checkOut: typeof koha.checkOut = async (wish, how, limits) => {
            expect((limits?.sendBefore ?? 0) - performance.now()).toBeLessThanOrEqual(6_000);
            if (noted.length === 1) throw kohaError('too_late');
            return koha.checkOut(wish, how, limits);
          };
          return work({ ...koha, checkOut });
        },
        side,
      );
    const libraries = { ...workflow.libraries, call };
    const ended = endOfRun(await workflow.run({ saveWanted }, { libraries }));

    expect(ended.checkout).toEqual({ result: 'CHECKED_OUT', keys: [] });
    // A second of Koha's.
    expect(noted.map((ms) => Math.round(ms / 100))).toEqual([10, 10]);
  });

  test('T-35 nobody can know whether it was made: nothing is sent before that is known', async () => {
    const workflow = await open();
    workflow.riverside.addFaults([
      { operation: 'POST /checkouts', kind: 'reset_after' },
      { operation: 'GET /checkouts', kind: 'reset_before' },
    ]);
    const { job } = waitOf(await workflow.run());
    workflow.riverside.addFaults([{ operation: 'GET /checkouts', kind: 'html' }]);
    const again = waitOf(await workflow.run({ job, starts: 2 }));
    const writing = endOfRun(await workflow.run({ job: again.job, starts: 3 }));
    expect(writing.checkout).toEqual({ result: 'ALREADY_CHECKED_OUT', keys: [] });
    expect(checkouts(workflow)).toHaveLength(1);
  });

  test('T-35 it comes back too late: no checkout, the copy stands', async () => {
    const workflow = await open();
    workflow.riverside.addFaults([{ operation: 'POST /checkouts', kind: 'reset_before' }]);
    const { job } = waitOf(await workflow.run());
    const late = { ...job, received_ms: Date.now() - 120_000 };
    expect(endOfRun(await workflow.run({ job: late, starts: 2 }))).toMatchObject({
      outcome: 'COPIED',
      checkout: { result: 'TOO_LATE' },
    });
    expect(checkouts(workflow)).toHaveLength(0);
  });

  test('T-35 it comes back too late, but the checkout had been made in time: that is reported', async () => {
    const workflow = await open();
    workflow.riverside.addFaults([
      { operation: 'POST /checkouts', kind: 'reset_after' },
      { operation: 'GET /items', kind: 'reset_before', times: !isFrom(release, '24.11') ? 2 : 1 },
    ]);
    const first = await workflow.run();
    const { job } = waitOf(first);
    workflow.riverside.clearFaults();
    const late = { ...job, received_ms: Date.now() - 120_000 };
    const { checkout: result } = endOfRun(await workflow.run({ job: late, starts: 2 }));
    expect(result).toMatchObject({ result: !isFrom(release, '24.11') ? 'TOO_LATE' : 'ALREADY_CHECKED_OUT' });
    expect(checkouts(workflow)).toHaveLength(!isFrom(release, '24.11') ? 0 : 1);
  });

  test.each([
    ['observes by now', { copy: { mode: 'observe' } }],
    ['wants no checkouts by now', { retry: { checkout: false } }],
  ])(
    'a checkout that was sent is looked for where the library %s, and nothing is sent',
    async (_n, entry) => {
      const workflow = await open();
      const { patronId = 0 } = endOfRun(await workflow.run());
      workflow.riverside.clearCalls();
      const made = {
        outcome: 'COPIED' as const,
        reasons: [],
        home: 'midland',
        home_key: 'midland:2',
        patron_id: patronId,
        disclosed: ['surname'],
      };
      const cancelled = () => Promise.reject(new ScanCancelled());
      const later = { starts: 2, isCancelled: true, saveWanted: cancelled, job: { made } };
      const consortium = consortiumOf([workflow.midland, workflow.riverside], entry);
      const ended = await workflow.run(later, { consortium });

      expect(ended).toMatchObject({ outcome: 'COPIED', checkout: { result: 'ALREADY_CHECKED_OUT' } });
      expect(ended).toMatchObject({ ifCancelled: null });
      const gone = await workflow.run({ ...later, item: 'NO-SUCH' }, { consortium });
      expect(endOfRun(gone).checkout?.result).toBe('ITEM_NOT_FOUND');
      expect(workflow.calls()).not.toContain('riverside POST /checkouts');
    },
  );

  test('the copy vanished before the checkout: BLOCKED', async () => {
    const workflow = await open();
    const { job } = await delayedBeforeCheckout(workflow);
    workflow.riverside.deletePatron(CARD);
    expect(endOfRun(await workflow.run({ job })).checkout?.result).toBe('BLOCKED');
  });

  async function delayedBeforeCheckout(workflow: WorkflowBench) {
    workflow.riverside.addFaults([{ operation: 'POST /checkouts', kind: 'reset_before' }]);
    return waitOf(await workflow.run());
  }
});
