import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type DisclosureReceipt, readReceipts } from '@passport/queue/copies';
import { testedReleases } from '@passport/koha-double';
import { leakGuard } from '@passport/testkit';
import type { WrittenCopy } from '../src/koha/copy-memory.ts';
import { CARD } from './builders.ts';
import { openEmptyRedis } from './empty-redis.ts';
import { type SweepBench, cardOf, openSweep } from './sweep-bench.ts';
import { type WorkflowBench, type WorkflowPlan, endOfRun, openWorkflow, waitOf } from './workflow-bench.ts';

const own = leakGuard({ beforeEach, afterEach });
const { redis } = await openEmptyRedis();

const ALLOW = { eligibility: { restricted: 'allow' } };
const SUSPENDED = {
  id: 11,
  type: 'SUSPENSION',
  expiration: '2999-01-02',
  comment: 'Two weeks late, asked to call',
};
const SET = 'PUT /contrib/passport/restrictions/{kind}/{library}/{patron_id}';
const READ = 'GET /contrib/passport/patrons/{patron_id}/restrictions';
const LIST = 'GET /contrib/passport/restrictions/{kind}';
/** Another scan of the same card. */
const AGAIN = { event_id: 'evt_second_visit_0001' };
const RENEWED = '21234000000018';

const shown = (row: Readonly<Record<string, unknown>> | undefined) =>
  ((row?.['restrictions'] ?? []) as { type: string; comment: string; expiration: string | null }[]).map(
    ({ type, comment, expiration }) => [type, comment, expiration],
  );
const HOME = 'Patron Passport: restricted at midland';

