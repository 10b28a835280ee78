import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { leakGuard } from '@passport/testkit';
import { CARD } from './builders.ts';
import { openEmptyRedis } from './empty-redis.ts';
import { type SweepBench, cardOf, openSweep } from './sweep-bench.ts';
import { PATRON, type WorkflowBench, type WorkflowPlan, endOfRun, openWorkflow } from './workflow-bench.ts';

const own = leakGuard({ beforeEach, afterEach });
const { redis } = await openEmptyRedis();

/** What is printed on the card, without the library's prefix. */
const SHORT = '000000017';
const SHORTENED = { scanned: '^(\\d{9})$', number: '21234$1' };

const open = async (plan: WorkflowPlan = {}): Promise<WorkflowBench> =>
  own(await openWorkflow({ homeEntry: { cards: ['^21234\\d{9}$', SHORTENED] }, ...plan }));

describe('a card of which something else is scanned than home has', () => {
  test('is looked up at home once, under home’s number, and the copy has what is scanned', async () => {
    const workflow = await open();

    expect(endOfRun(await workflow.run({ card: SHORT }))).toMatchObject({
      outcome: 'COPIED',
      reasons: [],
      checkout: { result: 'CHECKED_OUT' },
    });

    expect(workflow.copy(SHORT)).toMatchObject({ surname: PATRON.surname, cardnumber: SHORT });
    expect(workflow.copy(CARD)).toBeUndefined();
    expect(workflow.calls().filter((call) => call.startsWith('midland'))).toEqual(['midland GET /patrons']);
  });

  test('costs no look at the lending library where only one form exists', async () => {
    const workflow = await open();
    await workflow.run({ card: CARD, item: null });
    expect(workflow.calls()).toEqual(['midland GET /patrons', 'riverside POST /patrons']);
  });

  test('is one person in both forms: one copy, with the form that was scanned last', async () => {
    const workflow = await open();
    const first = endOfRun(await workflow.run({ card: SHORT }));
    const again = endOfRun(await workflow.run({ card: CARD, item: null }));
    const third = endOfRun(await workflow.run({ card: SHORT, item: null }));

    for (const end of [again, third])
      expect(end).toMatchObject({
        outcome: 'ALREADY_LOCAL',
        patronId: first.patronId,
        reasons: ['CARD_CHANGED'],
      });
    expect(workflow.copy(SHORT)).toMatchObject({ patron_id: first.patronId });
    expect(workflow.riverside.state().patrons).toHaveLength(2);
  });

  test('of somebody registered here by hand with the other form: that record, and no second one', async () => {
    const workflow = await open();
    const { patron_id } = workflow.riverside.putPatron(CARD, { ...PATRON, library_id: 'MAIN' });

    expect(endOfRun(await workflow.run({ card: SHORT }))).toMatchObject({
      outcome: 'ALREADY_LOCAL',
      patronId: patron_id,
    });
    expect(workflow.riverside.state().patrons).toHaveLength(2);
  });

  test('of which another patron here has the number at home: nobody, and nothing is checked out', async () => {
    const [number, scanned] = ['123456', 'P-123456'];
    const cards = ['^\\d{6}$', { scanned: '^P-(\\d{6})$', number: '$1' }];
    for (const entry of [{}, { cards: ['^P-\\d{6}$'] }]) {
      const workflow = await open({ homeEntry: { cards }, entry });
      workflow.midland.putPatron(number, PATRON);
      workflow.riverside.putPatron(number, { surname: 'Stranger', firstname: 'Other', library_id: 'MAIN' });

      expect(endOfRun(await workflow.run({ card: scanned }))).toMatchObject({ outcome: 'LOCAL_CONFLICT' });
      expect(workflow.calls().filter((call) => call.includes('checkouts'))).toEqual([]);
    }
  });

  test.each([
    ['', {}],
    [', also where debts count', { max_debt: 5 }],
  ])('that two patrons at home can have, each in one form, is nobody’s%s', async (_, eligibility) => {
    const homeEntry = { cards: ['^\\d{9,14}$', SHORTENED] };
    const workflow = await open({ homeEntry, entry: { eligibility } });
    workflow.midland.putPatron(SHORT, { ...PATRON, surname: 'Another' });

    expect(endOfRun(await workflow.run({ card: SHORT }))).toMatchObject({
      outcome: 'AMBIGUOUS_HOME',
      homes: ['midland'],
    });
    expect(workflow.calls()).toEqual(['midland GET /patrons']);
  });

  test('gives the copy home’s number where the scanned form could be another library’s card', async () => {
    const workflow = await open({ entry: { cards: ['^\\d{9}$'] } });
    expect(endOfRun(await workflow.run({ card: SHORT, item: null }))).toMatchObject({ outcome: 'COPIED' });
    expect(workflow.copy(CARD)).toMatchObject({ surname: PATRON.surname });
    expect(workflow.copy(SHORT)).toBeUndefined();
  });
});

describe('a copy that has another form of the card than home', () => {
  const forms = ['^midland-\\d{5}$', { scanned: '^(\\d{5})$', number: 'midland-$1' }];
  const openSwept = async (): Promise<SweepBench> =>
    own(await openSweep(['midland', 'lakeside'], redis, { refresh: { sweep: '02:00' } }, { midland: forms }));
  const findingsOf = async (bench: SweepBench) => (await bench.sweep()).homes['midland']?.findings;

  test('keeps it, and nothing is found', async () => {
    const bench = await openSwept();
    bench.lender.putPatron(bench.put('midland', 0), { cardnumber: '00000' });
    expect(await findingsOf(bench)).toEqual({ UNCHANGED: 1 });
    expect(bench.lender.state('00000').patrons).toHaveLength(1);
  });

  test('gets the new card that home gives the patron', async () => {
    const bench = await openSwept();
    bench.homes['midland']?.putPatron(bench.put('midland', 0), { cardnumber: 'midland-77777' });
    expect(await findingsOf(bench)).toEqual({ CARD_CHANGED: 1 });
    expect(bench.lender.state('midland-77777').patrons).toHaveLength(1);
    expect(bench.lender.state(cardOf('midland', 0)).patrons).toHaveLength(0);
  });
});
