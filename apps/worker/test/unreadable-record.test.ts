import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { leakGuard } from '@passport/testkit';
import { CARD, ITEM } from './builders.ts';
import { type WorkflowBench, endOfRun, openWorkflow } from './workflow-bench.ts';

const own = leakGuard({ beforeEach, afterEach });
const ZEROS = '0000-00-00';
/** The breaker opens after five. */
const MANY = 6;

describe('a record that its library’s Koha cannot show', () => {
  const looks = (workflow: WorkflowBench) =>
    workflow.calls().filter((call) => call === 'midland GET /patrons').length;

  test('ends the scan after two tries, and names library and field', async () => {
    const workflow = own(await openWorkflow());
    workflow.midland.putPatron(CARD, { date_of_birth: ZEROS });
    expect(endOfRun(await workflow.run())).toMatchObject({
      outcome: 'MISCONFIGURED',
      problem: { library: 'midland', what: 'record', name: 'date_of_birth' },
    });
    expect(looks(workflow)).toBe(2);
    expect(workflow.copy()).toBeUndefined();
  });

  test('opens no circuit: others of its library are copied at once', async () => {
    const workflow = own(await openWorkflow());
    workflow.midland.putPatron('21234000099999', { surname: 'X', date_of_birth: ZEROS });
    for (let scans = 0; scans < MANY; scans += 1) await workflow.run({ card: '21234000099999' });
    expect(workflow.libraries.circuit('midland')).toMatchObject({ isOpen: false });
    expect(endOfRun(await workflow.run())).toMatchObject({ outcome: 'COPIED' });
  });

  test('is named at the lending library, too', async () => {
    const workflow = own(await openWorkflow());
    await workflow.run({ item: null });
    workflow.riverside.putPatron(CARD, { date_of_birth: ZEROS });
    expect(endOfRun(await workflow.run({ job: { event_id: 'evt_2' } }))).toMatchObject({
      outcome: 'MISCONFIGURED',
      homes: ['midland'],
      problem: { library: 'riverside', what: 'record', name: 'date_of_birth' },
    });
  });
});

test('an item that the lending Koha cannot show is not checked out, and the patron is there', async () => {
  const workflow = own(await openWorkflow({ riverside: { release: '23.11' } }));
  workflow.riverside.putItem(ITEM, { last_checkout_date: ZEROS });
  for (let scans = 0; scans < MANY; scans += 1) {
    const job = { event_id: `evt_${scans}` };
    expect(endOfRun(await workflow.run({ job }))).toMatchObject({
      outcome: scans === 0 ? 'COPIED' : 'ALREADY_LOCAL',
      patronId: expect.any(Number),
      checkout: { result: 'BLOCKED', keys: ['RECORD_UNREADABLE'] },
    });
  }
  expect(workflow.libraries.circuit('riverside')).toMatchObject({ isOpen: false });
});
