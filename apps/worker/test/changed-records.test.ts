import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { JobData } from '@passport/contract';
import { releases } from '@passport/koha-double';
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
const OLD = '21234000000099';
const second = { job: { event_id: 'evt_2' } };

describe.each(releases)('records that Koha has changed under a copy, Koha %s:', (release) => {
  const open = async (plan: WorkflowPlan = {}): Promise<WorkflowBench> =>
    own(await openWorkflow({ midland: { release }, ...plan, riverside: { release, ...plan.riverside } }));

  const numberAtHome = (story: WorkflowBench, card = CARD): number =>
    story.midland.state(card).patrons[0]?.patron_id ?? 0;
  /** Our copy at riverside, with a home key of that number. */
  const withCopy = (
    story: WorkflowBench,
    card: string,
    number: number,
    columns: Record<string, unknown> = {},
  ) =>
    story.riverside.putPatron(card, {
      ...PATRON,
      category_id: 'PT',
      extended_attributes: [
        { type: 'PASSPORTED', value: 'midland' },
        { type: 'PASSPORTED_ID', value: `midland:${number}` },
      ],
      ...columns,
    });
  /** Nobody and nothing at riverside was changed or lent to. */
  const untouched = (story: WorkflowBench, before: unknown): void => {
    expect(story.riverside.state().patrons).toEqual(before);
    expect(story.riverside.state().checkouts).toHaveLength(0);
  };

  test('an anonymised copy is neither written to nor lent to: COPY_ANONYMIZED, naming it', async () => {
    const story = await open();
    const { patron_id } = withCopy(story, CARD, numberAtHome(story));
    story.riverside.anonymizePatron(CARD);
    const before = story.riverside.state().patrons;

    expect(endOfRun(await story.run())).toMatchObject({
      outcome: 'COPY_ANONYMIZED',
      patronId: patron_id,
      homes: ['midland'],
    });
    untouched(story, before);
  });

  test('an anonymised home record is no patron any more: HOME_GONE, nothing sent', async () => {
    const story = await open();
    story.midland.putPatron(CARD, { anonymized: true });
    const before = story.riverside.state().patrons;

    expect(endOfRun(await story.run())).toEqual({ outcome: 'HOME_GONE', homes: ['midland'] });
    untouched(story, before);
    expect(story.calls()).not.toContain('riverside POST /patrons');
  });

  test('a copy merged into a native patron: MERGED_INTO_NATIVE, naming that one, written nowhere', async () => {
    const story = await open();
    withCopy(story, OLD, numberAtHome(story));
    const native = story.riverside.putPatron('LOCAL-1', {
      surname: 'Native',
      firstname: 'Person',
      category_id: 'AD',
    });
    expect(story.riverside.mergePatron(OLD, 'LOCAL-1')).not.toBeNull();
    const before = story.riverside.state().patrons;

    expect(endOfRun(await story.run())).toMatchObject({
      outcome: 'MERGED_INTO_NATIVE',
      patronId: native.patron_id,
      homes: ['midland'],
    });
    untouched(story, before);
  });

  test.each<[string, Record<string, unknown>]>([
    ['a category that no copy has', { category_id: 'AD' }],
    ['an enrolment before the patron was at home', { date_enrolled: '2012-01-01' }],
  ])('a record with our key, our card and %s: MERGED_INTO_NATIVE, not lent to', async (_what, columns) => {
    const story = await open();
    story.midland.putPatron(CARD, { date_enrolled: '2020-01-01' });
    withCopy(story, CARD, numberAtHome(story), columns);
    const before = story.riverside.state().patrons;

    expect(endOfRun(await story.run())).toMatchObject({ outcome: 'MERGED_INTO_NATIVE' });
    untouched(story, before);
  });

  test('a category of an earlier configuration is no sign of a merge', async () => {
    const story = await open({ entry: { copy: { category: 'PT', former_categories: ['AD'] } } });
    withCopy(story, CARD, numberAtHome(story), { category_id: 'AD' });

    expect(endOfRun(await story.run())).toMatchObject({
      outcome: 'ALREADY_LOCAL',
      checkout: { result: 'CHECKED_OUT' },
    });
  });

  test('two home keys on one record: MERGED_INTO_NATIVE', async () => {
    const story = await open();
    story.riverside.putSettings({
      attribute_types: [
        { code: 'PASSPORTED', description: 'Home library' },
        { code: 'PASSPORTED_ID', description: 'Home key', unique_id: true, repeatable: true },
      ],
    });
    withCopy(story, OLD, numberAtHome(story), {
      extended_attributes: [
        { type: 'PASSPORTED', value: 'midland' },
        { type: 'PASSPORTED_ID', value: 'midland:9' },
        { type: 'PASSPORTED_ID', value: `midland:${numberAtHome(story)}` },
      ],
    });
    const before = story.riverside.state().patrons;

    expect(endOfRun(await story.run())).toMatchObject({ outcome: 'MERGED_INTO_NATIVE' });
    untouched(story, before);
  });

  test('home merged two records: the copy’s key points nowhere and gets the new number, and it is lent to', async () => {
    const story = await open();
    const first = numberAtHome(story);
    const copy = withCopy(story, CARD, first);
    story.midland.putPatron('21234000000777', { ...PATRON });
    story.midland.mergePatron(CARD, '21234000000777');
    story.midland.putPatron('21234000000777', { cardnumber: CARD });
    const now = numberAtHome(story);
    expect(now).not.toBe(first);

    expect(endOfRun(await story.run())).toMatchObject({
      outcome: 'ALREADY_LOCAL',
      reasons: ['REKEYED'],
      patronId: copy.patron_id,
      checkout: { result: 'CHECKED_OUT' },
    });
    expect(story.copy()?.extended_attributes).toMatchObject([
      { type: 'PASSPORTED', value: 'midland' },
      { type: 'PASSPORTED_ID', value: `midland:${now}` },
    ]);
    expect(story.riverside.state().patrons).toHaveLength(2);
    expect(endOfRun(await story.run({ ...second, item: null }))).toMatchObject({ reasons: [] });
  });

  test('a key of a number that home still has is somebody else’s: LOCAL_CONFLICT, nothing changed', async () => {
    const story = await open();
    const other = story.midland.putPatron('21234000000888', { ...PATRON, firstname: 'Twin' });
    withCopy(story, CARD, other.patron_id);
    const before = story.riverside.state().patrons;

    expect(endOfRun(await story.run())).toMatchObject({ outcome: 'LOCAL_CONFLICT' });
    untouched(story, before);
  });

  test('home kept the younger of two records: the copy, older than it, is still that patron’s and gets the new number', async () => {
    const story = await open();
    withCopy(story, CARD, numberAtHome(story), { date_enrolled: '2023-03-01' });
    story.midland.putPatron('21234000000777', { ...PATRON, date_enrolled: '2024-06-01' });
    story.midland.mergePatron(CARD, '21234000000777');
    story.midland.putPatron('21234000000777', { cardnumber: CARD });

    expect(endOfRun(await story.run())).toMatchObject({ outcome: 'ALREADY_LOCAL', reasons: ['REKEYED'] });
  });

  test.each<[string, Record<string, unknown>]>([
    ['of the same birth date', { firstname: 'Ngozi' }],
    ['without a birth date', { firstname: 'Ngozi', date_of_birth: null }],
  ])(
    'a key of a number that home hides from us is not taken for one it has given up, for a relative %s',
    async (_what, relative) => {
      const story = await open();
      story.midland.putSettings({
        libraries: [{ library_id: 'MAIN' }, { library_id: 'NORTH' }],
        permissions: ['borrowers:list_borrowers', 'borrowers:edit_borrowers'],
      });
      const hidden = story.midland.putPatron('21234000000888', {
        ...PATRON,
        ...relative,
        library_id: 'NORTH',
      });
      withCopy(story, CARD, hidden.patron_id, relative);
      const before = story.riverside.state().patrons;

      expect(endOfRun(await story.run())).toMatchObject({ outcome: 'LOCAL_CONFLICT' });
      untouched(story, before);
    },
  );

  test('while home cannot say whether it has that number, the job waits for home and nothing is changed', async () => {
    const story = await open();
    withCopy(story, CARD, 4711);
    story.midland.addFaults([{ operation: 'GET /patrons/{patron_id}', kind: 'reset_before' }]);
    const before = story.riverside.state().patrons;
    const { job } = waitOf(await story.run({ item: null }));

    expect(job.progress.waiting_for).toMatchObject({ library: 'midland', reason: 'NO_ANSWER' });
    untouched(story, before);
    expect(endOfRun(await story.run({ job, item: null, starts: 2 }))).toMatchObject({ reasons: ['REKEYED'] });
  });

  test('a new key whose answer is lost is looked for', async () => {
    const story = await open();
    withCopy(story, CARD, 4711);
    story.riverside.addFaults([
      {
        operation: 'PATCH /patrons/{patron_id}/extended_attributes/{extended_attribute_id}',
        kind: 'reset_after',
      },
    ]);
    expect(endOfRun(await story.run({ item: null }))).toMatchObject({ reasons: ['REKEYED'] });
  });

  test('a copy that was anonymised while its loan waited is not lent to: COPY_ANONYMIZED', async () => {
    const story = await open();
    const key = `midland:${numberAtHome(story)}`;
    const { patron_id } = withCopy(story, CARD, numberAtHome(story));
    story.riverside.anonymizePatron(CARD);
    const before = story.riverside.state().patrons;
    const made: JobData['made'] = {
      outcome: 'COPIED',
      reasons: [],
      home: 'midland',
      home_key: key,
      patron_id,
      disclosed: ['surname'],
    };

    expect(endOfRun(await story.run({ job: { made }, starts: 2 }))).toMatchObject({
      outcome: 'COPY_ANONYMIZED',
      patronId: patron_id,
      homes: ['midland'],
      disclosed: { homeKey: key },
    });
    untouched(story, before);
    expect(story.calls()).not.toContain('midland GET /patrons');
  });
});
