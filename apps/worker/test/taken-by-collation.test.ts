import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { leakGuard } from '@passport/testkit';
import { CARD } from './builders.ts';
import { PATRON, type WorkflowBench, endOfRun, openWorkflow } from './workflow-bench.ts';

const own = leakGuard({ beforeEach, afterEach });

describe('what Koha’s database takes for the same', () => {
  const open = async (): Promise<WorkflowBench> => own(await openWorkflow());

  test.each([
    ['accents', 'MULLER-1', 'Müller-1'],
    ['accents and case', 'Émile-2', 'EMILE-2'],
    ['width', 'AB-2123', 'ＡＢ－２１２３'],
    ['what is not seen', 'AB-2123', 'AB-21\u200b23'],
  ])(
    'a native patron’s card that differs in %s: LOCAL_CONFLICT, not a missing permission',
    async (_what, card, taken) => {
      const workflow = await open();
      workflow.midland.putPatron(card, PATRON);
      workflow.riverside.putPatron(taken, { surname: 'Native', category_id: 'AD' });

      expect(endOfRun(await workflow.run({ card }))).toMatchObject({
        outcome: 'LOCAL_CONFLICT',
        homes: ['midland'],
      });
      expect(workflow.riverside.state().checkouts).toHaveLength(0);
    },
  );

  test('a home key that differs in case only: LOCAL_CONFLICT, not a missing permission', async () => {
    const workflow = await open();
    const number = workflow.midland.state(CARD).patrons[0]?.patron_id;
    workflow.riverside.putPatron('LOCAL-1', {
      surname: 'Other',
      category_id: 'PT',
      extended_attributes: [{ type: 'PASSPORTED_ID', value: `MIDLAND:${number}` }],
    });

    expect(endOfRun(await workflow.run())).toMatchObject({ outcome: 'LOCAL_CONFLICT', homes: ['midland'] });
    expect(workflow.copy()).toBeUndefined();
  });
});
