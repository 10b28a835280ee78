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
const ASK = 'GET /patrons';

const faulty = async (...faults: Omit<FaultDraft, 'operation'>[]) => {
  const story = await open();
  story.midland.addFaults(faults.map((fault) => ({ operation: ASK, ...fault })));
  return story;
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
    const story = await faulty(fault);
    const { job, worthReporting } = waitOf(await story.run());
    expect(job.progress).toMatchObject({
      state: 'waiting',
      homes: [{ id: 'midland' }],
      waiting_for: { library: 'midland', reason: 'NO_ANSWER' },
    });
    expect(worthReporting).toBe(true);
    expect(endOfRun(await story.run({ job, starts: 2 })).outcome).toBe('COPIED');
  });

  test('429 waits as long as it asks for', async () => {
    const story = await faulty({ kind: 'status', status: 429, headers: { 'retry-after': '5' } });
    const { job, untilMs } = waitOf(await story.run());
    expect(job.progress.waiting_for).toMatchObject({ library: 'midland', reason: 'RATE_LIMITED' });
    expect(untilMs - Date.now()).toBeGreaterThan(4_500);
  });
});

describe('T-08 a home library that accepts and never answers', () => {
  test('is named when its deadline has passed, not later', async () => {
    const story = await faulty({ kind: 'hang' });
    const startedAt = performance.now();
    const { job } = waitOf(await story.run());
    const tookMs = performance.now() - startedAt;

    expect(job.progress.waiting_for).toMatchObject({ library: 'midland', reason: 'NO_ANSWER' });
    expect(tookMs).toBeGreaterThanOrEqual(TIMEOUT_MS * 0.95);
    expect(tookMs).toBeLessThan(TIMEOUT_MS * 1.3);
  });

  test('is not asked any more after five: the sixth event knows at once, at no attempt', async () => {
    const story = await faulty({ kind: 'hang', times: 6 });
    await Promise.all([1, 2, 3, 4, 5].map((n) => story.run({ job: { event_id: `evt_${n}` } })));
    story.midland.clearCalls();
    const startedAt = performance.now();
    const decision = waitOf(await story.run({ job: { event_id: 'evt_6' } }));

    expect(performance.now() - startedAt).toBeLessThan(TIMEOUT_MS / 2);
    expect(decision.job.progress).toMatchObject({ attempt: 0, waiting_for: { reason: 'CIRCUIT_OPEN' } });
    expect(decision.forCircuitsOf).toEqual(['midland']);
    expect(story.calls()).toEqual([]);
  });
});

describe('a home library that refuses us is named at once, since only a person can mend it', () => {
  test('credentials', async () => {
    const story = await faulty({ kind: 'status', status: 401, times: 2 });
    expect(endOfRun(await story.run())).toMatchObject({
      outcome: 'MISCONFIGURED',
      problem: { library: 'midland', what: 'credentials' },
    });
    expect(story.audited).toContain('refused by midland');
  });

  test('permission', async () => {
    const story = await open();
    story.midland.putSettings({ permissions: [] });
    expect(endOfRun(await story.run())).toMatchObject({
      outcome: 'MISCONFIGURED',
      problem: { library: 'midland', what: 'permission', name: expect.stringContaining('borrowers') },
    });
  });
});

describe('nothing is created', () => {
  test('where nobody has the card', async () => {
    const story = await open();
    expect(endOfRun(await story.run({ card: '21234000000088' }))).toEqual({ outcome: 'NOT_FOUND' });
    expect(story.calls()).toEqual([`midland ${ASK}`]);
  });

  test('T-17 from a record without a name', async () => {
    const story = await open();
    story.midland.putPatron(CARD, { surname: '', firstname: '' });
    expect(endOfRun(await story.run())).toMatchObject({
      outcome: 'NOT_ELIGIBLE',
      reasons: ['INCOMPLETE_RECORD'],
    });
    expect(story.riverside.state().patrons).toHaveLength(1);
  });

  test('T-11 from a patron whose login was scanned: a copy would have another card', async () => {
    const login = '21234000000088';
    const story = await open();
    story.midland.putPatron(CARD, { userid: login });
    expect(endOfRun(await story.run({ card: login }))).toEqual({ outcome: 'NOT_FOUND' });
    expect(story.riverside.state().patrons).toHaveLength(1);
  });

  test('T-33 from a copy: it is no home record', async () => {
    const story = await open();
    story.midland.putPatron(CARD, { extended_attributes: [{ type: 'PASSPORTED', value: 'lakeside' }] });
    expect(endOfRun(await story.run())).toEqual({ outcome: 'NOT_FOUND' });
  });

  test('T-12 from a patron who may not borrow at home, and all reasons are told', async () => {
    const story = await open();
    story.midland.putPatron(CARD, { expiry_date: '2020-01-01', patron_card_lost: true });
    expect(endOfRun(await story.run())).toMatchObject({
      outcome: 'NOT_ELIGIBLE',
      homes: ['midland'],
      reasons: ['EXPIRED', 'CARD_LOST'],
    });
    expect(story.calls()).toEqual([`midland ${ASK}`]);
  });

  test('where the library does not show reasons, none are told but audited', async () => {
    const story = await open({ entry: { eligibility: { show_reasons: false } } });
    story.midland.putPatron(CARD, { patron_card_lost: true });
    expect(endOfRun(await story.run())).toMatchObject({ outcome: 'NOT_ELIGIBLE', reasons: [] });
    expect(story.audited).toContain('not eligible: CARD_LOST');
  });

  test('T-13 for a category that nothing is said about', async () => {
    const plan = { entry: { copy: { category: { by_home_category: { CH: 'PT' } } } } };
    const story = await open(plan);
    expect(endOfRun(await story.run())).toMatchObject({
      outcome: 'MISCONFIGURED',
      problem: { library: 'riverside', what: 'category', name: PATRON.category_id },
    });
    expect(story.calls()).toEqual([`midland ${ASK}`]);
  });
});
