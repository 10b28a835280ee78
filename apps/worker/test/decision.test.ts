import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type JobData, OVERRIDE_REASONS } from '@passport/contract';
import type { StoredDecision } from '@passport/queue/scans';
import { type KohaDouble, startKohaDouble } from '@passport/koha-double';
import { leakGuard } from '@passport/testkit';
import { statisticsOf } from '@passport/queue/statistics';
import type { Ledger } from '@passport/queue/ledger';
import { type SettleContext, releaseQuota, settle } from '../src/job/settlement.ts';
import { CARD, runDeps } from './builders.ts';
import { PATRON, type WorkflowBench, endOfRun, openWorkflow, waitOf } from './workflow-bench.ts';

/** What a cancelled event without an item never touches. */
const UNUSED = {} as Pick<SettleContext, 'redis' | 'receipts'>;
const own = leakGuard({ beforeEach, afterEach });
const decides = ['HOME_CHOICE', 'OVERRIDE'] as const satisfies JobData['decides'];
const said = (answer: string): StoredDecision => ({ answer, operator: 77, at_ms: Date.now() });
const written = (workflow: WorkflowBench): string[] =>
  workflow.calls().filter((call) => !call.includes(' GET '));
const answered = (workflow: WorkflowBench, job: JobData, answer: StoredDecision | null) =>
  workflow.run({ job, starts: 1 }, { readDecision: () => Promise.resolve(answer) });

describe('a card that two libraries have', () => {
  let lakeside: KohaDouble;
  const open = async (entry: object = {}): Promise<WorkflowBench> => {
    lakeside = await startKohaDouble({ library: 'lakeside' });
    lakeside.putPatron(CARD, { ...PATRON, surname: 'Else', firstname: 'Other' });
    const workflow = own(await openWorkflow({ more: [lakeside], entry: { ...entry } }));
    return workflow;
  };
  afterEach(() => lakeside.close());
  const put = async (workflow: WorkflowBench): Promise<JobData> =>
    waitOf(await workflow.run({ job: { decides: [...decides] } })).job;

  test('waits for the desk to choose between the libraries, and shows nothing of the patrons', async () => {
    const workflow = await open();
    const job = await put(workflow);
    expect(job).toMatchObject({
      sent: null,
      asks: { question: 'HOME_CHOICE', options: ['midland', 'lakeside'], home_key: null, reasons: [] },
      progress: {
        state: 'waiting',
        reasons: [],
        homes: [
          { id: 'midland', name: 'midland library' },
          { id: 'lakeside', name: 'lakeside library' },
        ],
        waiting_for: { library: 'riverside', reason: 'HOME_CHOICE' },
      },
    });
    expect(written(workflow)).toEqual([]);
  });

  test('copies from the library that was chosen, asks no other again, and checks out', async () => {
    const workflow = await open();
    const job = await put(workflow);
    const before = lakeside.calls().length;
    const end = await answered(workflow, job, said('midland'));
    expect(endOfRun(end)).toMatchObject({
      outcome: 'COPIED',
      homes: ['midland'],
      checkout: { result: 'CHECKED_OUT' },
    });
    expect(workflow.copy()).toMatchObject({ surname: 'Okafor' });
    expect(lakeside.calls().length).toBe(before);
    expect(workflow.audited).toContain('HOME_CHOICE: midland');
    if (end.kind !== 'done') throw new Error('it has not ended');
    expect(end.job.decided).toMatchObject([{ question: 'HOME_CHOICE', option: 'midland', operator: 77 }]);
    expect(statisticsOf(end.job).counted).toBe('midland COPIED CHECKED_OUT');
  });

  test('holds the patron of the chosen library against all rules, as at any first scan', async () => {
    const workflow = await open();
    const job = await put(workflow);
    workflow.midland.putPatron(CARD, { expiry_date: '2020-01-31' });
    expect(endOfRun(await answered(workflow, job, said('midland')))).toMatchObject({
      outcome: 'NOT_ELIGIBLE',
      reasons: ['EXPIRED'],
    });
    expect(written(workflow)).toEqual([]);
  });

  test.each([['somewhere'], ['riverside']])('takes %s for nobody, whoever stored it', async (home) => {
    const workflow = await open();
    const job = await put(workflow);
    expect(endOfRun(await answered(workflow, job, said(home)))).toMatchObject({ outcome: 'NOT_FOUND' });
    expect(written(workflow)).toEqual([]);
  });

  test('ends as it did before where nobody chooses in time, or nobody stands there', async () => {
    const workflow = await open();
    const job = await put(workflow);
    const late = { ...job, asks: { ...job.asks, until_ms: Date.now() - 1 } as NonNullable<JobData['asks']> };
    const ambiguous = { outcome: 'AMBIGUOUS_HOME', homes: ['midland', 'lakeside'] };
    expect(endOfRun(await answered(workflow, late, null))).toMatchObject(ambiguous);
    expect(endOfRun(await workflow.run())).toMatchObject(ambiguous);
    for (const kind of ['sip', 'self_check'] as const) {
      const at = { interface: kind, decides: [...decides] };
      expect(endOfRun(await workflow.run({ job: at }))).toMatchObject(ambiguous);
    }
  });

  test('is nobody’s to choose where the library only observes', async () => {
    const workflow = await open({ copy: { mode: 'observe' } });
    const end = endOfRun(await workflow.run({ job: { decides: [...decides] } }));
    expect(end).toMatchObject({ outcome: 'AMBIGUOUS_HOME' });
  });

  test('goes on waiting where somebody starts it, and ends as cancelled where it was', async () => {
    const workflow = await open();
    const job = await put(workflow);
    expect(waitOf(await answered(workflow, job, null))).toMatchObject({
      reason: 'HOME_CHOICE',
      worthReporting: false,
    });
    const cancelled = await workflow.run(
      { job, starts: 1, isCancelled: true },
      { readDecision: () => Promise.resolve(said('midland')) },
    );
    expect(endOfRun(cancelled)).toEqual({ outcome: 'CANCELLED' });
    expect(written(workflow)).toEqual([]);
  });

  test('is a decision for the hourly limits while staff read it, and after they have cancelled it', async () => {
    const workflow = await open();
    const job = await put(workflow);
    const released: string[] = [];
    const used: string[] = [];
    const ledger = {
      releaseQuota: (_library: string, id: string) => Promise.resolve(void released.push(id)),
      settle: (...[, , , , { used: use }]: Parameters<Ledger['settle']>) =>
        Promise.resolve(void used.push(use)),
    };
    await releaseQuota(job, { ledger });
    expect(released).toEqual([]);
    const end = await workflow.run({ job, starts: 1, isCancelled: true });
    if (end.kind !== 'done') throw new Error('it has not ended');
    const { consortium } = runDeps();
    const { redis, receipts } = UNUSED;
    await settle(end.job, 'riverside.evt_1', { ledger, consortium, redis, receipts, now: Date.now });
    expect([end.outcome, used]).toEqual(['CANCELLED', ['verdicts']]);
    expect(JSON.stringify(end.job.asks)).not.toContain('midland:');
  });

  test('needs the choice once: the run after a lending library that was away goes on with it', async () => {
    const workflow = await open();
    const job = await put(workflow);
    workflow.riverside.addFaults([{ operation: 'POST /patrons', kind: 'status', status: 503, times: 9 }]);
    const wait = waitOf(await answered(workflow, job, said('midland')));
    expect(wait.job.decided).toHaveLength(1);
    workflow.riverside.clearFaults();
    expect(endOfRun(await answered(workflow, wait.job, null))).toMatchObject({ outcome: 'COPIED' });
  });
});

