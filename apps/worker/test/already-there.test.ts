import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { isFrom, testedReleases, servicePermissions } from '@passport/koha-double';
import { leakGuard } from '@passport/testkit';
import { CARD, ITEM } from './builders.ts';
import { PATRON, type WorkflowBench, type WorkflowPlan, endOfRun, openWorkflow } from './workflow-bench.ts';

const own = leakGuard({ beforeEach, afterEach });
const OLD = '21234000000099';
/** Koha had the record in its hands, whatever it said to it. */
const disclosed = {
  home: 'midland',
  homeKey: expect.stringMatching(/^midland:/),
  fields: expect.arrayContaining(['surname']),
};

describe.each(testedReleases)('contract 2.3, who is there already, Koha %s:', (release) => {
  const open = async (plan: WorkflowPlan = {}): Promise<WorkflowBench> =>
    own(await openWorkflow({ ...plan, riverside: { release, ...plan.riverside } }));

  /** Our copy of the midland patron at riverside, as an earlier event made it. */
  const withCopy = (workflow: WorkflowBench, card: string, attributes: Record<string, string> = {}) => {
    const patron = workflow.midland.state(CARD).patrons[0];
    const { surname, firstname, date_of_birth } = PATRON;
    return workflow.riverside.putPatron(card, {
      surname,
      firstname,
      date_of_birth,
      expiry_date: '2037-12-31',
      library_id: 'NORTH',
      category_id: 'PT',
      extended_attributes: Object.entries({
        PASSPORTED: 'midland',
        PASSPORTED_ID: `midland:${patron?.patron_id}`,
        ...attributes,
      }).map(([type, value]) => ({ type, value })),
    });
  };

  test('nobody: COPIED, one POST, both attributes, the branch of the scan, checked out', async () => {
    const workflow = await open();
    const writing = endOfRun(await workflow.run({ job: { branch: 'NORTH' } }));

    expect(writing).toMatchObject({ outcome: 'COPIED', checkout: { result: 'CHECKED_OUT' } });
    expect(workflow.copy()).toMatchObject({
      surname: 'Okafor',
      library_id: 'NORTH',
      category_id: 'PT',
      patron_id: writing.patronId,
      extended_attributes: [
        { type: 'PASSPORTED', value: 'midland' },
        { type: 'PASSPORTED_ID', value: expect.stringMatching(/^midland:\d+$/) },
      ],
    });
    expect(workflow.riverside.state(CARD).checkouts).toHaveLength(1);
  });

  test('our copy with this card: ALREADY_LOCAL, checked out to it', async () => {
    const workflow = await open();
    const { patron_id } = withCopy(workflow, CARD);

    expect(endOfRun(await workflow.run())).toMatchObject({
      outcome: 'ALREADY_LOCAL',
      reasons: [],
      patronId: patron_id,
      checkout: { result: 'CHECKED_OUT' },
    });
    expect(workflow.riverside.state().patrons).toHaveLength(2);
  });

  test('our copy with an older card: it gets the new number, and nothing else of it changes', async () => {
    const workflow = await open();
    const before = withCopy(workflow, OLD);

    expect(endOfRun(await workflow.run())).toMatchObject({
      outcome: 'ALREADY_LOCAL',
      reasons: ['CARD_CHANGED'],
      patronId: before.patron_id,
      checkout: { result: 'CHECKED_OUT' },
    });
    const { cardnumber, updated_on: _then, ...others } = before;
    expect(cardnumber).toBe(OLD);
    expect(workflow.copy()).toMatchObject({ ...others, cardnumber: CARD });
    expect(workflow.copy(OLD)).toBeUndefined();
  });

  test('a Koha whose other plugin rewrites cards: one copy, whatever form is scanned, and no change is claimed', async () => {
    const workflow = await open({ riverside: { release, settings: { card_prefix: 'R-' } } });
    const first = endOfRun(await workflow.run());
    expect(first).toMatchObject({ outcome: 'COPIED', checkout: { result: 'CHECKED_OUT' } });
    expect(workflow.copy(`R-${CARD}`)).toMatchObject({ patron_id: first.patronId });

    const again = endOfRun(await workflow.run({ item: null }));
    expect(again).toMatchObject({ outcome: 'ALREADY_LOCAL', patronId: first.patronId });
    expect(again.reasons).toEqual([]);
    expect(workflow.riverside.state().patrons).toHaveLength(2);

    const newCard = '21234000000088';
    workflow.midland.putPatron(CARD, { cardnumber: newCard });
    const replaced = endOfRun(await workflow.run({ card: newCard, item: null }));
    expect(replaced).toMatchObject({ outcome: 'ALREADY_LOCAL', reasons: ['CARD_CHANGED'] });
    expect(workflow.copy(`R-${newCard}`)).toMatchObject({ patron_id: first.patronId });
  });

  test('there the lost answer to a create is found by home key, and the copy is made once', async () => {
    const workflow = await open({ riverside: { release, settings: { card_prefix: 'R-' } } });
    workflow.riverside.addFaults([{ operation: 'POST /patrons', kind: 'reset_after' }]);
    expect(endOfRun(await workflow.run({ item: null }))).toMatchObject({
      outcome: 'ALREADY_LOCAL',
      disclosed,
    });
    expect(workflow.riverside.state().patrons).toHaveLength(2);
    expect(workflow.calls().filter((call) => call.includes('POST /patrons'))).toHaveLength(1);
  });

  test.each([
    ['the card: a patron of its own, nothing checked out', CARD, 'ALREADY_LOCAL'],
    ['an older card: LOCAL_CONFLICT, the card stays', OLD, 'LOCAL_CONFLICT'],
  ])('T-31 what was our copy, its passport emptied, with %s', async (_what, card, outcome) => {
    const workflow = await open();
    const { extended_attributes: attributes } = withCopy(workflow, card);
    const key = attributes.filter(({ type }) => type === 'PASSPORTED_ID');
    workflow.riverside.putPatron(card, { extended_attributes: key });

    const writing = endOfRun(await workflow.run());
    expect(writing).toMatchObject({ outcome, homes: ['midland'] });
    expect(writing.checkout?.result ?? 'NOT_ASKED').toBe('NOT_ASKED');
    expect(workflow.copy(card)).toMatchObject({ cardnumber: card });
    expect(workflow.riverside.state().patrons).toHaveLength(2);
  });

  test('our copy with an older card, and no right to change it: MISCONFIGURED by name', async () => {
    const workflow = await open();
    withCopy(workflow, OLD);
    const permissions = [
      ...servicePermissions.filter((each) => each !== 'borrowers:1'),
      ...['edit_borrowers', 'list_borrowers', 'view_borrower_infos_from_any_libraries'].map(
        (each) => `borrowers:${each}`,
      ),
    ];
    workflow.riverside.putSettings({ permissions });
    const writing = endOfRun(await workflow.run());

    // Before 26.05 Koha wants the whole of `borrowers` for PUT, then edit_borrowers is enough.
    if (!isFrom(release, '26.05')) {
      expect(writing).toMatchObject({
        outcome: 'MISCONFIGURED',
        problem: { library: 'riverside', what: 'permission', name: 'borrowers: 1' },
      });
      expect(workflow.copy(OLD)).toBeDefined();
    } else expect(writing).toMatchObject({ outcome: 'ALREADY_LOCAL', reasons: ['CARD_CHANGED'] });
  });

  test('our copy with an older card, the new one somebody else’s: LOCAL_CONFLICT, nothing changed', async () => {
    const workflow = await open();
    withCopy(workflow, OLD);
    workflow.riverside.putPatron(CARD, { surname: 'Other', firstname: 'Person', category_id: 'AD' });

    expect(endOfRun(await workflow.run())).toEqual({
      outcome: 'LOCAL_CONFLICT',
      homes: ['midland'],
      disclosed,
    });
    expect(workflow.copy(OLD)).toMatchObject({ surname: 'Okafor' });
    expect(workflow.riverside.state().checkouts).toHaveLength(0);
  });

  test('T-31 the card on a copy of another home patron: LOCAL_CONFLICT, nothing checked out', async () => {
    const workflow = await open();
    withCopy(workflow, CARD, { PASSPORTED: 'lakeside', PASSPORTED_ID: 'lakeside:7' });

    expect(endOfRun(await workflow.run())).toEqual({
      outcome: 'LOCAL_CONFLICT',
      homes: ['midland'],
      disclosed,
    });
    expect(workflow.riverside.state().checkouts).toHaveLength(0);
  });

  test('the card on a native patron: ALREADY_LOCAL, and nothing is checked out to it', async () => {
    const workflow = await open();
    const { patron_id } = workflow.riverside.putPatron(CARD, { surname: 'Native', category_id: 'AD' });

    expect(endOfRun(await workflow.run())).toEqual({
      outcome: 'ALREADY_LOCAL',
      patronId: patron_id,
      homes: ['midland'],
      disclosed,
    });
    expect(workflow.riverside.state().checkouts).toHaveLength(0);
  });

  test('a copy that the old plugin made, without our key: ALREADY_LOCAL, nothing checked out', async () => {
    const workflow = await open();
    const { patron_id } = workflow.riverside.putPatron(CARD, {
      surname: 'Okafor',
      firstname: 'Adaeze',
      category_id: 'PT',
      extended_attributes: [{ type: 'PASSPORTED', value: 'midland' }],
    });

    expect(endOfRun(await workflow.run())).toEqual({
      outcome: 'ALREADY_LOCAL',
      patronId: patron_id,
      homes: ['midland'],
      disclosed,
    });
    expect(workflow.riverside.state().checkouts).toHaveLength(0);
  });

  test('a possible duplicate without our card or key: stopped where Koha tests for one', async () => {
    const workflow = await open();
    const { surname, firstname, date_of_birth } = PATRON;
    workflow.riverside.putPatron('LOCAL-1', { surname, firstname, date_of_birth, category_id: 'AD' });
    const writing = endOfRun(await workflow.run());

    if (isFrom(release, '25.11')) {
      expect(writing).toEqual({ outcome: 'LOOKS_LIKE_LOCAL_PATRON', homes: ['midland'], disclosed });
      expect(workflow.copy()).toBeUndefined();
    } else expect(writing.outcome).toBe('COPIED');
  });

  test('a possible duplicate, and on_look_alike: create: copied, since the libraries say so', async () => {
    const workflow = await open({ entry: { copy: { category: 'PT', on_look_alike: 'create' } } });
    const { surname, firstname, date_of_birth } = PATRON;
    workflow.riverside.putPatron('LOCAL-1', { surname, firstname, date_of_birth, category_id: 'AD' });

    expect(endOfRun(await workflow.run())).toMatchObject({ outcome: 'COPIED' });
  });

  test('our own copy is no possible duplicate, though Koha tests for one before the card', async () => {
    const workflow = await open();
    withCopy(workflow, CARD);

    expect(endOfRun(await workflow.run()).outcome).toBe('ALREADY_LOCAL');
  });

  test('T-09 the card is somebody’s login here: that person is never taken for the patron', async () => {
    const workflow = await open();
    workflow.riverside.putPatron('LOCAL-1', { surname: 'Other', userid: CARD, category_id: 'AD' });
    const writing = endOfRun(await workflow.run());

    expect(writing.outcome).toBe('COPIED');
    expect(workflow.copy()).toMatchObject({ surname: 'Okafor', cardnumber: CARD });
    expect(workflow.riverside.state('LOCAL-1').checkouts).toHaveLength(0);
  });

  test('the copy is hidden from the API user: named, with the patron it made', async () => {
    const workflow = await open();
    hide(workflow);
    const writing = endOfRun(await workflow.run({ job: { branch: 'NORTH' } }));

    expect(writing).toMatchObject({
      outcome: 'MISCONFIGURED',
      problem: {
        library: 'riverside',
        what: 'permission',
        name: 'borrowers: view_borrower_infos_from_any_libraries',
      },
      patronId: workflow.copy()?.patron_id,
      disclosed: { home: 'midland' },
    });
  });

  test('and the next scan of it, where Koha says "taken" and shows nobody: named again, no second copy', async () => {
    const workflow = await open();
    hide(workflow);
    await workflow.run({ job: { branch: 'NORTH' } });
    const writing = endOfRun(await workflow.run({ job: { branch: 'NORTH', event_id: 'evt_2' } }));

    // 25.11 speaks of a possible duplicate before it looks at the card.
    expect(writing).toMatchObject({
      outcome: 'MISCONFIGURED',
      problem: { what: 'permission', name: 'borrowers: view_borrower_infos_from_any_libraries' },
    });
    expect(workflow.riverside.state().patrons).toHaveLength(2);
  });

  test('a possible duplicate that the API user sees is one, whatever else is hidden from it', async () => {
    const workflow = await open();
    hide(workflow);
    const { surname, firstname, date_of_birth } = PATRON;
    workflow.riverside.putPatron('LOCAL-1', { surname, firstname, date_of_birth, library_id: 'MAIN' });
    const end = endOfRun(await workflow.run());
    expect(end.outcome).toBe(isFrom(release, '25.11') ? 'LOOKS_LIKE_LOCAL_PATRON' : 'COPIED');
  });

  test('a record that is blank where Koha compares hides nothing from an API user who sees all', async () => {
    const workflow = await open();
    workflow.riverside.putPatron('LOCAL-1', { surname: null, firstname: null, date_of_birth: null });
    workflow.riverside.putPatron('LOCAL-2', {
      surname: 'Other',
      library_id: 'NORTH',
      date_of_birth: '1950-01-01',
    });
    const end = endOfRun(await workflow.run());
    expect(end.outcome).toBe(isFrom(release, '25.11') ? 'LOOKS_LIKE_LOCAL_PATRON' : 'COPIED');
  });

  test('Koha has the passport’s own type as unique: named, instead of a missing permission', async () => {
    const workflow = await open();
    workflow.riverside.putSettings({
      attribute_types: [
        { code: 'PASSPORTED', description: 'Home library', unique_id: true },
        { code: 'PASSPORTED_ID', description: 'Home key', unique_id: true },
      ],
    });
    workflow.riverside.putPatron('OTHER-1', {
      surname: 'Another',
      firstname: 'Visitor',
      category_id: 'PT',
      extended_attributes: [{ type: 'PASSPORTED', value: 'midland' }],
    });

    expect(endOfRun(await workflow.run())).toMatchObject({
      outcome: 'MISCONFIGURED',
      problem: { library: 'riverside', what: 'attribute_type', name: 'PASSPORTED' },
    });
  });

  test('without a home key attribute a replaced card is a new patron, the same card is not', async () => {
    const workflow = await open({ entry: { copy: { category: 'PT', home_key_attribute: null } } });
    await workflow.run({ item: null });
    const again = endOfRun(await workflow.run({ job: { event_id: 'evt_2' } }));

    expect(again).toMatchObject({ outcome: 'ALREADY_LOCAL' });
    expect(workflow.copy()?.extended_attributes).toHaveLength(1);
    expect(workflow.riverside.state().checkouts).toHaveLength(0);
  });

  test('costs the fewest calls that can do it', async () => {
    const workflow = await open();
    await workflow.run();
    const calls = workflow.calls();
    const barcodeKnown = isFrom(release, '24.11');
    expect(calls).toEqual([
      'midland GET /patrons',
      'riverside POST /patrons',
      ...(barcodeKnown ? [] : ['riverside GET /items']),
      'riverside POST /checkouts',
    ]);
  });

  test('costs two calls without an item', async () => {
    const workflow = await open();
    await workflow.run({ item: null });
    expect(workflow.calls()).toEqual(['midland GET /patrons', 'riverside POST /patrons']);
  });

  /** The API user belongs to MAIN and may not see the patrons of other branches. */
  function hide(workflow: WorkflowBench): void {
    workflow.riverside.putSettings({
      groups_hide_patrons: true,
      permissions: [
        ...servicePermissions.filter((each) => !each.startsWith('borrowers:')),
        'borrowers:edit_borrowers',
        'borrowers:list_borrowers',
      ],
    });
  }

  test('what was checked out is the item of the scan', async () => {
    const workflow = await open();
    await workflow.run();
    expect(workflow.riverside.state(CARD).checkouts[0]).toMatchObject({ external_id: ITEM });
  });
});