describe.each(testedReleases)('the copy of a patron who is restricted at home, Koha %s:', (release) => {
  const open = async (restrictions: readonly object[], plan: WorkflowPlan = {}): Promise<WorkflowBench> => {
    const workflow = own(
      await openWorkflow({ midland: { release }, riverside: { release }, entry: ALLOW, ...plan }),
    );
    workflow.midland.putPatron(CARD, { restrictions });
    return workflow;
  };

  test('has its restriction, type and end, before anything is checked out to it, and says so in the receipt', async () => {
    const workflow = await open([SUSPENDED]);
    const remembered: WrittenCopy[] = [];
    const end = endOfRun(await workflow.run({}, { remember: (written) => void remembered.push(written) }));
    expect(end).toMatchObject({ outcome: 'COPIED', checkout: { result: 'BLOCKED' } });
    expect(shown(workflow.copy())).toEqual([['PASSPORT_HOME', `${HOME} (SUSPENSION)`, '2999-01-02']]);
    expect(workflow.copy()?.restricted).toBe(true);
    expect(workflow.riverside.state(CARD).checkouts).toEqual([]);
    expect(end.disclosed?.fields).toContain('restricted');
    expect(end.disclosed?.fields).not.toContain('restriction_comment');
    expect(remembered[0]?.values['restricted']).toBe('2999-01-02|SUSPENSION|');
    expect(JSON.stringify(workflow.midland.calls())).not.toContain('comments');
  });

  test('has what staff have noted, as text, where the home library shares that', async () => {
    const noted = { ...SUSPENDED, comment: '<b>Late</b> "again"\n[% x %]' };
    const workflow = await open([noted], { homeEntry: { share: { restriction_comments: true } } });
    const end = endOfRun(await workflow.run());
    expect(shown(workflow.copy())).toEqual([
      ['PASSPORT_HOME', `${HOME} (SUSPENSION) "b Late /b again x"`, '2999-01-02'],
    ]);
    expect(end.disclosed?.fields).toEqual(expect.arrayContaining(['restricted', 'restriction_comment']));
  });

  test.each([
    ['a type of its own', [{ ...SUSPENDED, type: 'CALL_THE_POLICE', expiration: null }], `${HOME} (MANUAL)`],
    ['no row that names one', [], HOME],
  ])('with %s has one without an end', async (_what, rows, comment) => {
    const workflow = await open(rows);
    workflow.midland.putPatron(CARD, { restricted: true });
    expect(endOfRun(await workflow.run()).outcome).toBe('COPIED');
    expect(shown(workflow.copy())).toEqual([['PASSPORT_HOME', comment, null]]);
  });

  test('is restricted without an end where home has no plugin, or one that is too old', async () => {
    const workflow = await open([SUSPENDED]);
    workflow.midland.putSettings({ plugin: false });
    expect(endOfRun(await workflow.run()).outcome).toBe('COPIED');
    expect(shown(workflow.copy())).toEqual([['PASSPORT_HOME', HOME, null]]);
  });

  test('is not made where the lending library has no plugin that could restrict it', async () => {
    const workflow = await open([SUSPENDED]);
    workflow.riverside.putSettings({ plugin: false });
    const problem = { library: 'riverside', what: 'other', name: 'plugin' };
    expect(endOfRun(await workflow.run())).toMatchObject({ outcome: 'MISCONFIGURED', problem });
    expect(workflow.copy()).toBeUndefined();
  });

  test('is restricted by the next run where the library did not take it at first, and nothing is checked out until then', async () => {
    const workflow = await open([SUSPENDED]);
    workflow.riverside.addFaults([{ operation: SET, kind: 'status', status: 503 }]);
    const first = await workflow.run();
    expect(first.kind).toBe('retry');
    expect(workflow.riverside.state(CARD).checkouts).toEqual([]);
    const { data } = first as Extract<typeof first, { kind: 'retry' }>;
    expect(endOfRun(await workflow.run({ job: data })).outcome).toBe('ALREADY_LOCAL');
    expect(shown(workflow.copy())).toEqual([['PASSPORT_HOME', `${HOME} (SUSPENSION)`, '2999-01-02']]);
  });

  test('is not made where the plugin of the lending library does not serve the user of the service', async () => {
    const workflow = await open([SUSPENDED]);
    workflow.riverside.putSettings({ plugin_service_user: null });
    const problem = { library: 'riverside', what: 'permission' };
    expect(endOfRun(await workflow.run())).toMatchObject({ outcome: 'MISCONFIGURED', problem });
    expect(workflow.copy()).toBeUndefined();
    expect(workflow.calls()).not.toContain(`midland ${READ}`);
  });

  test.each([400, 404])(
    'is not made where that plugin answers %i to whether it restricts',
    async (status) => {
      const workflow = await open([SUSPENDED]);
      workflow.riverside.addFaults([{ operation: LIST, kind: 'status', status, body: { error: 'no' } }]);
      expect(endOfRun(await workflow.run()).outcome).toBe('MISCONFIGURED');
      expect(workflow.copy()).toBeUndefined();
    },
  );

  test('waits unmade for a plugin that does not answer', async () => {
    const workflow = await open([SUSPENDED]);
    workflow.riverside.addFaults([{ operation: LIST, kind: 'status', status: 503, times: 9 }]);
    const first = waitOf(await workflow.run());
    expect(workflow.copy()).toBeUndefined();
    workflow.riverside.clearFaults();
    expect(endOfRun(await workflow.run({ job: first.data })).outcome).toBe('COPIED');
    expect(workflow.copy()?.restricted).toBe(true);
  });

  test('is made without that question for everybody else', async () => {
    const workflow = await open([]);
    expect(endOfRun(await workflow.run()).outcome).toBe('COPIED');
    expect(workflow.calls().filter((call) => call.includes('restrictions'))).toEqual([]);
  });

  test.each([400, 403, 404, 409, 503])(
    'has it from the next event where the library answered the first one %i, and borrows nothing until then',
    async (status) => {
      const workflow = await open([SUSPENDED]);
      const fault = { operation: SET, kind: 'status', status, body: { error: 'no' }, times: 9 } as const;
      const receipts: DisclosureReceipt[] = [];
      const append = (receipt: DisclosureReceipt) => Promise.resolve(String(receipts.push(receipt)));
      workflow.riverside.addFaults([fault]);
      await workflow.run();
      const refused = await workflow.run({ job: AGAIN }, { receipts: { append } });
      expect(refused.kind === 'done' ? refused.outcome : refused.kind).toBe(
        status === 503 ? 'retry' : 'MISCONFIGURED',
      );
      expect([workflow.copy()?.restricted, workflow.riverside.state(CARD).checkouts]).toEqual([false, []]);
      workflow.riverside.clearFaults();
      const remembered: WrittenCopy[] = [];
      const remember = (written: WrittenCopy) => void remembered.push(written);
      const healed = await workflow.run({ job: AGAIN }, { receipts: { append }, remember });
      expect(endOfRun(healed)).toMatchObject({
        outcome: 'ALREADY_LOCAL',
        checkout: { result: 'BLOCKED' },
      });
      expect(shown(workflow.copy())).toEqual([['PASSPORT_HOME', `${HOME} (SUSPENSION)`, '2999-01-02']]);
      const passed = { what: 'refreshed', fields: ['restricted'], eventId: AGAIN.event_id };
      expect(receipts).toMatchObject([passed, passed]);
      expect(remembered).toMatchObject([{ values: { restricted: '2999-01-02|SUSPENSION|' } }]);
    },
  );

  test('has one that its patron got since the copy was made, also with a new card', async () => {
    const workflow = await open([]);
    expect(endOfRun(await workflow.run({ item: null })).outcome).toBe('COPIED');
    workflow.midland.putPatron(CARD, { cardnumber: RENEWED, restrictions: [SUSPENDED] });
    workflow.riverside.addFaults([{ operation: SET, kind: 'status', status: 403, body: { error: 'no' } }]);
    const remembered: WrittenCopy[] = [];
    const remember = (written: WrittenCopy) => void remembered.push(written);
    const scan = { card: RENEWED, job: AGAIN };
    expect(endOfRun(await workflow.run(scan, { remember })).outcome).toBe('MISCONFIGURED');
    expect(remembered.map(({ values }) => values)).toEqual([{ cardnumber: RENEWED }]);
    expect(endOfRun(await workflow.run(scan))).toMatchObject({ checkout: { result: 'BLOCKED' } });
    expect(workflow.copy(RENEWED)?.restricted).toBe(true);
  });

  test('keeps the one it has while home cannot say which it is, and gets one where that is gone or over', async () => {
    const workflow = await open([SUSPENDED]);
    const { copy } = endOfRun(await workflow.run());
    if (copy === undefined) throw new Error('a copy');
    await workflow.libraries.call('riverside', (koha) =>
      koha.rememberCopy({ ...copy, version: 0, fields: {} }),
    );
    workflow.midland.putSettings({ plugin: false });
    expect(endOfRun(await workflow.run({ job: AGAIN })).outcome).toBe('ALREADY_LOCAL');
    expect(shown(workflow.copy())).toEqual([['PASSPORT_HOME', `${HOME} (SUSPENSION)`, '2999-01-02']]);
    const [set] = (workflow.copy()?.['restrictions'] ?? []) as object[];
    for (const left of [[], [{ ...set, expiration: '2001-01-01' }]]) {
      workflow.riverside.putPatron(CARD, { restrictions: left });
      await workflow.run({ job: AGAIN });
      expect(shown(workflow.copy())).toEqual([['PASSPORT_HOME', HOME, null]]);
    }
  });

  test('is nobody’s to restrict where the copy on record has another number: it was merged into who has the card', async () => {
    const workflow = await open([]);
    await workflow.run({ item: null });
    workflow.midland.putPatron(CARD, { restrictions: [SUSPENDED] });
    const records = { find: () => Promise.resolve(4711), rekey: () => Promise.resolve() };
    const { outcome } = endOfRun(await workflow.run({ job: AGAIN }, { records }));
    expect([outcome, workflow.copy()?.restricted]).toEqual(['MERGED_INTO_NATIVE', false]);
    expect(workflow.riverside.state().checkouts).toEqual([]);
  });

  test('is not restricted by a test card', async () => {
    const workflow = await open([]);
    await workflow.run({ item: null });
    workflow.midland.putPatron(CARD, { restrictions: [SUSPENDED] });
    await workflow.run({ item: null, job: { ...AGAIN, interface: 'test' } });
    expect(workflow.copy()?.restricted).toBe(false);
  });

  test('is refused where the lending library wants that, and home is asked nothing more', async () => {
    const workflow = await open([SUSPENDED], { entry: {} });
    expect(endOfRun(await workflow.run())).toMatchObject({
      outcome: 'NOT_ELIGIBLE',
      reasons: ['RESTRICTED'],
    });
    expect(workflow.calls()).not.toContain(`midland ${READ}`);
  });
});