describe('a rule that the lending library calls soft', () => {
  const SOFT = { min_age: 18, max_debt: 10, override: { soft: ['min_age'], for: '90d' } };
  const CHILD = { ...PATRON, date_of_birth: `${new Date().getFullYear() - 12}-01-01` };
  const open = async (eligibility: object = SOFT, entry: object = {}): Promise<WorkflowBench> => {
    const workflow = own(await openWorkflow({ entry: { eligibility, ...entry } }));
    workflow.midland.putPatron(CARD, CHILD);
    return workflow;
  };
  const put = async (workflow: WorkflowBench): Promise<JobData> =>
    waitOf(await workflow.run({ job: { decides: [...decides] } })).job;
  const refused = (reasons: readonly string[] = ['UNDER_AGE']) => ({
    outcome: 'NOT_ELIGIBLE',
    homes: ['midland'],
    reasons,
  });

  test('waits with its reasons for whoever may override it', async () => {
    const workflow = await open();
    const job = await put(workflow);
    expect(job).toMatchObject({
      asks: {
        question: 'OVERRIDE',
        options: OVERRIDE_REASONS,
        home_key: expect.stringMatching(/^midland:\d+$/),
        reasons: ['UNDER_AGE'],
      },
      progress: { state: 'waiting', reasons: ['UNDER_AGE'], waiting_for: { reason: 'OVERRIDE' } },
    });
    expect(workflow.audited).toContain('not eligible: UNDER_AGE');
    expect(written(workflow)).toEqual([]);
  });

  test('is overridden with a reason: copied, audited, and counted by it', async () => {
    const workflow = await open();
    const end = await answered(workflow, await put(workflow), said('GUARANTOR_PRESENT'));
    expect(endOfRun(end)).toMatchObject({ outcome: 'COPIED', reasons: [] });
    expect(workflow.audited).toContain('OVERRIDE: GUARANTOR_PRESENT');
    if (end.kind !== 'done') throw new Error('it has not ended');
    expect(statisticsOf(end.job).counted).toBe('midland COPIED CHECKED_OUT GUARANTOR_PRESENT');
  });

  test('refuses at once where nobody may override it', async () => {
    const workflow = await open();
    expect(endOfRun(await workflow.run({ job: { decides: ['HOME_CHOICE'] } }))).toMatchObject(refused());
    const self = { interface: 'self_check' as const, decides: [...decides] };
    expect(endOfRun(await workflow.run({ job: self }))).toMatchObject(refused());
  });

  test('never lets anybody override what home says, or another rule', async () => {
    const workflow = await open();
    const run = async () => endOfRun(await workflow.run({ job: { decides: [...decides] } }));
    for (const [change, reasons] of [
      [{ expiry_date: '2020-01-31' }, ['EXPIRED', 'UNDER_AGE']],
      [{ ...CHILD, restricted: true }, ['RESTRICTED', 'UNDER_AGE']],
      [{ ...CHILD, restricted: false, patron_card_lost: true }, ['CARD_LOST', 'UNDER_AGE']],
      [{ ...PATRON, patron_card_lost: true }, ['CARD_LOST']],
    ] as const) {
      workflow.midland.putPatron(CARD, change);
      expect(await run()).toMatchObject(refused(reasons));
    }
    expect(written(workflow)).toEqual([]);
  });

  test('is for this patron and these reasons: what has come up since, or somebody else, stays refused', async () => {
    const workflow = await open();
    const job = await put(workflow);
    workflow.midland.putPatron(CARD, { patron_card_lost: true });
    expect(endOfRun(await answered(workflow, job, said('DOCUMENT_SEEN')))).toMatchObject(
      refused(['CARD_LOST', 'UNDER_AGE']),
    );
    workflow.midland.deletePatron(CARD);
    workflow.midland.putPatron(CARD, { ...CHILD, surname: 'Else' });
    expect(endOfRun(await answered(workflow, job, said('DOCUMENT_SEEN')))).toMatchObject(refused());
    const both = await open({ ...SOFT, override: { soft: ['min_age', 'max_debt'] } });
    const asked = await put(both);
    both.midland.putPatron(CARD, { account_balance: 40 });
    expect(endOfRun(await answered(both, asked, said('DOCUMENT_SEEN')))).toMatchObject(
      refused(['DEBT_OVER_LIMIT', 'UNDER_AGE']),
    );
    expect(written(workflow)).toEqual([]);
  });

  test('is over with its term: an event that is retried after that copies nobody, and asks nobody again', async () => {
    const workflow = await open({ ...SOFT, override: { soft: ['min_age'], for: '1d' } });
    const asked = await put(workflow);
    const { home_key = null, reasons = [] } = asked.asks ?? {};
    const retry = async (agoMs: number) => {
      const at = new Date(Date.now() - agoMs).toISOString();
      const decided = [
        { question: 'OVERRIDE', home_key, reasons, option: 'GUARANTOR_PRESENT', operator: 77, at } as const,
      ];
      return endOfRun(
        await answered(workflow, { ...asked, decided, retried: { at_ms: Date.now(), stalled: 0 } }, null),
      );
    };
    expect(await retry(25 * 3_600_000)).toMatchObject(refused());
    expect(written(workflow)).toEqual([]);
    expect(await retry(23 * 3_600_000)).toMatchObject({ outcome: 'COPIED' });
  });

  test('is not put where the library only observes, and lapses into the refusal', async () => {
    const observing = await open(SOFT, { copy: { mode: 'observe' } });
    expect(endOfRun(await observing.run({ job: { decides: [...decides] } }))).toMatchObject(refused());
    const workflow = await open();
    const job = await put(workflow);
    const late = { ...job, asks: { ...job.asks, until_ms: Date.now() - 1 } as NonNullable<JobData['asks']> };
    expect(endOfRun(await answered(workflow, late, null))).toMatchObject(refused());
  });

  test('still has the patron asked for their consent', async () => {
    const consent = { consent: 'ask', consent_text: { id: 'v1', text: { en: 'May we?' } } };
    const workflow = await open(SOFT, { copy: consent });
    const wait = waitOf(await answered(workflow, await put(workflow), said('LIBRARY_DECIDED')));
    expect(wait).toMatchObject({ reason: 'CONSENT', job: { progress: { reasons: [] } } });
    expect(written(workflow)).toEqual([]);
  });
});
