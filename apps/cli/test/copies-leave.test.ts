import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { CopiesBench } from './copies-fixture.ts';
import { startCopiesBench } from './copies-fixture.ts';

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

  test('expire ends copies yesterday, changes nothing else, and never moves a date forward', async () => {
    bench.put('riverside', 'C-1', copyOf('lakeside:1'));
    bench.put('riverside', 'C-2', copyOf('lakeside:2', { expiry_date: '2020-01-31' }));
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
    bench.put('riverside', 'OWN', copyOf('lakeside:3', { extended_attributes: own }));
    for (const number of [4, 5]) bench.put('riverside', `C-${number}`, copyOf(`lakeside:${number}`));
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
    bench.put('riverside', 'C-1', copyOf('gone-library:1'));
    const ran = await bench.json(['copies', 'leave', '--of', 'gone-library', '--by', 'expire']);
    expect(ran).toMatchObject({ code: 0, counts: { expire: 1 } });
    expect(ran.err).not.toContain('agreements');
  });
});