describe('a restriction that was carried into a copy', () => {
  const open = async (entry: object = {}): Promise<SweepBench> => {
    const bench = own(
      await openSweep(['midland'], redis, { ...ALLOW, refresh: { sweep: '02:00' }, ...entry }),
    );
    bench.put('midland', 0);
    return bench;
  };
  const atHome = ({ homes }: SweepBench, ...restrictions: object[]) =>
    void homes['midland']?.putPatron(cardOf('midland', 0), { restrictions });
  const copyOf = ({ lender }: SweepBench) => lender.state(cardOf('midland', 0)).patrons[0];
  const fieldsPassed = async (): Promise<string[]> => {
    const fields: string[] = [];
    for await (const receipt of readReceipts(redis)) fields.push(...receipt.fields);
    return fields;
  };

  test('follows home in the sweep: another end, another type, lifted; each with a receipt, and none where nothing changed', async () => {
    const bench = await open();
    let atMs = Date.now();
    const sweep = async () => (await bench.sweep({ atMs: (atMs += 1) })).homes['midland']?.findings;
    atHome(bench, SUSPENDED);
    expect(await sweep()).toEqual({ HOME_RESTRICTED: 1 });
    expect(shown(copyOf(bench))).toEqual([['PASSPORT_HOME', `${HOME} (SUSPENSION)`, '2999-01-02']]);
    expect(await sweep()).toEqual({ UNCHANGED: 1 });
    expect((await fieldsPassed()).filter((field) => field === 'restricted')).toHaveLength(1);
    atHome(bench, { ...SUSPENDED, type: 'MANUAL', expiration: null });
    await sweep();
    expect(shown(copyOf(bench))).toEqual([['PASSPORT_HOME', `${HOME} (MANUAL)`, null]]);
    atHome(bench);
    expect(await sweep()).toEqual({ HOME_RESTRICTION_LIFTED: 1 });
    expect(shown(copyOf(bench))).toEqual([]);
    expect((await fieldsPassed()).filter((field) => field === 'restricted')).toHaveLength(3);
    expect(await fieldsPassed()).not.toContain('restriction_comment');
  });

  test('stays as it is while home cannot say more than that there is one, and touches none of the library', async () => {
    const bench = await open();
    atHome(bench, SUSPENDED);
    await bench.sweep();
    const [ours] = (copyOf(bench)?.['restrictions'] ?? []) as object[];
    const staffs = { id: 900, type: 'SUSPENSION', comment: 'Ours', expiration: null };
    bench.lender.putPatron(cardOf('midland', 0), { restrictions: [ours, staffs] });
    bench.homes['midland']?.putSettings({ plugin: false });
    expect((await bench.sweep({ atMs: Date.now() + 1 })).homes['midland']?.findings).toEqual({
      UNCHANGED: 1,
    });
    expect(shown(copyOf(bench))).toHaveLength(2);
    atHome(bench);
    await bench.sweep({ atMs: Date.now() + 2 });
    expect(shown(copyOf(bench))).toEqual([['SUSPENSION', 'Ours', null]]);
  });

  test('is no reason against good standing, and the other reasons still are', async () => {
    const bench = await open({ standing: 'restrict', eligibility: { restricted: 'allow', max_debt: 5 } });
    atHome(bench, SUSPENDED);
    await bench.sweep();
    const standing = () => bench.lender.state().copies[0]?.standing;
    expect(standing()).toMatchObject({ is_good: true });
    bench.homes['midland']?.putPatron(cardOf('midland', 0), { account_balance: 9 });
    await bench.sweep({ atMs: Date.now() + 1 });
    expect(standing()).toMatchObject({ is_good: false, reasons: ['DEBT_OVER_LIMIT'] });
    expect(shown(copyOf(bench)).map(([type]) => type)).toEqual(['PASSPORT_HOME', 'PASSPORT_STANDING']);
  });

  test('names no library where the patron borrows, whatever is shared', async () => {
    const bench = await open({ share: { restriction_comments: true } });
    atHome(bench, {
      id: 12,
      type: 'PASSPORT_OWED',
      comment: 'Patron Passport: debts at lakeside',
      expiration: null,
    });
    await bench.sweep();
    expect(shown(copyOf(bench))).toEqual([['PASSPORT_HOME', `${HOME} (MANUAL)`, null]]);
  });
});
