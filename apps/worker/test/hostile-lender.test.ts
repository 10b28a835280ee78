import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { FaultDraft } from '@passport/koha-double';
import { leakGuard } from '@passport/testkit';
import { CARD } from './builders.ts';
import { PATRON, type WorkflowBench, endOfRun, openWorkflow } from './workflow-bench.ts';

const own = leakGuard({ beforeEach, afterEach });
const open = async (): Promise<WorkflowBench> => own(await openWorkflow());

const TEXT = 'Log in at https://stranger.example as Qvistgaard';
const conflict: FaultDraft = {
  operation: 'POST /patrons',
  kind: 'status',
  status: 409,
  body: { error: 'Duplicate ID', conflict: 'cardnumber' },
  times: 100,
};
const answers = (operation: FaultDraft['operation'], body: unknown): FaultDraft => ({
  operation,
  kind: 'status',
  status: 200,
  body,
  times: 1_000,
});
const page = (row: (n: number) => object): object[] => Array.from({ length: 100 }, (_, n) => row(n + 1));
const lost: FaultDraft = { operation: 'POST /checkouts', kind: 'html', status: 502, times: 100 };

/** What a lending Koha can answer to the looks after a write. */
const LOOKS: Readonly<Record<string, readonly FaultDraft[]>> = {
  'patrons without end after a conflict': [
    conflict,
    answers(
      'GET /patrons',
      page((n) => ({ patron_id: n, cardnumber: TEXT })),
    ),
  ],
  'a surname of a megabyte after a conflict': [
    conflict,
    answers('GET /patrons', [{ patron_id: 1, cardnumber: 'x', surname: TEXT.repeat(20_000) }]),
  ],
  'a permission of text': [
    {
      ...conflict,
      status: 403,
      body: { error: TEXT, required_permissions: { borrowers: TEXT, [TEXT]: '1' } },
    },
  ],
  'checkouts without end after a lost checkout': [
    lost,
    answers(
      'GET /checkouts',
      page((n) => ({ checkout_id: n, patron_id: n, item_id: n })),
    ),
  ],
  'items without end after a lost checkout': [
    lost,
    answers(
      'GET /items',
      page((n) => ({ item_id: n, external_id: TEXT })),
    ),
  ],
};

test.each(Object.entries(LOOKS))(
  '%s cost a handful of calls, and no word of them goes on',
  async (_what, faults) => {
    const workflow = await open();
    workflow.riverside.addFaults(faults);
    const decision = await workflow.run();

    expect(JSON.stringify(decision)).not.toMatch(/stranger|Qvistgaard/i);
    expect(workflow.riverside.calls().length).toBeLessThan(40);
  },
);

describe('the name of what is set up wrongly is one of this Koha’s own, or none:', () => {
  const refuses = (status: number, error: string, operation: FaultDraft['operation'] = 'POST /patrons') =>
    ({ operation, kind: 'status', status, body: { error }, times: 9 }) as const;
  const problemOf = async (workflow: WorkflowBench, branch = 'MAIN') =>
    endOfRun(await workflow.run({ job: { branch } })).problem;
  const callsAfter = (workflow: WorkflowBench, operation: string) =>
    workflow.riverside.calls().filter((call) => call.operation === operation).length;

  const missing = (type: string) => refuses(400, `Missing mandatory extended attribute (type=${type})`);

  test('a mandatory attribute type that it lists, at one look', async () => {
    const workflow = await open();
    const codes = ['PASSPORTED', 'PASSPORTED_ID', 'SCHOOL'];
    workflow.riverside.putSettings({
      attribute_types: codes.map((code) => ({ code, description: code })),
    });
    workflow.riverside.addFaults([missing('SCHOOL')]);

    expect(await problemOf(workflow)).toEqual({
      library: 'riverside',
      what: 'mandatory_attribute',
      name: 'SCHOOL',
    });
    expect(callsAfter(workflow, 'GET /contrib/passport/about')).toBe(1);
  });

  test('no attribute type that it only says', async () => {
    const workflow = await open();
    workflow.riverside.addFaults([missing('SMITHSON')]);

    expect(await problemOf(workflow)).toEqual({
      library: 'riverside',
      what: 'mandatory_attribute',
      name: null,
    });
  });

  test('no attribute type where it does not list them', async () => {
    const workflow = await open();
    workflow.riverside.addFaults([
      missing('SCHOOL'),
      { operation: 'GET /contrib/passport/about', kind: 'status', status: 404, body: { error: 'x' } },
    ]);

    expect(await problemOf(workflow)).toMatchObject({ what: 'mandatory_attribute', name: null });
  });

  test.each([
    ['NORTH', 'NORTH'],
    ['SMITHSON', null],
  ])('of the branch %s of a scan, which it refuses: %s', async (branch, name) => {
    const workflow = await open();
    workflow.riverside.addFaults([refuses(403, `Unauthorized attempt to set library to ${branch}`)]);

    expect(await problemOf(workflow, branch)).toEqual({ library: 'riverside', what: 'branch', name });
  });

  test('of the branch of a scan that it refuses at the checkout, none', async () => {
    const workflow = await open();
    workflow.riverside.addFaults([
      refuses(403, 'Unauthorized attempt to set library to SMITHSON', 'POST /checkouts'),
      { operation: 'POST /patrons', kind: 'status', status: 201, body: { patron_id: 77, cardnumber: CARD } },
    ]);

    expect(await problemOf(workflow, 'SMITHSON')).toEqual({
      library: 'riverside',
      what: 'branch',
      name: null,
    });
  });

  test('no branch of a copy that it shows and then refuses', async () => {
    const workflow = await open();
    const { surname, firstname, date_of_birth } = PATRON;
    const home = workflow.midland.state(CARD).patrons[0];
    const copy = workflow.riverside.putPatron('OLD-1', {
      surname,
      firstname,
      date_of_birth,
      category_id: 'PT',
      expiry_date: '2037-12-31',
      extended_attributes: [
        { type: 'PASSPORTED', value: 'midland' },
        { type: 'PASSPORTED_ID', value: `midland:${home?.patron_id}` },
      ],
    });
    const shown = { ...copy, library_id: 'SMITHSON' };
    workflow.riverside.addFaults([
      refuses(409, 'Duplicate ID'),
      { operation: 'GET /patrons/{patron_id}', kind: 'status', status: 200, body: shown, times: 9 },
      refuses(400, 'Given library_id does not exist', 'PUT /patrons/{patron_id}'),
    ]);
    const decision = await workflow.run();

    expect(callsAfter(workflow, 'PUT /patrons/{patron_id}')).toBe(1);
    expect(JSON.stringify(decision)).not.toContain('SMITHSON');
    expect(endOfRun(decision).problem).toEqual({ library: 'riverside', what: 'branch', name: null });
  });
});
