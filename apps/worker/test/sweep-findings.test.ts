import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { findingsKey } from '@passport/queue/keys';
import { readWorklist } from '@passport/queue/sweeps';
import { leakGuard } from '@passport/testkit';
import { openEmptyRedis } from './empty-redis.ts';
import { DAY_MS, LENDER, type SweepBench, cardOf, openSweep } from './sweep-bench.ts';

const own = leakGuard({ beforeEach, afterEach });
const NOW = Date.parse('2026-11-26T02:00:00Z');
const { redis } = await openEmptyRedis();

async function open(count: number, entry?: object): Promise<SweepBench> {
  const bench = own(await openSweep(['midland'], redis, entry));
  for (let index = 0; index < count; index += 1) bench.put('midland', index);
  return bench;
}
const numberOf = ({ lender }: SweepBench, index: number): number =>
  Number(lender.state(cardOf('midland', index)).patrons[0]?.['patron_id']);
const list = async (bench: SweepBench) => {
  const { items } = await readWorklist(redis, LENDER);
  const indexOf = new Map(Array.from({ length: 20 }, (_, index) => [numberOf(bench, index), index]));
  return items
    .map(({ patronId, finding, isNew }) => `${indexOf.get(patronId) ?? '-'} ${finding}${isNew ? ' new' : ''}`)
    .toSorted();
};
const at = (bench: SweepBench, index: number, change: Readonly<Record<string, unknown>>): void =>
  void bench.homes['midland']?.putPatron(cardOf('midland', index), change);

describe('what a sweep leaves open', () => {
  test('is listed by copy, new ones are marked, and what is handled is not listed any more', async () => {
    const bench = await open(5);
    at(bench, 0, { restricted: true });
    at(bench, 1, { patron_card_lost: true });
    await bench.sweep({ atMs: NOW });
    expect(await list(bench)).toEqual(['0 HOME_RESTRICTED new', '1 HOME_CARD_LOST new']);

    at(bench, 1, { patron_card_lost: false });
    at(bench, 2, { extended_attributes: [{ type: 'PASSPORTED', value: 'lakeside' }] });
    await bench.sweep({ atMs: NOW + DAY_MS });
    expect(await list(bench)).toEqual(['0 HOME_RESTRICTED', '2 NOT_SHARED new']);
    bench.lender.deletePatron(cardOf('midland', 0));
    await bench.sweep({ atMs: NOW + 2 * DAY_MS });
    expect(await list(bench)).toEqual(['2 NOT_SHARED']);
  });

  test('is nothing any more of a home whose last copy is gone', async () => {
    const bench = await open(1);
    at(bench, 0, { restricted: true });
    await bench.sweep({ atMs: NOW });
    expect(await list(bench)).toEqual(['0 HOME_RESTRICTED new']);
    bench.lender.deletePatron(cardOf('midland', 0));
    await bench.sweep({ atMs: NOW + DAY_MS, homeIds: [] });
    expect(await list(bench)).toEqual([]);
  });

  test('is not what the same sweep has applied: an expiry date, and a restriction for the standing', async () => {
    const bench = await open(2, { refresh: { sweep: '02:00' }, standing: 'restrict' });
    at(bench, 0, { restricted: true });
    at(bench, 1, { expiry_date: '2020-01-01' });
    await bench.sweep({ atMs: NOW });
    expect(await list(bench)).toEqual([]);
  });

  test('is the same after the same sweep again, after one that was killed, and after a dry run', async () => {
    const bench = await open(5);
    for (const index of [0, 2, 4]) at(bench, index, { restricted: true });
    await bench.sweep({ atMs: NOW });
    const entries = () => redis.hgetall(findingsKey(LENDER));
    const before = await entries();
    expect(Object.keys(before)).toHaveLength(3);
    await bench.sweep({ atMs: NOW });
    expect(await entries()).toEqual(before);
    at(bench, 0, { restricted: false });
    await bench.sweep({ atMs: NOW + DAY_MS, dryRun: true });
    expect(await entries()).toEqual(before);
    await expect(bench.sweep({ atMs: NOW + DAY_MS, dies: 1 })).rejects.toThrow('killed');
    await bench.sweep({ atMs: NOW + DAY_MS });
    expect(await list(bench)).toEqual(['2 HOME_RESTRICTED', '4 HOME_RESTRICTED']);
  });

  test('stays on nights on which home was not read for it, and while home is down or hides its patrons', async () => {
    const bench = await open(15);
    at(bench, 0, { restricted: true, updated_on: '2026-01-01T00:00:00Z' });
    await bench.sweep({ atMs: NOW });
    await bench.sweep({ atMs: NOW + DAY_MS, mode: 'changed' });
    expect(await list(bench)).toEqual(['0 HOME_RESTRICTED']);
    bench.homes['midland']?.addFaults([{ operation: '*', times: 99, kind: 'reset_before' }]);
    await bench.sweep({ atMs: NOW + 2 * DAY_MS });
    expect(await list(bench)).toEqual(['0 HOME_RESTRICTED']);
    bench.homes['midland']?.clearFaults();
    for (let index = 0; index < 15; index += 1)
      bench.homes['midland']?.deletePatron(cardOf('midland', index));
    await bench.sweep({ atMs: NOW + 3 * DAY_MS });
    expect(await list(bench)).toEqual(['0 HOME_RESTRICTED']);
    expect((await readWorklist(redis, LENDER)).unread).toEqual(['midland']);
  });

  test('has none of what was applied, and the patrons who left in two sweeps a day apart', async () => {
    const bench = await open(3, { refresh: { sweep: '02:00', restricted: 'apply' } });
    at(bench, 0, { restricted: true });
    bench.homes['midland']?.deletePatron(cardOf('midland', 1));
    await bench.sweep({ atMs: NOW });
    expect(await list(bench)).toEqual([]);
    await bench.sweep({ atMs: NOW + DAY_MS });
    expect(await list(bench)).toEqual(['1 HOME_GONE new']);
  });

  test('of a home key that is none, or is of nobody, has no text of it', async () => {
    const bench = await open(1);
    for (const value of ['Okafor, Ada', 'midland:Okafor', 'hilltop:5'])
      bench.lender.putPatron(value, {
        surname: 'Okafor',
        category_id: 'PT',
        extended_attributes: [{ type: 'PASSPORTED_ID', value }],
      });
    await bench.sweep({ atMs: NOW });
    const { items } = await readWorklist(redis, LENDER);
    expect(items.map(({ homeKey, finding }) => `${homeKey} ${finding}`).toSorted()).toEqual([
      '?:? HOME_UNKNOWN',
      '?:? HOME_UNKNOWN',
      'hilltop:5 HOME_UNKNOWN',
    ]);
  });
});
