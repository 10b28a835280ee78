import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { isFrom, testedReleases } from '@passport/koha-double';
import type { DisclosureReceipt, Receipts } from '@passport/queue/copies';
import { leakGuard } from '@passport/testkit';
import { CARD } from './builders.ts';
import { PATRON, type WorkflowBench, type WorkflowPlan, endOfRun, openWorkflow } from './workflow-bench.ts';

const own = leakGuard({ beforeEach, afterEach });
const OLD = '21234000000099';
const { surname, firstname, date_of_birth } = PATRON;

describe.each(testedReleases)('a library that only observes, Koha %s:', (release) => {
  const open = async (copy: Record<string, unknown> = {}, plan: WorkflowPlan = {}): Promise<WorkflowBench> =>
    own(
      await openWorkflow({
        ...plan,
        riverside: { release, ...plan.riverside },
        entry: { copy: { mode: 'observe', on_look_alike: 'stop', ...copy } },
      }),
    );
  /** Runs a scan with an item; how it ended, and the receipts that were written. */
  const observe = async (workflow: WorkflowBench, ...[wish, deps]: Parameters<WorkflowBench['run']>) => {
    const before = workflow.riverside.state();
    const written: Omit<DisclosureReceipt, 'at' | 'what'>[] = [];
    const append: Receipts['append'] = ({ at: _now, what, ...receipt }) => {
      expect(what).toBe('observed');
      written.push(receipt);
      return Promise.resolve('1-0');
    };
    const end = endOfRun(await workflow.run(wish, { receipts: { append }, ...deps }));
    const after = workflow.riverside.state();
    expect(after.patrons).toEqual(before.patrons);
    expect(after.checkouts).toEqual(before.checkouts);
    expect(workflow.calls().filter((call) => !call.includes(' GET '))).toEqual([]);
    return { end, receipts: written };
  };
  const withCopy = (workflow: WorkflowBench, card: string, number?: number) => {
    const [patron] = workflow.midland.state(CARD).patrons;
    return workflow.riverside.putPatron(card, {
      surname,
      firstname,
      date_of_birth,
      category_id: 'PT',
      extended_attributes: [
        { type: 'PASSPORTED', value: 'midland' },
        { type: 'PASSPORTED_ID', value: `midland:${number ?? patron?.patron_id}` },
      ],
    });
  };

  test('nobody there: the category of the copy, nothing written, and a receipt of what was read', async () => {
    const workflow = await open();
    const { end, receipts } = await observe(workflow);

    expect(end).toMatchObject({
      outcome: 'OBSERVED',
      homes: ['midland'],
      observed: { category: 'PT' },
    });
    expect(end.disclosed).toBeUndefined();
    expect(receipts).toEqual([
      {
        home: 'midland',
        lending: 'riverside',
        homeKey: expect.stringMatching(/^midland:\d+$/),
        eventId: 'evt_1',
        fields: ['surname', 'firstname', 'date_of_birth'],
        read: expect.arrayContaining(['surname', 'email', 'address']),
      },
    ]);
    expect(workflow.audited).toEqual(['looked up', 'copy: OBSERVED']);
  });

  test('the category of the copy is that of the home category', async () => {
    const workflow = await open({ category: { by_home_category: { AD: 'PT-A' } } });
    expect((await observe(workflow)).end).toMatchObject({ observed: { category: 'PT-A' } });
  });

  test('somebody of that name and birth date stops it, unless they do not matter', async () => {
    const person = { surname, firstname, date_of_birth, category_id: 'AD' };
    const stopping = await open();
    stopping.riverside.putPatron('LOCAL-1', person);
    expect((await observe(stopping)).end).toMatchObject({ outcome: 'LOOKS_LIKE_LOCAL_PATRON' });

    const creating = await open({ on_look_alike: 'create' });
    creating.riverside.putPatron('LOCAL-1', person);
    const { end, receipts } = await observe(creating);
    expect(end).toMatchObject({ outcome: 'OBSERVED' });
    expect(receipts).toMatchObject([{ fields: [] }]);
  });

  test('where that is left to Koha, it is looked for where Koha would look', async () => {
    const workflow = await open({ on_look_alike: 'koha' });
    workflow.riverside.putPatron('LOCAL-1', { surname, firstname, date_of_birth, category_id: 'AD' });
    const outcome = isFrom(release, '25.11') ? 'LOOKS_LIKE_LOCAL_PATRON' : 'OBSERVED';
    expect((await observe(workflow)).end).toMatchObject({ outcome });
  });

  test('a namesake born on another day stops nothing, nor does a copy without a birth date', async () => {
    const workflow = await open();
    workflow.riverside.putPatron('LOCAL-1', { surname, firstname, date_of_birth: '1961-01-31' });
    expect((await observe(workflow)).end).toMatchObject({ outcome: 'OBSERVED' });

    const bare = await open({ fields: ['name'] });
    bare.riverside.putPatron('LOCAL-1', { surname, firstname, date_of_birth });
    const { end, receipts } = await observe(bare);
    expect(end).toMatchObject({ outcome: 'OBSERVED' });
    expect(receipts).toMatchObject([{ fields: [] }]);
  });

  test('our copy with an older card keeps it', async () => {
    const workflow = await open();
    withCopy(workflow, OLD);
    const { end, receipts } = await observe(workflow);

    expect(end).toMatchObject({
      outcome: 'OBSERVED',
      reasons: ['CARD_CHANGED'],
      observed: { category: null },
    });
    expect(receipts).toMatchObject([{ fields: [] }]);
  });

  test('our copy with a number that home has given up keeps its home key', async () => {
    const workflow = await open();
    withCopy(workflow, CARD, 4711);
    expect((await observe(workflow)).end).toMatchObject({ outcome: 'OBSERVED', reasons: ['REKEYED'] });
  });

  test('whoever is here is here: ALREADY_LOCAL, and nothing is checked out', async () => {
    const workflow = await open();
    const { patron_id } = withCopy(workflow, CARD);
    expect((await observe(workflow)).end).toMatchObject({
      outcome: 'ALREADY_LOCAL',
      patronId: patron_id,
      checkout: { result: 'NOT_ASKED' },
    });
  });

  test('an event that had sent its copy before needs no patron lock, since it writes nothing', async () => {
    const workflow = await open();
    const taken: string[] = [];
    const { end } = await observe(
      workflow,
      { starts: 2 },
      {
        withPatronLock: (_scan, homeKey, lock, work) =>
          work({
            ...lock,
            take: () => Promise.resolve(void taken.push(homeKey)),
            takeWith: (claim) => claim({ name: '', run: '', lifeMs: 0 }),
          }),
      },
    );
    expect(end).toMatchObject({ outcome: 'OBSERVED' });
    expect(taken).toEqual([]);
  });

  test('a copy that was made before the library began to observe gets no checkout', async () => {
    const workflow = await open();
    const { patron_id } = withCopy(workflow, CARD);
    const made = { home: 'midland', home_key: 'midland:2', patron_id, reasons: [], disclosed: null };
    const { end } = await observe(workflow, { job: { made: { outcome: 'COPIED', ...made } } });
    expect(end).toMatchObject({ outcome: 'COPIED', checkout: { result: 'NOT_ASKED' } });
  });

  test('an ineligible patron has the usual outcome', async () => {
    const workflow = await open();
    workflow.midland.putPatron(CARD, { expiry_date: '2020-01-01' });
    const { end, receipts } = await observe(workflow);
    expect(end).toMatchObject({ outcome: 'NOT_ELIGIBLE', reasons: ['EXPIRED'] });
    expect(receipts).toEqual([]);
  });
});

