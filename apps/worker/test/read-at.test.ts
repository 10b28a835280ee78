import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { FaultDraft } from '@passport/koha-double';
import { leakGuard } from '@passport/testkit';
import { type WorkflowBench, endOfRun, openWorkflow, waitOf } from './workflow-bench.ts';

const own = leakGuard({ beforeEach, afterEach });
const LOOK = 'GET /patrons';
const CREATE = 'POST /patrons';
const BAD_GATEWAY = { kind: 'html', status: 502 } as const;

/** A lending Koha that loses a create, and answers so to the look that follows. */
async function afterLostCreate(...looks: Omit<FaultDraft, 'operation'>[]): Promise<WorkflowBench> {
  const workflow = own(await openWorkflow());
  workflow.riverside.addFaults([
    { operation: CREATE, kind: 'reset_after' },
    ...looks.map((fault) => ({ operation: LOOK, ...fault })),
  ]);
  return workflow;
}
const looksOf = (workflow: WorkflowBench): number =>
  workflow.calls().filter((call) => call === `riverside ${LOOK}`).length;

test('a look that a proxy refuses for a moment is made again in the same try', async () => {
  const workflow = await afterLostCreate(BAD_GATEWAY, BAD_GATEWAY);
  expect(endOfRun(await workflow.run())).toMatchObject({
    outcome: 'ALREADY_LOCAL',
    checkout: { result: 'CHECKED_OUT' },
  });
  expect(looksOf(workflow)).toBe(3);
});

test('a look that fails three times ends the try', async () => {
  const workflow = await afterLostCreate({ ...BAD_GATEWAY, times: 100 });
  const { job } = waitOf(await workflow.run());
  expect(job.progress.waiting_for).toMatchObject({ library: 'riverside', reason: 'NO_ANSWER' });
  expect(looksOf(workflow)).toBe(3);
});

test.each<[string, Omit<FaultDraft, 'operation'>]>([
  ['silence', { kind: 'hang' }],
  ['a reset', { kind: 'reset_before' }],
  ['Koha’s wish to be left alone', { kind: 'status', status: 503, headers: { 'retry-after': '1' } }],
  [
    'Koha’s own error over this record',
    { kind: 'status', status: 500, body: { error: 'x', error_code: 'internal_server_error' } },
  ],
])('a look that ends in %s is not made again', async (_what, fault) => {
  const workflow = await afterLostCreate({ ...fault, times: 100 });
  waitOf(await workflow.run());
  expect(looksOf(workflow)).toBe(1);
});

test('a checkout is never repeated so', async () => {
  const workflow = own(await openWorkflow());
  const checkout = 'POST /checkouts';
  workflow.riverside.addFaults([{ operation: checkout, ...BAD_GATEWAY, times: 100 }]);
  waitOf(await workflow.run());
  expect(workflow.calls().filter((call) => call === `riverside ${checkout}`)).toHaveLength(1);
});

test('a library that is down gets no more calls than its circuit allows', async () => {
  // the pause of its circuit does not end while the test runs
  const workflow = own(await openWorkflow({ monotonicNow: () => 0 }));
  workflow.riverside.addFaults([
    { operation: CREATE, ...BAD_GATEWAY, times: 100 },
    { operation: LOOK, ...BAD_GATEWAY, times: 100 },
  ]);
  for (let n = 1; n <= 5; n += 1) waitOf(await workflow.run({ starts: n }));
  expect(
    workflow.calls().filter((call) => call.startsWith('riverside') && call.includes('/patrons')),
  ).toHaveLength(5);
});
