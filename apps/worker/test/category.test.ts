import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { leakGuard } from '@passport/testkit';
import { openEmptyRedis } from './empty-redis.ts';
import { CARD } from './builders.ts';
import { type SweepBench, cardOf, openSweep } from './sweep-bench.ts';
import { endOfRun, openWorkflow } from './workflow-bench.ts';

const own = leakGuard({ beforeEach, afterEach });
const { redis } = await openEmptyRedis();
const COPY = {
  category: 'PT',
  categories: { midland: { by_home_category: { CH: 'PTC' }, otherwise: 'PT' } },
};
const categoryOf = ({ lender }: SweepBench) => lender.state(cardOf('midland', 0)).patrons[0]?.category_id;

/** A copy that was made in category PT, of a patron who is a child at home by now. */
async function open(category: 'apply' | 'report'): Promise<SweepBench> {
  const refresh = { sweep: '02:00', category };
  const bench = own(await openSweep(['midland'], redis, { refresh, copy: COPY }));
  bench.lender.putSettings({
    categories: [{ patron_category_id: 'PT' }, { patron_category_id: 'PTC' }],
  });
  const card = bench.put('midland', 0, { remembered: { category_id: 'PT' } });
  bench.homes['midland']?.putPatron(card, { category_id: 'CH' });
  return bench;
}

test('a copy is made in the category that its home library is mapped to', async () => {
  const workflow = own(await openWorkflow({ entry: { copy: COPY } }));
  workflow.riverside.putSettings({
    categories: [{ patron_category_id: 'PT' }, { patron_category_id: 'PTC' }],
  });
  workflow.midland.putPatron(CARD, { category_id: 'CH' });
  expect(endOfRun(await workflow.run()).outcome).toBe('COPIED');
  expect(workflow.copy()?.category_id).toBe('PTC');
});

test.each([
  ['apply', 'PTC'],
  ['report', 'PT'],
] as const)(
  'a category that changed at home is found, and with %s the copy is in %s',
  async (how, expected) => {
    const bench = await open(how);
    expect((await bench.sweep()).homes['midland']?.findings).toMatchObject({ CATEGORY_CHANGED: 1 });
    expect(categoryOf(bench)).toBe(expected);
  },
);

test('one that staff changed here stays', async () => {
  const bench = await open('apply');
  bench.homes['midland']?.putPatron(cardOf('midland', 0), { category_id: 'AD' });
  bench.lender.putPatron(cardOf('midland', 0), { category_id: 'PTC' });
  expect((await bench.sweep()).homes['midland']?.findings).toMatchObject({ KEPT_LOCAL: 1 });
  expect(categoryOf(bench)).toBe('PTC');
});
