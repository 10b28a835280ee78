import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { isFrom, testedReleases } from '@passport/koha-double';
import { leakGuard } from '@passport/testkit';
import { CARD } from './builders.ts';
import { PATRON, type WorkflowBench, endOfRun, openWorkflow, waitOf } from './workflow-bench.ts';

const own = leakGuard({ beforeEach, afterEach });
const { surname, firstname, date_of_birth } = PATRON;
const COMPARED = ['surname', 'firstname', 'date_of_birth'];

describe.each(testedReleases)('a possible duplicate, Koha %s:', (release) => {
  const looksByItself = isFrom(release, '25.11');
  const open = async (copy: Record<string, unknown> = {}): Promise<WorkflowBench> =>
    own(await openWorkflow({ riverside: { release }, entry: { copy: { on_look_alike: 'stop', ...copy } } }));
  /** The calls at riverside; a scan has no item unless it says so. */
  const here = (workflow: WorkflowBench): string[] =>
    workflow.calls().filter((call) => call.startsWith('riverside'));
  const run = (workflow: WorkflowBench, wish: Parameters<WorkflowBench['run']>[0] = {}) =>
    workflow.run({ item: null, ...wish });

  test('somebody of the same name and birth date stops the copy, and what left is on record', async () => {
    const workflow = await open();
    workflow.riverside.putPatron('LOCAL-1', { surname: 'OKAFOR', firstname, date_of_birth });
    const end = endOfRun(await run(workflow));

    expect(end).toMatchObject({ outcome: 'LOOKS_LIKE_LOCAL_PATRON', homes: ['midland'] });
    expect(workflow.copy()).toBeUndefined();
    expect(here(workflow).includes('riverside POST /patrons')).toBe(looksByItself);
    if (looksByItself) expect(end.disclosed?.fields).toEqual(expect.arrayContaining(['email']));
    else expect(end.disclosed?.fields).toEqual(COMPARED);
  });

  test('nobody: the copy is made, and one look costs one call where Koha has none of its own', async () => {
    const workflow = await open();
    workflow.riverside.putPatron('LOCAL-1', { surname, firstname, date_of_birth: '1961-01-31' });
    const end = endOfRun(await run(workflow));

    expect(end).toMatchObject({ outcome: 'COPIED' });
    expect(end.disclosed?.fields).toEqual(expect.arrayContaining([...COMPARED, 'email']));
    expect(here(workflow)).toEqual([
      ...(looksByItself ? [] : ['riverside GET /patrons']),
      'riverside POST /patrons',
    ]);
  });

  test('where it does not matter nobody is looked for', async () => {
    const workflow = await open({ on_look_alike: 'create' });
    workflow.riverside.putPatron('LOCAL-1', { surname, firstname, date_of_birth });

    expect(endOfRun(await run(workflow))).toMatchObject({ outcome: 'COPIED' });
    expect(here(workflow)).toEqual(['riverside POST /patrons']);
  });

  test('where nothing is said of it, it is left to Koha, at no call of ours', async () => {
    const workflow = await open({ on_look_alike: 'koha' });
    workflow.riverside.putPatron('LOCAL-1', { surname, firstname, date_of_birth });
    const outcome = looksByItself ? 'LOOKS_LIKE_LOCAL_PATRON' : 'COPIED';

    expect(endOfRun(await run(workflow))).toMatchObject({ outcome });
    expect(here(workflow)[0]).toBe('riverside POST /patrons');
  });

  test('a copy without a birth date is compared by Koha alone', async () => {
    const workflow = await open({ fields: ['name'] });
    await run(workflow);
    expect(here(workflow)).not.toContain('riverside GET /patrons');
  });

  if (looksByItself) return;

  test('a search that fails is tried again, and no more than the names has left', async () => {
    const workflow = await open();
    workflow.riverside.addFaults([{ operation: 'GET /patrons', kind: 'status', status: 503, times: 9 }]);
    const wait = waitOf(await run(workflow));

    expect(wait).toMatchObject({ library: 'riverside', otherwise: { outcome: 'LENDING_UNREACHABLE' } });
    expect(wait.job.sent).toMatchObject({ fields: COMPARED, create: false });
    expect(here(workflow)).not.toContain('riverside POST /patrons');
  });

  test('after a search alone no copy is looked for, and nobody is queried for an event that is cancelled', async () => {
    const workflow = await open();
    workflow.riverside.addFaults([{ operation: 'GET /patrons', kind: 'status', status: 503, times: 9 }]);
    const { sent } = waitOf(await run(workflow)).job;
    for (const double of [workflow.midland, workflow.riverside]) double.clearCalls();
    workflow.riverside.clearFaults();

    const cancelled = endOfRun(await run(workflow, { job: { sent }, starts: 2, isCancelled: true }));
    expect(cancelled).toMatchObject({ outcome: 'CANCELLED', disclosed: { fields: COMPARED } });
    expect(cancelled.homes).toBeUndefined();
    expect(workflow.calls()).toEqual([]);

    expect(endOfRun(await run(workflow, { job: { sent }, starts: 2 }))).toMatchObject({ outcome: 'COPIED' });
    expect(here(workflow)).toEqual(['riverside GET /patrons', 'riverside POST /patrons']);
  });

  test('what an earlier run sent of the patron is not forgotten by a search', async () => {
    const workflow = await open();
    workflow.riverside.putPatron('LOCAL-1', { surname, firstname, date_of_birth });
    const [patron] = workflow.midland.state(CARD).patrons;
    const sent = { home: 'midland', home_key: `midland:${patron?.patron_id}`, fields: ['surname', 'phone'] };
    const ended = await run(workflow, { job: { sent } });
    const end = endOfRun(ended);

    expect(end).toMatchObject({ outcome: 'LOOKS_LIKE_LOCAL_PATRON' });
    expect('job' in ended ? ended.job.sent : null).not.toHaveProperty('create');
    expect(end.disclosed?.fields.toSorted()).toEqual([...COMPARED, 'phone'].toSorted());
  });
});
