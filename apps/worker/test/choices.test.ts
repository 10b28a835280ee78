import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { testedReleases } from '@passport/koha-double';
import { leakGuard } from '@passport/testkit';
import { CARD } from './builders.ts';
import { openEmptyRedis } from './empty-redis.ts';
import { cardOf, openSweep } from './sweep-bench.ts';
import { type WorkflowBench, endOfRun, openWorkflow, waitOf } from './workflow-bench.ts';

const own = leakGuard({ beforeEach, afterEach });
const { redis } = await openEmptyRedis();
const CHOSEN = { lang: 'fr-FR', autorenew_checkouts: false, check_previous_checkout: 'yes' };
const UNCHOSEN = { lang: 'default', autorenew_checkouts: true, check_previous_checkout: 'inherit' };
const puts = (workflow: WorkflowBench): string[] =>
  workflow.calls().filter((call) => call === 'riverside PUT /patrons/{patron_id}');

describe.each(testedReleases)('what a patron has chosen at home, Koha %s:', (release) => {
  const open = async (atHome: Readonly<Record<string, unknown>>, defaultPrivacy = 'default') => {
    const workflow = own(await openWorkflow({ midland: { release }, riverside: { release } }));
    workflow.riverside.putSettings({
      categories: [{ patron_category_id: 'PT', default_privacy: defaultPrivacy }],
    } as never);
    workflow.midland.putPatron(CARD, atHome);
    return workflow;
  };

  test('is in the copy: language, automatic renewal, and the warning of a checkout before', async () => {
    const workflow = await open(CHOSEN);
    expect(endOfRun(await workflow.run()).outcome).toBe('COPIED');
    expect(workflow.copy()).toMatchObject(CHOSEN);
    expect(puts(workflow)).toEqual([]);
  });

  test.each([
    [2, 'default', 2, 1],
    [2, 'never', 2, 0],
    [1, 'forever', 1, 1],
    [1, 'never', 2, 0],
    [0, 'default', 1, 0],
    [0, 'forever', 0, 0],
  ])(
    'privacy %d is kept where the category says %s: the copy has %d',
    async (atHome, category, expected, writes) => {
      const workflow = await open({ privacy: atHome }, category);
      expect(endOfRun(await workflow.run()).outcome).toBe('COPIED');
      expect(workflow.copy()?.['privacy']).toBe(expected);
      expect(puts(workflow)).toHaveLength(writes);
    },
  );

  test('privacy is kept by the next run where the library did not take it at first', async () => {
    const workflow = await open({ privacy: 2 });
    workflow.riverside.addFaults([{ operation: 'PUT /patrons/{patron_id}', kind: 'status', status: 503 }]);
    const first = await workflow.run();
    expect(first).toMatchObject({ kind: 'retry' });
    expect(workflow.riverside.state(CARD).checkouts).toEqual([]);
    const { data } = first as Extract<typeof first, { kind: 'retry' }>;
    expect(endOfRun(await workflow.run({ job: data })).outcome).toBe('ALREADY_LOCAL');
    expect(workflow.copy()?.['privacy']).toBe(2);
  });

  test('privacy is kept without undoing what staff have changed since the run before', async () => {
    const workflow = await open({ privacy: 2 });
    workflow.riverside.addFaults([{ operation: 'PUT /patrons/{patron_id}', kind: 'status', status: 503 }]);
    const { data } = waitOf(await workflow.run());
    const edited = { surname: 'Okafor-Bell', library_id: 'NORTH' };
    workflow.riverside.putPatron(CARD, edited);

    await workflow.run({ job: data });

    expect(workflow.copy()).toMatchObject({ ...edited, privacy: 2 });
  });

  test('privacy that staff have lowered stays so at the next scan', async () => {
    const workflow = await open({ privacy: 2 });
    await workflow.run();
    workflow.riverside.putPatron(CARD, { privacy: 1 });
    const again = await workflow.run({ job: { event_id: 'evt_2' } });
    expect(endOfRun(again).outcome).toBe('ALREADY_LOCAL');
    expect(workflow.copy()?.['privacy']).toBe(1);
  });
});

describe('a copy that follows home', () => {
  const open = async (atHome: Readonly<Record<string, unknown>>, copy: Readonly<Record<string, unknown>>) => {
    const bench = own(await openSweep(['midland'], redis));
    const card = bench.put('midland', 0);
    bench.homes['midland']?.putPatron(card, atHome);
    bench.lender.putPatron(card, copy);
    const read = () => bench.lender.state(cardOf('midland', 0)).patrons[0];
    return { bench, read };
  };

  test('is never less private than home, whoever has set it, and stays as private as it was', async () => {
    const raised = await open({ privacy: 2 }, { privacy: 0 });
    expect((await raised.bench.sweep()).homes['midland']?.findings).toMatchObject({ REFRESHED: 1 });
    expect(raised.read()?.['privacy']).toBe(2);
    raised.bench.homes['midland']?.putPatron(cardOf('midland', 0), { privacy: 1 });
    expect((await raised.bench.sweep({ atMs: Date.now() + 1 })).homes['midland']?.fields_changed).toBe(0);
    expect(raised.read()?.['privacy']).toBe(2);
  });

  test('gets a choice that was made later, and loses one that was taken back', async () => {
    const { bench, read } = await open({}, {});
    await bench.sweep();
    bench.homes['midland']?.putPatron(cardOf('midland', 0), CHOSEN);
    // The first look remembers that nothing was chosen.
    for (const ms of [1, 2]) await bench.sweep({ atMs: Date.now() + ms });
    expect(read()).toMatchObject(CHOSEN);
    bench.homes['midland']?.putPatron(cardOf('midland', 0), UNCHOSEN);
    await bench.sweep({ atMs: Date.now() + 3 });
    expect(read()).toMatchObject(UNCHOSEN);
  });

  test('keeps what was chosen here', async () => {
    const { bench, read } = await open(CHOSEN, { lang: 'es-ES' });
    await bench.sweep();
    expect(read()).toMatchObject({ lang: 'es-ES' });
  });
});
