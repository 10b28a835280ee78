import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { JobData } from '@passport/contract';
import { testedReleases } from '@passport/koha-double';
import type { DisclosureReceipt } from '@passport/queue/copies';
import type { PauseSide } from '@passport/queue/processes';
import { leakGuard } from '@passport/testkit';
import type { Libraries } from '../src/koha/libraries.ts';
import { LibraryPaused } from '../src/koha/koha-failure.ts';
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
const PATIENT = { timeout: '5s' };
const second = { job: { event_id: 'evt_2' } };

describe.each(testedReleases)('records that Koha has changed under a copy, Koha %s:', (release) => {
  const open = async (plan: WorkflowPlan = {}): Promise<WorkflowBench> =>
    own(
      await openWorkflow({
        midland: { release },
        ...plan,
        riverside: { release, ...plan.riverside },
        // Nobody waits in vain here: a busy machine must not be taken for a Koha that hangs.
        entry: { koha: PATIENT, ...plan.entry },
        homeEntry: { koha: PATIENT, ...plan.homeEntry },
      }),
    );

  const numberAtHome = (workflow: WorkflowBench, card = CARD): number =>
    workflow.midland.state(card).patrons[0]?.patron_id ?? 0;
  /** Our copy at riverside, with a home key of that number. */
  const withCopy = (
    workflow: WorkflowBench,
    card: string,
    number: number,
    columns: Record<string, unknown> = {},
  ) =>
    workflow.riverside.putPatron(card, {
      ...PATRON,
      category_id: 'PT',
      extended_attributes: [
        { type: 'PASSPORTED', value: 'midland' },
        { type: 'PASSPORTED_ID', value: `midland:${number}` },
      ],
      ...columns,
    });
  /** At riverside, no patron was changed and nothing was checked out. */
  const untouched = (workflow: WorkflowBench, before: unknown): void => {
    expect(workflow.riverside.state().patrons).toEqual(before);
    expect(workflow.riverside.state().checkouts).toHaveLength(0);
  };

  test('an anonymised copy is neither written to nor given a checkout: COPY_ANONYMIZED, naming it', async () => {
    const workflow = await open();
    const { patron_id } = withCopy(workflow, CARD, numberAtHome(workflow));
    workflow.riverside.anonymizePatron(CARD);
    const before = workflow.riverside.state().patrons;

    expect(endOfRun(await workflow.run())).toMatchObject({
      outcome: 'COPY_ANONYMIZED',
      patronId: patron_id,
      homes: ['midland'],
    });
    untouched(workflow, before);
  });

  test('a copy with an older card that is anonymised between the look and the write gets no card: COPY_ANONYMIZED', async () => {
    let anonymize: (() => void) | null = null;
    const workflow = await open({
      riverside: {
        onExchange({ method, path, query }) {
          if (method !== 'GET' || path !== '/patrons' || !query.includes('extended_attributes.code')) return;
          anonymize?.();
          anonymize = null;
        },
      },
    });
    const { patron_id } = withCopy(workflow, OLD, numberAtHome(workflow));
    anonymize = () => void workflow.riverside.anonymizePatron(OLD);

    expect(endOfRun(await workflow.run())).toMatchObject({ outcome: 'COPY_ANONYMIZED', patronId: patron_id });
    expect(anonymize).toBeNull();
    expect(workflow.calls()).not.toContain('riverside PUT /patrons/{patron_id}');
    expect(workflow.riverside.state().checkouts).toHaveLength(0);
  });

  test('an anonymised home record is no patron any more: HOME_GONE, nothing sent', async () => {
    const workflow = await open();
    workflow.midland.putPatron(CARD, { anonymized: true });
    const before = workflow.riverside.state().patrons;

    expect(endOfRun(await workflow.run())).toEqual({ outcome: 'HOME_GONE', homes: ['midland'] });
    untouched(workflow, before);
    expect(workflow.calls()).not.toContain('riverside POST /patrons');
  });

  test('a copy merged into a native patron: MERGED_INTO_NATIVE, naming that one, written nowhere', async () => {
    const workflow = await open();
    withCopy(workflow, OLD, numberAtHome(workflow));
    const native = workflow.riverside.putPatron('LOCAL-1', {
      surname: 'Native',
      firstname: 'Person',
      category_id: 'AD',
    });
    expect(workflow.riverside.mergePatron(OLD, 'LOCAL-1')).not.toBeNull();
    const before = workflow.riverside.state().patrons;

    expect(endOfRun(await workflow.run())).toMatchObject({
      outcome: 'MERGED_INTO_NATIVE',
      patronId: native.patron_id,
      homes: ['midland'],
    });
    untouched(workflow, before);
  });

  test('a copy merged into a native patron of the same category: the copy on record has another number', async () => {
    const workflow = await open();
    const { patron_id: copyId } = withCopy(workflow, OLD, numberAtHome(workflow));
    const native = workflow.riverside.putPatron('LOCAL-1', { surname: 'Native', category_id: 'PT' });
    expect(workflow.riverside.mergePatron(OLD, 'LOCAL-1')).not.toBeNull();
    const before = workflow.riverside.state().patrons;
    const records = { find: () => Promise.resolve(copyId), rekey: () => Promise.resolve() };

    expect(endOfRun(await workflow.run({}, { records }))).toMatchObject({
      outcome: 'MERGED_INTO_NATIVE',
      patronId: native.patron_id,
    });
    untouched(workflow, before);
  });

  test.each<[string, Record<string, unknown>]>([
    ['a category that no copy has', { category_id: 'AD' }],
    ['an enrolment before the patron was at home', { date_enrolled: '2012-01-01' }],
  ])(
    'a record with our key, our card and %s: MERGED_INTO_NATIVE, nothing checked out',
    async (_what, columns) => {
      const workflow = await open();
      workflow.midland.putPatron(CARD, { date_enrolled: '2020-01-01' });
      withCopy(workflow, CARD, numberAtHome(workflow), columns);
      const before = workflow.riverside.state().patrons;

      expect(endOfRun(await workflow.run())).toMatchObject({ outcome: 'MERGED_INTO_NATIVE' });
      untouched(workflow, before);
    },
  );

  test('a category of an earlier configuration is no sign of a merge', async () => {
    const workflow = await open({ entry: { copy: { category: 'PT', former_categories: ['AD'] } } });
    withCopy(workflow, CARD, numberAtHome(workflow), { category_id: 'AD' });

    expect(endOfRun(await workflow.run())).toMatchObject({
      outcome: 'ALREADY_LOCAL',
      checkout: { result: 'CHECKED_OUT' },
    });
  });

  test('two home keys on one record: MERGED_INTO_NATIVE', async () => {
    const workflow = await open();
    workflow.riverside.putSettings({
      attribute_types: [
        { code: 'PASSPORTED', description: 'Home library' },
        { code: 'PASSPORTED_ID', description: 'Home key', unique_id: true, repeatable: true },
      ],
    });
    withCopy(workflow, OLD, numberAtHome(workflow), {
      extended_attributes: [
        { type: 'PASSPORTED', value: 'midland' },
        { type: 'PASSPORTED_ID', value: 'midland:9' },
        { type: 'PASSPORTED_ID', value: `midland:${numberAtHome(workflow)}` },
      ],
    });
    const before = workflow.riverside.state().patrons;

    expect(endOfRun(await workflow.run())).toMatchObject({ outcome: 'MERGED_INTO_NATIVE' });
    untouched(workflow, before);
  });

  test('home merged two records: the copy’s key points nowhere and gets the new number, and the item is checked out to it', async () => {
    const workflow = await open();
    const first = numberAtHome(workflow);
    const copy = withCopy(workflow, CARD, first);
    workflow.midland.putPatron('21234000000777', { ...PATRON });
    workflow.midland.mergePatron(CARD, '21234000000777');
    workflow.midland.putPatron('21234000000777', { cardnumber: CARD });
    const now = numberAtHome(workflow);
    expect(now).not.toBe(first);

    expect(endOfRun(await workflow.run())).toMatchObject({
      outcome: 'ALREADY_LOCAL',
      reasons: ['REKEYED'],
      patronId: copy.patron_id,
      checkout: { result: 'CHECKED_OUT' },
    });
    expect(workflow.copy()?.extended_attributes).toMatchObject([
      { type: 'PASSPORTED', value: 'midland' },
      { type: 'PASSPORTED_ID', value: `midland:${now}` },
    ]);
    expect(workflow.riverside.state().patrons).toHaveLength(2);
    expect(endOfRun(await workflow.run({ ...second, item: null }))).toMatchObject({ reasons: [] });
  });

  test('the new number leaves after its receipt, and after the service’s own record has it', async () => {
    const workflow = await open();
    const { patron_id: patronId } = withCopy(workflow, CARD, 4711);
    const to = `midland:${numberAtHome(workflow)}`;
    const noted: unknown[] = [];
    const hasLeft = (): boolean => workflow.calls().some((call) => call.includes('PATCH'));
    const recording = {
      receipts: {
        append: ({ what, homeKey, formerKey, eventId }: DisclosureReceipt) => {
          noted.push({ what, homeKey, formerKey, eventId, hasLeft: hasLeft() });
          return Promise.resolve('1-0');
        },
      },
      records: {
        find: () => Promise.resolve(null),
        rekey: (lending: string, copy: object) =>
          Promise.resolve(void noted.push({ lending, ...copy, hasLeft: hasLeft() })),
      },
    };
    const receipt = { what: 'rekeyed', homeKey: to, formerKey: 'midland:4711', hasLeft: false };
    const record = { lending: 'riverside', patronId, from: 'midland:4711', to, hasLeft: false };

    await workflow.run({ item: null }, recording);

    expect(noted).toEqual([{ ...receipt, eventId: 'evt_1' }, record]);
    expect(hasLeft()).toBe(true);
  });

  test('a new card leaves after its receipt', async () => {
    const workflow = await open();
    const { patron_id: patronId } = withCopy(workflow, OLD, numberAtHome(workflow));
    const noted: unknown[] = [];
    const append = ({ what, fields, patronId: number }: DisclosureReceipt) => {
      noted.push({ what, fields, number, card: workflow.copy(OLD)?.cardnumber });
      return Promise.resolve('1-0');
    };

    const ended = endOfRun(await workflow.run({ item: null }, { receipts: { append } }));

    expect(ended).toMatchObject({ reasons: ['CARD_CHANGED'] });
    expect(noted).toEqual([{ what: 'refreshed', fields: ['cardnumber'], number: patronId, card: OLD }]);
  });

  test('the old number is looked up at home as at a home library: only a pause of that is waited for', async () => {
    const workflow = await open();
    withCopy(workflow, CARD, numberAtHome(workflow) + 1_000);
    const { libraries } = workflow;
    const paused = (on: PauseSide) => ({
      libraries: {
        ...libraries,
        call: ((library, work, side = 'lending') =>
          library === 'midland' && side === on
            ? Promise.reject(new LibraryPaused(library, side, 60_000))
            : libraries.call(library, work, side)) satisfies Libraries['call'],
      },
    });

    expect(waitOf(await workflow.run({ item: null }, paused('home')))).toMatchObject({
      reason: 'PAUSED',
      forPausesOf: [{ library: 'midland', side: 'home' }],
      otherwise: { outcome: 'HOME_UNREACHABLE', homes: ['midland'], reasons: ['PAUSED'] },
    });
    const ended = endOfRun(await workflow.run({ item: null }, paused('lending')));
    expect(ended).toMatchObject({ reasons: ['REKEYED'] });
  });

  test('a key of a number that home still has is somebody else’s: LOCAL_CONFLICT, nothing changed', async () => {
    const workflow = await open();
    const other = workflow.midland.putPatron('21234000000888', { ...PATRON, firstname: 'Twin' });
    withCopy(workflow, CARD, other.patron_id);
    const before = workflow.riverside.state().patrons;

    expect(endOfRun(await workflow.run())).toMatchObject({ outcome: 'LOCAL_CONFLICT' });
    untouched(workflow, before);
  });

  test('home kept the younger of two records: the copy, older than it, is still that patron’s and gets the new number', async () => {
    const workflow = await open();
    withCopy(workflow, CARD, numberAtHome(workflow), { date_enrolled: '2023-03-01' });
    workflow.midland.putPatron('21234000000777', { ...PATRON, date_enrolled: '2024-06-01' });
    workflow.midland.mergePatron(CARD, '21234000000777');
    workflow.midland.putPatron('21234000000777', { cardnumber: CARD });

    expect(endOfRun(await workflow.run())).toMatchObject({ outcome: 'ALREADY_LOCAL', reasons: ['REKEYED'] });
  });

  test.each<[string, Record<string, unknown>]>([
    ['of the same birth date', { firstname: 'Ngozi' }],
    ['without a birth date', { firstname: 'Ngozi', date_of_birth: null }],
  ])(
    'a key of a number that home hides from us is not taken for one it has given up, for a relative %s',
    async (_what, relative) => {
      const workflow = await open();
      workflow.midland.putSettings({
        libraries: [{ library_id: 'MAIN' }, { library_id: 'NORTH' }],
        permissions: ['borrowers:list_borrowers', 'borrowers:edit_borrowers'],
      });
      const hidden = workflow.midland.putPatron('21234000000888', {
        ...PATRON,
        ...relative,
        library_id: 'NORTH',
      });
      withCopy(workflow, CARD, hidden.patron_id, relative);
      const before = workflow.riverside.state().patrons;

      expect(endOfRun(await workflow.run())).toMatchObject({ outcome: 'LOCAL_CONFLICT' });
      untouched(workflow, before);
    },
  );

  test('while home cannot say whether it has that number, the job waits for home and nothing is changed', async () => {
    const workflow = await open();
    withCopy(workflow, CARD, 4711);
    workflow.midland.addFaults([{ operation: 'GET /patrons/{patron_id}', kind: 'reset_before' }]);
    const before = workflow.riverside.state().patrons;
    const { job } = waitOf(await workflow.run({ item: null }));

    expect(job.progress.waiting_for).toMatchObject({ library: 'midland', reason: 'NO_ANSWER' });
    untouched(workflow, before);
    expect(endOfRun(await workflow.run({ job, item: null, starts: 2 }))).toMatchObject({
      reasons: ['REKEYED'],
    });
  });

  test('a new key whose answer is lost is looked for', async () => {
    const workflow = await open();
    withCopy(workflow, CARD, 4711);
    workflow.riverside.addFaults([
      {
        operation: 'PATCH /patrons/{patron_id}/extended_attributes/{extended_attribute_id}',
        kind: 'reset_after',
      },
    ]);
    expect(endOfRun(await workflow.run({ item: null }))).toMatchObject({ reasons: ['REKEYED'] });
  });

  test('a copy that was anonymised while its checkout waited gets none: COPY_ANONYMIZED', async () => {
    const workflow = await open();
    const key = `midland:${numberAtHome(workflow)}`;
    const { patron_id } = withCopy(workflow, CARD, numberAtHome(workflow));
    workflow.riverside.anonymizePatron(CARD);
    const before = workflow.riverside.state().patrons;
    const made: JobData['made'] = {
      outcome: 'COPIED',
      reasons: [],
      home: 'midland',
      home_key: key,
      patron_id,
      disclosed: ['surname'],
    };

    expect(endOfRun(await workflow.run({ job: { made }, starts: 2 }))).toMatchObject({
      outcome: 'COPY_ANONYMIZED',
      patronId: patron_id,
      homes: ['midland'],
      disclosed: { homeKey: key },
    });
    untouched(workflow, before);
    expect(workflow.calls()).not.toContain('midland GET /patrons');
  });
});
