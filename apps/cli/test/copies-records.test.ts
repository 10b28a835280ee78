import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type CopiesBench, startCopiesBench } from './copies-fixture.ts';
import { jsonOf, passport } from './run-cli.ts';

let bench: CopiesBench;
beforeAll(async () => {
  bench = await startCopiesBench();
});
afterAll(() => bench.close());
beforeEach(async () => {
  await bench.redis.call('FLUSHALL');
  bench.doubles.riverside.clearFaults();
});

const copyOf = (...homeKeys: string[]) => ({
  category_id: 'PT',
  expiry_date: '2020-01-31',
  extended_attributes: [
    { type: 'PASSPORTED', value: homeKeys[0]?.split(':')[0] },
    ...homeKeys.map((value) => ({ type: 'PASSPORTED_ID', value })),
  ],
});
const putCopy = (card: string, homeKey: string): number => {
  const id = bench.put('riverside', card, copyOf(homeKey));
  bench.doubles.riverside.putCopy({ patron_id: id, version: 0, home_key: homeKey, fields: {} });
  return id;
};
const ends = async () =>
  (await bench.receipts()).flatMap(({ what, homeKey, home, lending, patronId, fields }) =>
    what === undefined ? [] : [{ what, homeKey, home, lending, patronId, fields }],
  );
const REMOVE = 'DELETE /patrons/{patron_id}/extended_attributes/{extended_attribute_id}';
const of = (what: string, patronId: number, homeKey: string) => ({
  what,
  homeKey,
  home: homeKey.split(':')[0],
  lending: 'riverside',
  patronId,
  fields: [],
});

describe('the record of a copy ends', () => {
  test.each([
    ['delete', ['copies', 'delete', '--at', 'riverside', '--of', 'midland', '--apply'], 'deleted'],
    ['leave --by delete', ['copies', 'leave', '--of', 'midland', '--by', 'delete', '--apply'], 'deleted'],
    ['leave --by release', ['copies', 'leave', '--of', 'midland', '--by', 'release', '--apply'], 'released'],
  ] as const)('with %s, and the receipt has its number', async (name, args, what) => {
    const [one, other] = [putCopy(`A-${name}`, 'midland:1'), putCopy(`B-${name}`, 'lakeside:1')];
    await bench.disclose('riverside', one, 'midland:1');
    await bench.disclose('riverside', other, 'lakeside:1');
    await bench.json(args);
    expect(await ends()).toEqual([of(what, one, 'midland:1')]);
    expect(await bench.recordsOf('riverside', one, other)).toEqual([null, expect.anything()]);
    bench.doubles.riverside.deletePatron(`B-${name}`);
  });

  test('before the passport is removed, since an interrupted release leaves a copy or an own patron', async () => {
    const id = putCopy('R-1', 'midland:11');
    await bench.disclose('riverside', id, 'midland:11');
    bench.doubles.riverside.addFaults([{ operation: REMOVE, times: 1, kind: 'reset_before' }]);
    const args = ['copies', 'release', String(id), '--at', 'riverside'];
    expect(await bench.json([...args, '--apply'])).toMatchObject({ counts: { failed: 1 } });
    expect(bench.attributesOf('riverside', 'R-1')).toMatchObject({ PASSPORTED: 'midland' });
    expect(await bench.recordsOf('riverside', id)).toEqual([null]);
    expect(await bench.json([...args, '--apply'])).toMatchObject({ counts: { released: 1 } });
    expect(new Set((await ends()).map((each) => JSON.stringify(each))).size).toBe(1);
    expect(await ends()).toContainEqual(of('released', id, 'midland:11'));
    bench.doubles.riverside.deletePatron('R-1');
  });

  test('of the patron whom the service copied, whatever the lending Koha shows', async () => {
    const [one, two] = [putCopy('F-1', 'midland:22'), putCopy('F-2', 'midland:24')];
    await bench.disclose('riverside', one, 'midland:21');
    await bench.disclose('riverside', two, 'midland:23');
    await bench.json(['copies', 'delete', '--at', 'riverside', '--expired', '--apply']);
    expect(await ends()).toEqual([of('deleted', one, 'midland:21'), of('deleted', two, 'midland:23')]);
    expect(await bench.recordsOf('riverside', one, two)).toEqual([null, null]);

    const merged = bench.put('riverside', 'F-3', copyOf('midland:32', 'midland:33', 'Some Body:1'));
    await bench.disclose('riverside', merged, 'midland:31');
    await bench.json(['copies', 'release', String(merged), '--at', 'riverside', '--apply']);
    const released = (await ends()).filter(({ what }) => what === 'released');
    expect(released).toEqual(
      ['midland:31', 'midland:32', 'midland:33'].map((key) => of('released', merged, key)),
    );
    expect(await bench.recordsOf('riverside', merged)).toEqual([null]);
  });

  test('never with a receipt, or a line of the audit, that has a text which is no home key', async () => {
    putCopy('T-1', 'Some Body:1');
    const ran = await bench.json(['copies', 'delete', '--at', 'riverside', '--expired', '--apply']);
    expect(ran).toMatchObject({ code: 1, counts: { not_remembered: 1 } });
    expect(JSON.stringify(ran)).not.toContain('Some Body');
    expect(await ends()).toEqual([]);
    bench.doubles.riverside.deletePatron('T-1');
  });

  test('by no plan, and not where nothing is written', async () => {
    const id = putCopy('N-1', 'midland:41');
    await bench.disclose('riverside', id, 'midland:41');
    bench.doubles.riverside.putPatron('N-1', { account_balance: 1 });
    const command = ['copies', 'delete', '--at', 'riverside', '--expired'];
    for (const args of [
      command,
      [...command, '--apply'],
      ['copies', 'release', String(id), '--at', 'riverside'],
    ]) {
      await bench.json(args);
    }
    expect(await ends()).toEqual([]);
    expect(await bench.recordsOf('riverside', id)).toEqual([expect.anything()]);
    expect(await bench.redis.call('HLEN', '{passport}:deletions:riverside')).toBe(0);
  });
});

