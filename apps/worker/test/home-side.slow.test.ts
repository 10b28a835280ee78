import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { FaultDraft } from '@passport/koha-double';
import { leakGuard } from '@passport/testkit';
import { CARD } from './builders.ts';
import {
  PATRON,
  type WorkflowBench,
  type WorkflowPlan,
  endOfRun,
  openWorkflow,
  waitOf,
} from './workflow-bench.ts';

const own = leakGuard({ beforeEach, afterEach });
const open = async (plan: WorkflowPlan = {}): Promise<WorkflowBench> => own(await openWorkflow(plan));
const TIMEOUT_MS = 1_000;
const QUERY = 'GET /patrons';

const faulty = async (...faults: Omit<FaultDraft, 'operation'>[]) => {
  const workflow = await open();
  workflow.midland.addFaults(faults.map((fault) => ({ operation: QUERY, ...fault })));
  return workflow;
};

describe('T-16 a home library that gives no usable answer is waited for by name', () => {
  test.each<[string, Omit<FaultDraft, 'operation'>]>([
    ['502', { kind: 'html', status: 502 }],
    ['HTML with 200', { kind: 'html', status: 200 }],
    ['half a JSON', { kind: 'truncate' }],
    ['half an answer', { kind: 'truncate', cut: true }],
    ['a reset', { kind: 'reset_before' }],
    ['500, with a new token too', { kind: 'status', status: 500, times: 2 }],
    ['503', { kind: 'status', status: 503 }],
  ])('%s', async (_what, fault) => {
    const workflow = await faulty(fault);
    const { job, worthReporting } = waitOf(await workflow.run());
    expect(job.progress).toMatchObject({
      state: 'waiting',
      homes: [{ id: 'midland' }],
      waiting_for: { library: 'midland', reason: 'NO_ANSWER' },
    });
    expect(worthReporting).toBe(true);
    expect(endOfRun(await workflow.run({ job, starts: 2 })).outcome).toBe('COPIED');
  });

  test('429 waits as long as it says', async () => {
    const workflow = await faulty({ kind: 'status', status: 429, headers: { 'retry-after': '5' } });
    const { job, untilMs } = waitOf(await workflow.run());
    expect(job.progress.waiting_for).toMatchObject({ library: 'midland', reason: 'RATE_LIMITED' });
    expect(untilMs - Date.now()).toBeGreaterThan(4_500);
  });
});

describe('T-08 a home library that accepts and never answers', () => {
  test('is named when its deadline has passed, not later', async () => {
    const workflow = await faulty({ kind: 'hang' });
    const startedAt = performance.now();
    const { job } = waitOf(await workflow.run());
    const tookMs = performance.now() - startedAt;

    expect(job.progress.waiting_for).toMatchObject({ library: 'midland', reason: 'NO_ANSWER' });
    expect(tookMs).toBeGreaterThanOrEqual(TIMEOUT_MS * 0.95);
    expect(tookMs).toBeLessThan(TIMEOUT_MS * 1.3);
  });

  test('is not queried any more after five: the sixth event knows at once, at no attempt', async () => {
    const workflow = await faulty({ kind: 'hang', times: 6 });
    await Promise.all([1, 2, 3, 4, 5].map((n) => workflow.run({ job: { event_id: `evt_${n}` } })));
    workflow.midland.clearCalls();
    const startedAt = performance.now();
    const decision = waitOf(await workflow.run({ job: { event_id: 'evt_6' } }));

    expect(performance.now() - startedAt).toBeLessThan(TIMEOUT_MS / 2);
    expect(decision.job.progress).toMatchObject({ attempt: 0, waiting_for: { reason: 'CIRCUIT_OPEN' } });
    expect(decision.forCircuitsOf).toEqual(['midland']);
    expect(workflow.calls()).toEqual([]);
  });
});

describe('a home library that refuses us is named at once, since only a person can fix it', () => {
  test('credentials', async () => {
    const workflow = await faulty({ kind: 'status', status: 401, times: 2 });
    expect(endOfRun(await workflow.run())).toMatchObject({
      outcome: 'MISCONFIGURED',
      problem: { library: 'midland', what: 'credentials' },
    });
    expect(workflow.audited).toContain('refused by midland');
  });

  test('permission', async () => {
    const workflow = await open();
    workflow.midland.putSettings({ permissions: [] });
    expect(endOfRun(await workflow.run())).toMatchObject({
      outcome: 'MISCONFIGURED',
      problem: { library: 'midland', what: 'permission', name: expect.stringContaining('borrowers') },
    });
  });
});

describe('nothing is created', () => {
  test('where nobody has the card', async () => {
    const workflow = await open();
    expect(endOfRun(await workflow.run({ card: '21234000000088' }))).toEqual({ outcome: 'NOT_FOUND' });
    expect(workflow.calls()).toEqual([`midland ${QUERY}`]);
  });

  test('T-17 from a record without a name', async () => {
    const workflow = await open();
    workflow.midland.putPatron(CARD, { surname: '', firstname: '' });
    expect(endOfRun(await workflow.run())).toMatchObject({
      outcome: 'NOT_ELIGIBLE',
      reasons: ['INCOMPLETE_RECORD'],
    });
    expect(workflow.riverside.state().patrons).toHaveLength(1);
  });

  test('T-11 from a patron whose login was scanned: a copy would have another card', async () => {
    const login = '21234000000088';
    const workflow = await open();
    workflow.midland.putPatron(CARD, { userid: login });
    expect(endOfRun(await workflow.run({ card: login }))).toEqual({ outcome: 'NOT_FOUND' });
    expect(workflow.riverside.state().patrons).toHaveLength(1);
  });

  test('T-33 from a copy: it is no home record', async () => {
    const workflow = await open();
    workflow.midland.putPatron(CARD, { extended_attributes: [{ type: 'PASSPORTED', value: 'lakeside' }] });
    expect(endOfRun(await workflow.run())).toEqual({ outcome: 'NOT_FOUND' });
  });

  test('T-12 from a patron who may not borrow at home, and all reasons are reported', async () => {
    const workflow = await open();
    workflow.midland.putPatron(CARD, { expiry_date: '2020-01-01', patron_card_lost: true });
    expect(endOfRun(await workflow.run())).toMatchObject({
      outcome: 'NOT_ELIGIBLE',
      homes: ['midland'],
      reasons: ['EXPIRED', 'CARD_LOST'],
    });
    expect(workflow.calls()).toEqual([`midland ${QUERY}`]);
  });

  test('where the library does not show reasons, none are reported, only audited', async () => {
    const workflow = await open({ entry: { eligibility: { show_reasons: false } } });
    workflow.midland.putPatron(CARD, { patron_card_lost: true });
    expect(endOfRun(await workflow.run())).toMatchObject({ outcome: 'NOT_ELIGIBLE', reasons: [] });
    expect(workflow.audited).toContain('not eligible: CARD_LOST');
  });

  test('T-13 for a category that nothing is said about', async () => {
    const plan = { entry: { copy: { category: { by_home_category: { CH: 'PT' } } } } };
    const workflow = await open(plan);
    expect(endOfRun(await workflow.run())).toMatchObject({
      outcome: 'MISCONFIGURED',
      problem: { library: 'riverside', what: 'category', name: PATRON.category_id },
    });
    expect(workflow.calls()).toEqual([`midland ${QUERY}`]);
  });
});
