import { describe, expect, test } from '@jest/globals';
import { testedReleases } from '@passport/koha-double';
import { CARD, HOME_KEY, testThatRequestsFit, useContractBench } from './contract-bench.ts';

describe.each(testedReleases)('what copies owe at a Koha %s', (release) => {
  const bench = useContractBench(release);
  const read = (after = 0) => bench.client.readOwed({ homeKeyType: 'PASSPORTED_ID', after });
  const remember = (patronId: number, homeKey = HOME_KEY) =>
    bench.client.rememberCopy({ patronId, homeKey, version: 0, fields: {} });

  test('overdue checkouts and the balance of a copy are read as numbers, and nothing else', async () => {
    const patronId = await bench.created();
    await remember(patronId);
    expect(await read()).toEqual({ rows: [], read: 1, next: null });
    for (const [barcode, due_date] of [
      ['B-1', '2020-01-31T23:59:00+00:00'],
      ['B-2', '2999-01-31T23:59:00+00:00'],
    ] as const) {
      bench.koha.putItem(barcode, { checked_out_to: CARD, due_date });
    }
    bench.koha.putPatron(CARD, { account_balance: 12.35 });
    expect(await read()).toEqual({
      rows: [{ patronId, homeKey: HOME_KEY, overdues: 1, amount: 1235 }],
      read: 1,
      next: null,
    });
    expect(await read(patronId)).toEqual({ rows: [], read: 0, next: null });
  });

  test('a credit is nothing owed', async () => {
    await remember(await bench.created());
    bench.koha.putPatron(CARD, { account_balance: -3 });
    expect(await read()).toMatchObject({ rows: [] });
  });

  test('nothing is reported of a record that is no copy with exactly this home key', async () => {
    const patronId = await bench.created();
    bench.koha.putPatron(CARD, { account_balance: 10 });
    expect(await read()).toMatchObject({ rows: [], read: 0 });
    await remember(patronId, 'midland:1');
    expect(await read()).toMatchObject({ rows: [], read: 0 });
  });

  test('pages go on after the last copy that was looked at', async () => {
    for (let id = 1; id <= 201; id += 1) bench.koha.putCopy(copyRow(id));
    const first = await read();
    expect(first).toMatchObject({ read: 0, next: 200 });
    expect(await read(first?.next ?? 0)).toMatchObject({ next: null });
  });

  test('a Koha without the plugin says nothing', async () => {
    bench.koha.putSettings({ plugin: false });
    expect(await read()).toBeNull();
  });

  testThatRequestsFit(bench, []);
});

const copyRow = (patron_id: number) => ({ patron_id, version: 0, home_key: HOME_KEY, fields: {} });
