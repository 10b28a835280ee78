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
  ])(
    'a native patron’s card that differs in %s: LOCAL_CONFLICT, not a missing permission',
    async (_what, card, taken) => {
      const story = await open();
      story.midland.putPatron(card, PATRON);
      story.riverside.putPatron(taken, { surname: 'Native', category_id: 'AD' });

      expect(endOfRun(await story.run({ card }))).toMatchObject({
        outcome: 'LOCAL_CONFLICT',
        homes: ['midland'],
      });
      expect(story.riverside.state().checkouts).toHaveLength(0);
    },
  );

  test('a home key that differs in case only: LOCAL_CONFLICT, not a missing permission', async () => {
    const story = await open();
    const number = story.midland.state(CARD).patrons[0]?.patron_id;
    story.riverside.putPatron('LOCAL-1', {
      surname: 'Other',
      category_id: 'PT',
      extended_attributes: [{ type: 'PASSPORTED_ID', value: `MIDLAND:${number}` }],
    });

    expect(endOfRun(await story.run())).toMatchObject({ outcome: 'LOCAL_CONFLICT', homes: ['midland'] });
    expect(story.copy()).toBeUndefined();
  });
});
