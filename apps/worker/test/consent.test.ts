import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { JobData } from '@passport/contract';
import type { StoredConsent } from '@passport/queue/scans';
import { leakGuard } from '@passport/testkit';
import { CARD } from './builders.ts';
import { PATRON, type WorkflowBench, endOfRun, openWorkflow, waitOf } from './workflow-bench.ts';

const own = leakGuard({ beforeEach, afterEach });
const TEXTS = { en: 'May we copy your record?', de: 'Dürfen wir?' };
const YES: StoredConsent = { answer: 'yes', text_id: 'v1', operator: 77, at_ms: 1_764_061_200_000 };
const REQUESTS_CONSENT = { consent: 'ask', consent_text: { id: 'v1', text: TEXTS }, consent_within: '4m' };

describe('a library that requests consent', () => {
  const open = async (copy: Record<string, unknown> = {}): Promise<WorkflowBench> =>
    own(await openWorkflow({ entry: { copy: { ...REQUESTS_CONSENT, ...copy } } }));
  const written = (workflow: WorkflowBench): string[] =>
    workflow.calls().filter((call) => !call.includes(' GET '));
  /** Runs a scan up to its question, and returns the job as it waits. */
  const question = async (workflow: WorkflowBench): Promise<JobData> => waitOf(await workflow.run()).job;
  const answered = (workflow: WorkflowBench, job: JobData, answer: StoredConsent | null) =>
    workflow.run({ job, starts: 1 }, { readConsent: () => Promise.resolve(answer) });

  test('waits with its text before anything leaves for the lending library', async () => {
    const workflow = await open();
    const wait = waitOf(await workflow.run());

    expect(wait).toMatchObject({ reason: 'CONSENT', worthReporting: true });
    expect(wait.untilMs - Date.now()).toBeLessThan(61_000);
    expect(Date.parse(wait.job.progress.waiting_for?.next_try_at ?? '') - Date.now()).toBeGreaterThan(
      200_000,
    );
    expect(wait.job).toMatchObject({
      sent: null,
      question: {
        home: 'midland',
        home_key: expect.stringMatching(/^midland:\d+$/),
        text_id: 'v1',
        texts: TEXTS,
      },
      progress: {
        state: 'waiting',
        homes: [{ id: 'midland', name: 'midland library' }],
        waiting_for: { library: 'riverside', reason: 'CONSENT' },
      },
    });
    expect(workflow.calls()).toEqual(['midland GET /patrons']);
  });

  test('copies and checks out after a yes, and keeps text, staff and time for the receipt', async () => {
    const workflow = await open();
    const job = await question(workflow);
    const end = await answered(workflow, job, YES);

    expect(endOfRun(end)).toMatchObject({ outcome: 'COPIED', checkout: { result: 'CHECKED_OUT' } });
    if (end.kind !== 'done') throw new Error('it has not ended');
    expect(end.job.consent).toEqual({ text_id: 'v1', operator: 77, at: '2025-11-25T09:00:00.000Z' });
    expect(end.job.question).toBeUndefined();
    expect(workflow.audited).toContain('consent: yes');
  });

  test('reads the answer once, also where a yes is found', async () => {
    const workflow = await open();
    const job = await question(workflow);
    let reads = 0;
    const readConsent = (): Promise<StoredConsent> => {
      reads += 1;
      return Promise.resolve(YES);
    };
    expect(endOfRun(await workflow.run({ job, starts: 1 }, { readConsent }))).toMatchObject({
      outcome: 'COPIED',
    });
    expect(reads).toBe(1);
  });

  test('writes nothing after a no, and looks nobody up again', async () => {
    const workflow = await open();
    const job = await question(workflow);
    const end = endOfRun(await answered(workflow, job, { ...YES, answer: 'no' }));

    expect(end).toMatchObject({ outcome: 'CONSENT_REFUSED', homes: ['midland'] });
    expect(end.disclosed).toBeUndefined();
    expect(workflow.calls()).toEqual(['midland GET /patrons']);
  });

  test('goes on waiting where somebody starts it without an answer, with the same end', async () => {
    const workflow = await open();
    const job = await question(workflow);
    const wait = waitOf(await answered(workflow, job, null));

    expect(wait).toMatchObject({ reason: 'CONSENT', worthReporting: false });
    expect(wait.job.question).toEqual(job.question);
    expect(workflow.calls()).toHaveLength(1);
  });

  test('ends by itself when nobody answers', async () => {
    const workflow = await open();
    const job = await question(workflow);
    if (job.question === undefined) throw new Error('no question');
    const late = { ...job, question: { ...job.question, until_ms: Date.now() - 1 } };

    expect(endOfRun(await answered(workflow, late, null))).toMatchObject({
      outcome: 'CONSENT_LAPSED',
      homes: ['midland'],
    });
    expect(written(workflow)).toEqual([]);
  });

  test('takes no yes of one patron for another', async () => {
    const workflow = await open();
    const job = await question(workflow);
    workflow.midland.deletePatron(CARD);
    workflow.midland.putPatron(CARD, { ...PATRON, surname: 'Else' });

    expect(endOfRun(await answered(workflow, job, YES))).toMatchObject({ outcome: 'CONSENT_LAPSED' });
    expect(written(workflow)).toEqual([]);
  });

  test('checks once more after the yes who may borrow', async () => {
    const workflow = await open();
    const job = await question(workflow);
    workflow.midland.putPatron(CARD, { expiry_date: '2020-01-01' });
    expect(endOfRun(await answered(workflow, job, YES))).toMatchObject({ outcome: 'NOT_ELIGIBLE' });
  });

  test.each(['self_check', 'sip'] as const)('sends the patron to the desk from %s', async (kind) => {
    const workflow = await open();
    expect(endOfRun(await workflow.run({ job: { interface: kind } }))).toMatchObject({
      outcome: 'CONSENT_AT_DESK',
      homes: ['midland'],
    });
    expect(written(workflow)).toEqual([]);
  });

  test('requests none for a patron who may not borrow, nor where it only observes', async () => {
    const workflow = await open();
    workflow.midland.putPatron(CARD, { expiry_date: '2020-01-01' });
    expect(endOfRun(await workflow.run())).toMatchObject({ outcome: 'NOT_ELIGIBLE' });

    const observing = await open({ mode: 'observe' });
    expect(endOfRun(await observing.run())).toMatchObject({ outcome: 'OBSERVED' });
  });

  test('shows the text that was there when it was put first', async () => {
    const workflow = await open({ consent_text: { id: 'v2', text: 'Another text' } });
    const job = await question(await open());
    const wait = waitOf(await answered(workflow, job, null));
    expect(wait.job.question).toMatchObject({ text_id: 'v1', texts: TEXTS });
  });

  test('keeps a question that is on a screen where it is required no longer, and its yes', async () => {
    const job = await question(await open());
    const workflow = await open({ consent: 'none' });
    expect(waitOf(await answered(workflow, job, null))).toMatchObject({ reason: 'CONSENT' });
    expect(workflow.calls()).toEqual([]);

    const end = await answered(workflow, job, YES);
    expect(end).toMatchObject({ kind: 'done', job: { consent: { text_id: 'v1', operator: 77 } } });
  });

  test('requests none for a record that had left before it was required, and for another patron it does', async () => {
    const sent = (patronId: number) => ({
      home: 'midland',
      home_key: `midland:${patronId}`,
      fields: ['surname'],
    });
    const workflow = await open();
    const { patron_id: id = 0 } = workflow.midland.state(CARD).patrons[0] ?? {};
    expect(endOfRun(await workflow.run({ starts: 2, job: { sent: sent(id) } }))).toMatchObject({
      outcome: 'COPIED',
    });
    const other = await open();
    expect(waitOf(await other.run({ starts: 2, job: { sent: sent(id + 1) } }))).toMatchObject({
      reason: 'CONSENT',
    });
    expect(written(other)).toEqual([]);
  });

  test('counts neither the patience nor the time for the checkout while the patron reads', async () => {
    const workflow = await open();
    const first = await question(workflow);
    if (first.question === undefined) throw new Error('no question');
    // scanned 20 minutes ago, found 10 minutes ago, answered now
    const job = {
      ...first,
      received_ms: Date.now() - 1_200_000,
      question: { ...first.question, put_ms: Date.now() - 600_000 },
    };
    workflow.riverside.addFaults([{ operation: 'POST /patrons', kind: 'html', status: 503, times: 9 }]);
    const wait = waitOf(await answered(workflow, job, { ...YES, at_ms: Date.now() }));
    expect(wait.job.sent).toMatchObject({ home: 'midland' });
    workflow.riverside.clearFaults();

    const end = endOfRun(await answered(workflow, wait.job, null));
    expect(end).toMatchObject({ outcome: 'COPIED', checkout: { result: 'CHECKED_OUT' } });
  });

  test('checks no item out that waits for too long after the yes', async () => {
    const workflow = await open();
    const job = { ...(await question(workflow)), received_ms: Date.now() - 400_000 };
    const end = endOfRun(await answered(workflow, job, { ...YES, at_ms: Date.now() - 100_000 }));
    expect(end).toMatchObject({ outcome: 'COPIED', checkout: { result: 'TOO_LATE' } });
  });

  test('ends as cancelled when the event is cancelled while it waits, whatever was answered', async () => {
    const workflow = await open();
    const job = await question(workflow);
    const end = await workflow.run(
      { job, starts: 1, isCancelled: true },
      { readConsent: () => Promise.resolve(YES) },
    );
    expect(endOfRun(end)).toEqual({ outcome: 'CANCELLED' });
    expect(written(workflow)).toEqual([]);
  });

  test('needs the yes once: a later run of the copy goes on with it', async () => {
    const workflow = await open();
    const job = await question(workflow);
    workflow.riverside.addFaults([{ operation: 'POST /patrons', kind: 'status', status: 503, times: 9 }]);
    const wait = waitOf(await answered(workflow, job, YES));
    expect(wait.job).toMatchObject({ sent: { home: 'midland' }, consent: { operator: 77 } });
    workflow.riverside.clearFaults();

    const end = endOfRun(await answered(workflow, wait.job, null));
    expect(end).toMatchObject({ outcome: 'COPIED' });
  });
});