describe('a test card, at a library that copies and checks out', () => {
  const open = async (copy: Record<string, unknown> = {}): Promise<WorkflowBench> =>
    own(await openWorkflow({ entry: { copy: { on_look_alike: 'stop', ...copy } } }));
  const wish = { job: { interface: 'test' } } as const;
  const tried = async (workflow: WorkflowBench) => {
    const before = workflow.riverside.state();
    const end = endOfRun(await workflow.run(wish));
    expect(workflow.riverside.state().patrons).toEqual(before.patrons);
    expect(workflow.riverside.state().checkouts).toEqual(before.checkouts);
    expect(workflow.calls().filter((call) => !call.includes(' GET '))).toEqual([]);
    return end;
  };

  test('is found and judged, and nothing is written', async () => {
    const workflow = await open();
    expect(await tried(workflow)).toMatchObject({ outcome: 'OBSERVED', observed: { category: 'PT' } });
    expect(workflow.audited).toEqual(['looked up', 'copy: OBSERVED']);
  });

  test('of an ineligible patron ends as their scan would', async () => {
    const workflow = await open();
    workflow.midland.putPatron(CARD, { expiry_date: '2020-01-01' });
    expect(await tried(workflow)).toMatchObject({ outcome: 'NOT_ELIGIBLE', reasons: ['EXPIRED'] });
  });

  test('discloses nobody who would have to agree first', async () => {
    const workflow = await open({ consent: 'ask', consent_text: { id: 'v1', text: { en: 'May we?' } } });
    expect(await tried(workflow)).toMatchObject({ outcome: 'CONSENT_AT_DESK' });
    expect(
      workflow.calls().filter((call) => call.startsWith('riverside') && call.includes('/patrons')),
    ).toEqual([]);
  });
});
