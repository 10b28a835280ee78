import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type CopiesBench, startCopiesBench } from './copies-fixture.ts';
import { jsonOf, passport } from './run-cli.ts';

// On 23.11 a list by attribute has the matching ones only.
describe.each(['23.11', '25.11'] as const)('leave at a Koha %s', (release) => {
  let bench: CopiesBench;
  beforeEach(async () => {
    bench = await startCopiesBench(release);
  });
  afterEach(() => bench.close());

  const LEAVE = ['copies', 'leave', '--of', 'lakeside'];
  const copyOf = (homeKey: string, more: object = {}) => ({
    category_id: 'PT',
    expiry_date: '2099-01-31',
    phone: '555-0100',
    extended_attributes: [
      { type: 'PASSPORTED', value: homeKey.split(':')[0] },
      { type: 'PASSPORTED_ID', value: homeKey },
    ],
    ...more,
  });
  /** A copy that the service has written into. */
  const putCopy = (card: string, homeKey: string, more: object = {}): void => {
    const id = bench.put('riverside', card, copyOf(homeKey, more));
    bench.doubles.riverside.putCopy({ patron_id: id, version: 0, home_key: homeKey, fields: {} });
  };
  const expiryOf = (card: string) => bench.doubles.riverside.state(card).patrons[0]?.['expiry_date'];
  const yesterday = (): string => {
    const day = new Date(Date.now() - 86_400_000);
    const two = (part: number): string => String(part).padStart(2, '0');
    return `${day.getFullYear()}-${two(day.getMonth() + 1)}-${two(day.getDate())}`;
  };

  test('without a way it counts the copies at every lending library, and writes nothing', async () => {
    bench.put('riverside', 'C-1', copyOf('lakeside:1'));
    bench.put('riverside', 'C-2', copyOf('lakeside:2'));
    bench.put('riverside', 'C-3', copyOf('midland:3'));
    bench.put('midland', 'C-1', copyOf('lakeside:1'));
    const ran = await bench.json(LEAVE);
    expect(ran).toMatchObject({ code: 0, counts: { copy: 3 }, lending: { riverside: 2, midland: 1 } });
    expect(ran.err).toContain('lakeside still has agreements');
    expect(bench.writes('riverside')).toEqual([]);
    expect(await bench.run([...LEAVE, '--apply'])).toMatchObject({ code: 2, out: '' });
  });

  test('a record that cannot be read is named by its number', async () => {
    const id = bench.put('riverside', 'C-1', copyOf('lakeside:1', { middle_name: 'x'.repeat(70_000) }));
    const ran = await bench.json([...LEAVE, '--at', 'riverside']);
    expect(ran.copies).toEqual([
      { lending: 'riverside', patron_id: id, home_key: null, finding: 'unreadable' },
    ]);
  });

  test('expire ends copies yesterday, changes nothing else, and never moves a date forward', async () => {
    putCopy('C-1', 'lakeside:1');
    putCopy('C-2', 'lakeside:2', { expiry_date: '2020-01-31' });
    bench.put('riverside', 'C-3', copyOf('midland:3'));
    const before = bench.doubles.riverside.state('C-1').patrons[0];
    const expire = [...LEAVE, '--by', 'expire'];
    expect(await bench.json(expire)).toMatchObject({ counts: { expire: 1, already_expired: 1 } });
    expect(bench.writes('riverside')).toEqual([]);
    const ran = await bench.json([...expire, '--apply']);
    expect(ran).toMatchObject({ code: 0, counts: { expired: 1, already_expired: 1 } });
    expect(expiryOf('C-1')).toBe(yesterday());
    expect(bench.doubles.riverside.state('C-1').patrons[0]).toEqual({
      ...before,
      expiry_date: yesterday(),
      expired: true,
      updated_on: expect.any(String),
    });
    expect([expiryOf('C-2'), expiryOf('C-3')]).toEqual(['2020-01-31', '2099-01-31']);
    expect(bench.writes('riverside')).toEqual(['PUT']);
    expect((await bench.json([...expire, '--apply'])).counts).toEqual({ already_expired: 2 });
  });

  test('an own patron whom Koha merged a copy into, in a category of copies, does not expire', async () => {
    bench.put('riverside', 'NATIVE', {
      category_id: 'PT',
      expiry_date: '2099-01-31',
      date_enrolled: '1999-01-31',
    });
    putCopy('C-1', 'lakeside:1');
    bench.doubles.riverside.mergePatron('C-1', 'NATIVE');
    bench.clear();
    for (const more of [[], ['--apply']]) {
      const ran = await bench.json([...LEAVE, '--by', 'expire', ...more]);
      expect(ran).toMatchObject({ code: 1, counts: { not_remembered: 1 } });
    }
    expect(expiryOf('NATIVE')).toBe('2099-01-31');
    expect(bench.writes('riverside')).toEqual([]);
  });

  test('expire writes nothing where the Koha has no plugin that remembers', async () => {
    putCopy('C-1', 'lakeside:1');
    bench.doubles.riverside.putSettings({ plugin: false });
    const ran = await bench.json([...LEAVE, '--by', 'expire', '--apply']);
    expect(ran).toMatchObject({ code: 1, counts: { not_remembered: 1 } });
  });

  test('delete plans at every lending library what nothing keeps', async () => {
    putCopy('C-1', 'lakeside:1');
    putCopy('C-2', 'lakeside:2', { account_balance: 1 });
    putCopy('C-3', 'midland:3');
    const text = await bench.run([...LEAVE, '--by', 'delete']);
    expect(text.out).toMatch(/^riverside \d+ {2}lakeside:1 {2}leaves {2}delete\n/);
    expect(text.out).toMatch(/riverside \d+ {2}lakeside:2 {2}leaves {2}kept by debt\n/);
    expect(await bench.json([...LEAVE, '--by', 'delete'])).toMatchObject({
      code: 0,
      counts: { delete: 1, kept: 1 },
    });
    expect(bench.writes('riverside')).toEqual([]);
  });

  test('delete is refused where the library writes no home keys: no copy is known to be the one that is meant', async () => {
    bench.put('riverside', 'C-1', {
      ...copyOf('lakeside:1'),
      extended_attributes: [{ type: 'PASSPORTED', value: 'lakeside-2' }],
    });
    const keyless = bench.env({ defaults: { copy: { category: 'PT', home_key_attribute: null } } });
    const ran = await passport([...LEAVE, '--at', 'riverside', '--by', 'delete'], keyless);
    expect(ran).toMatchObject({ code: 2, out: '' });
    expect(ran.err).toContain('riverside writes no home keys');
  });

  test('T-31 release makes them own patrons', async () => {
    bench.put('riverside', 'C-1', copyOf('lakeside:1'));
    bench.put('riverside', 'C-3', copyOf('midland:3'));
    const ran = await bench.json([...LEAVE, '--by', 'release', '--apply']);
    expect(ran).toMatchObject({ code: 0, counts: { released: 1 } });
    expect(bench.attributesOf('riverside', 'C-1')).toEqual({});
    expect(bench.attributesOf('riverside', 'C-3')).toMatchObject({ PASSPORTED: 'midland' });
  });

  test('merged, anonymised and released records are not written, and one that fails stops nobody', async () => {
    bench.put('riverside', 'NATIVE', copyOf('lakeside:1', { category_id: 'AD' }));
    bench.put('riverside', 'GDPR', copyOf('lakeside:2', { anonymized: true }));
    const own = [{ type: 'PASSPORTED_ID', value: 'lakeside:3' }];
    putCopy('OWN', 'lakeside:3', { extended_attributes: own });
    for (const number of [4, 5]) putCopy(`C-${number}`, `lakeside:${number}`);
    bench.doubles.riverside.addFaults([
      { operation: 'PUT /patrons/{patron_id}', times: 1, kind: 'status', status: 503 },
    ]);
    const { code, counts, err } = await bench.json([...LEAVE, '--by', 'expire', '--apply']);
    expect(code).toBe(1);
    expect(counts).toEqual({ merged: 1, anonymized: 1, not_a_copy: 1, failed: 1, expired: 1 });
    expect(['NATIVE', 'GDPR', 'OWN', 'C-4'].map(expiryOf)).toEqual(Array(4).fill('2099-01-31'));
    expect(err).not.toMatch(/Planted|555-0100/);
    const audit = JSON.parse(err.split('\n').find((line) => line.includes('merged')) ?? '') as object;
    expect(audit).toMatchObject({
      audit: true,
      action: 'copies_leave',
      home: 'lakeside',
      way: 'expire',
      home_key: 'lakeside:1',
    });
  });

  test('a library that the configuration does not have any more', async () => {
    putCopy('C-1', 'gone-library:1');
    const ran = await bench.json(['copies', 'leave', '--of', 'gone-library', '--by', 'expire']);
    expect(ran).toMatchObject({ code: 0, counts: { expire: 1 } });
    expect(ran.err).not.toContain('agreements');
  });
});

