import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { FaultDraft } from '@passport/koha-double';
import { leakGuard } from '@passport/testkit';
import { type WorkflowBench, openWorkflow } from './workflow-bench.ts';

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
    const since = performance.now();
    const decision = await workflow.run();

    expect(JSON.stringify(decision)).not.toMatch(/stranger|Qvistgaard/i);
    expect(workflow.riverside.calls().length).toBeLessThan(40);
    expect(performance.now() - since).toBeLessThan(10_000);
  },
);