test('a renamed library: the record gets the new key before the copy, and the next run finishes', async () => {
  const home = bench.put('midland', 'H-1', {});
  const id = putCopy('K-1', `old-mid:${home}`);
  await bench.disclose('riverside', id, `old-mid:${home}`);
  const operation = 'PATCH /patrons/{patron_id}/extended_attributes/{extended_attribute_id}';
  bench.doubles.riverside.addFaults([{ operation, times: 1, kind: 'reset_before' }]);
  const args = ['copies', 'rekey', '--from', 'old-mid', '--to', 'midland', '--at', 'riverside', '--apply'];
  const rekeyed = { homeKey: `midland:${home}`, formerKeys: [`old-mid:${home}`] };

  expect((await bench.json(args)).counts).toEqual({ failed: 1 });
  expect(bench.attributesOf('riverside', 'K-1')).toMatchObject({ PASSPORTED_ID: `old-mid:${home}` });
  expect(await bench.recordsOf('riverside', id)).toMatchObject([rekeyed]);

  expect((await bench.json(args)).counts).toEqual({ rekeyed: 1 });
  expect(bench.attributesOf('riverside', 'K-1')).toMatchObject({ PASSPORTED_ID: `midland:${home}` });
  expect(await bench.recordsOf('riverside', id)).toMatchObject([rekeyed]);
  expect(await ends()).toEqual([]);
});

test('an adopted copy is on record, as one that the service made: with a receipt', async () => {
  const home = bench.put('midland', 'O-1', {});
  const id = bench.put('riverside', 'O-1', {
    category_id: 'PT',
    extended_attributes: [{ type: 'PASSPORTED', value: 'ServerB' }],
  });
  const args = ['copies', 'adopt', '--at', 'riverside', '--map', 'ServerB=midland', '--apply'];
  expect((await bench.json(args)).counts).toMatchObject({ adopted: 1 });
  expect(await bench.recordsOf('riverside', id)).toMatchObject([{ homeKey: `midland:${home}` }]);
  expect(await ends()).toEqual([
    { ...of('adopted', id, `midland:${home}`), fields: expect.arrayContaining(['surname', 'cardnumber']) },
  ]);
});

test('a list says which copies are on record with the home key that they show, where Redis can be used', async () => {
  const [one, two] = [putCopy('L-1', 'midland:61'), putCopy('L-2', 'midland:62')];
  putCopy('L-3', 'midland:63');
  await bench.disclose('riverside', one, 'midland:61');
  await bench.disclose('riverside', two, 'midland:64');
  const listed = async (env: NodeJS.ProcessEnv) => {
    const { code, out } = await passport(['copies', 'list', '--at', 'riverside', '--json'], env);
    const { copies } = JSON.parse(out) as { copies: { home_key: string; on_record: boolean | null }[] };
    const isWanted = ({ home_key }: { home_key: string }) => /^midland:6[123]$/.test(home_key);
    return { code, found: copies.filter(isWanted).map(({ on_record }) => on_record) };
  };
  expect(await listed(bench.env())).toEqual({ code: 0, found: [true, false, false] });
  const nowhere = { ...bench.env(), REDIS_URL: 'redis://127.0.0.1:1' };
  expect(await listed(nowhere)).toEqual({ code: 0, found: [null, null, null] });
}, 20_000);

test('receipts are exported with the number of the copy and what they are of', async () => {
  const id = putCopy('X-1', 'midland:51');
  await bench.disclose('riverside', id, 'midland:51');
  await bench.json(['copies', 'release', String(id), '--at', 'riverside', '--apply']);
  const { out } = await bench.run(['copies', 'export', '--of', 'midland']);
  const [header = '', ...rows] = out.trim().split('\n');
  expect(header.split(',').slice(6)).toEqual(['what', 'read', 'consent', 'patron_id', 'override']);
  expect(rows.map((row) => row.split(',').slice(6))).toEqual([
    ['disclosed', '', '', String(id), ''],
    ['released', '', '', String(id), ''],
  ]);
  const json = jsonOf(await bench.run(['copies', 'export', '--json'])) as { receipts: object[] };
  expect(json.receipts).toMatchObject([{ patron_id: id }, { what: 'released', patron_id: id }]);
  const patron = await bench.run(['export', '--patron', 'midland:51']);
  expect(patron.out).toMatch(
    new RegExp(` {2}disclosed {2}\\S+ \\S+ \\S+ \\(1 receipt\\), into patron ${id}\\n`),
  );
  expect(patron.out).toMatch(/ {2}released {3}20\S+ \S+ \S+\n/);
});