describe('leave --by delete --apply', () => {
  let bench: CopiesBench;
  beforeAll(async () => {
    bench = await startCopiesBench();
  });
  afterAll(() => bench.close());

  test('deletes the copies of one library everywhere, with a receipt of each, and one that fails stops nobody', async () => {
    for (const at of ['midland', 'riverside'] as const) {
      for (const home of ['lakeside:1', 'other:2']) {
        const extended_attributes = [
          { type: 'PASSPORTED', value: home.split(':')[0] },
          { type: 'PASSPORTED_ID', value: home },
        ];
        const id = bench.put(at, `C-${home}`, { category_id: 'PT', extended_attributes });
        bench.doubles[at].putCopy({ patron_id: id, version: 0, home_key: home, fields: {} });
      }
    }
    const left = (at: 'midland' | 'riverside') =>
      ['lakeside:1', 'other:2'].filter((home) => bench.doubles[at].state(`C-${home}`).patrons.length > 0);
    const args = ['copies', 'leave', '--of', 'lakeside', '--by', 'delete', '--apply', '--json'];
    bench.doubles.midland.putSettings({ plugin: false });
    const ran = await bench.run(args);
    expect(ran.err).toContain('midland has no Patron Passport plugin');
    expect(ran).toMatchObject({ code: 1 });
    expect(jsonOf(ran)).toMatchObject({ applied: true, counts: { deleted: 1, failed: 1 } });
    expect([left('midland'), left('riverside')]).toEqual([['lakeside:1', 'other:2'], ['other:2']]);
    bench.doubles.midland.putSettings({ plugin: true });
    expect(jsonOf(await bench.run(args))).toMatchObject({ counts: { deleted: 1 } });
    expect(left('midland')).toEqual(['other:2']);
    const { out } = await bench.run(['copies', 'export', '--at', 'riverside', '--json']);
    expect(out).toContain('"what": "deleted"');
  });
});
