import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type CopiesBench, startCopiesBench } from './copies-fixture.ts';

// On 23.11 a list by attribute has the matching ones only.
describe.each(['23.11', '25.11'] as const)('rekey at a Koha %s', (release) => {
  let bench: CopiesBench;
  beforeAll(async () => {
    bench = await startCopiesBench(release);
  });
  afterAll(() => bench.close());
  beforeEach(() => bench.clear());

  const REKEY = ['copies', 'rekey', '--from', 'old-mid', '--to', 'midland'];
  const copyOf = (homeKey: string, passport: string | null = 'old-mid') => ({
    category_id: 'PT',
    extended_attributes: [
      ...(passport === null ? [] : [{ type: 'PASSPORTED', value: passport }]),
      { type: 'PASSPORTED_ID', value: homeKey },
    ],
  });

  test('T-29 copies of a renamed library get its new id, and only where the number is of the same person', async () => {
    const one = bench.put('midland', 'H-1', {});
    const two = bench.put('midland', 'H-2', { firstname: 'Planted-Bea' });
    const gone = bench.put('midland', 'H-3', { anonymized: true });
    bench.put('riverside', 'C-1', copyOf(`old-mid:${one}`));
    bench.put('riverside', 'C-2', copyOf(`old-mid:${two}`));
    bench.put('riverside', 'C-3', copyOf(`old-mid:${gone}`));
    bench.put('riverside', 'C-4', copyOf('old-mid:99999'));
    bench.put('riverside', 'C-5', copyOf('old-middle:1', 'old-middle'));
    const counts = { rekey: 1, other_person: 1, home_anonymized: 1, not_at_home: 1 };
    expect(await bench.json(REKEY)).toMatchObject({ code: 1, applied: false, counts });
    expect(bench.writes('riverside')).toEqual([]);
    expect(bench.doubles.midland.calls().filter(({ path }) => path.includes('/patrons'))).toHaveLength(1);

    const ran = await bench.run([...REKEY, '--apply']);
    expect(ran.code).toBe(1);
    expect(ran.out).toContain(`old-mid:${two}  other_person: the number is of somebody else there`);
    expect(ran.out + ran.err).not.toMatch(/Planted/);
    expect(bench.attributesOf('riverside', 'C-1')).toEqual({
      PASSPORTED: 'midland',
      PASSPORTED_ID: `midland:${one}`,
    });
    for (const [card, key] of [
      ['C-2', `old-mid:${two}`],
      ['C-3', `old-mid:${gone}`],
      ['C-4', 'old-mid:99999'],
    ] as const) {
      expect(bench.attributesOf('riverside', card)).toEqual({ PASSPORTED: 'old-mid', PASSPORTED_ID: key });
    }
    expect(bench.attributesOf('riverside', 'C-5')).toMatchObject({ PASSPORTED: 'old-middle' });
    expect((await bench.json([...REKEY, '--apply'])).counts).not.toHaveProperty('rekeyed');
  });

  test('T-24 what was written into a copy is remembered under its new key', async () => {
    const one = bench.put('midland', 'H-9', {});
    const id = bench.put('riverside', 'C-9', copyOf(`old-mid:${one}`));
    const fields = { email: { hash: `k12345:${'x'.repeat(43)}`, at: 1, event: 'scan_1' } };
    bench.doubles.riverside.putCopy({ patron_id: id, version: 0, home_key: `old-mid:${one}`, fields });
    expect(await bench.json([...REKEY, '--apply'])).toMatchObject({ counts: { rekeyed: 1 } });
    const row = bench.doubles.riverside.state().copies.find(({ patron_id }) => patron_id === id);
    expect(row).toMatchObject({ home_key: `midland:${one}`, fields });
  });

  test('one that fails does not stop the others, and is finished by the next run', async () => {
    const ids = ['a', 'b', 'c'].map((name) => bench.put('midland', `H-${name}`, {}));
    ids.forEach((id, index) => bench.put('lakeside', `D-${index}`, copyOf(`old-mid:${id}`)));
    const operation = 'PATCH /patrons/{patron_id}/extended_attributes/{extended_attribute_id}';
    bench.doubles.lakeside.addFaults([
      { operation, times: 1, kind: 'reset_after' },
      { operation, times: 1, kind: 'status', status: 500 },
    ]);
    const at = [...REKEY, '--at', 'lakeside', '--apply'];
    expect(await bench.json(at)).toMatchObject({ code: 1, counts: { failed: 2, rekeyed: 1 } });
    bench.doubles.lakeside.clearFaults();
    expect(await bench.json(at)).toMatchObject({ code: 0, counts: { rekeyed: 2 } });
    expect(ids.map((id, index) => [id, bench.attributesOf('lakeside', `D-${index}`)])).toEqual(
      ids.map((id) => [id, { PASSPORTED: 'midland', PASSPORTED_ID: `midland:${id}` }]),
    );
  });

  test('an anonymised record, an own patron, one with two keys, and a key that is taken are not written', async () => {
    const ids = ['p', 'q', 'r', 's'].map((name) => bench.put('midland', `H-${name}`, {}));
    bench.put('riverside', 'E-1', { ...copyOf(`old-mid:${ids[0]}`), anonymized: true });
    bench.put('riverside', 'E-2', copyOf(`old-mid:${ids[1]}`, null));
    const twice = copyOf(`old-mid:${ids[2]}`);
    bench.put('riverside', 'E-3', {
      ...twice,
      extended_attributes: [...twice.extended_attributes, { type: 'PASSPORTED_ID', value: 'old-mid:5' }],
    });
    bench.put('riverside', 'E-4', copyOf(`old-mid:${ids[3]}`));
    bench.put('riverside', 'E-5', copyOf(`midland:${ids[3]}`, 'midland'));
    expect((await bench.json([...REKEY, '--at', 'riverside'])).counts).toMatchObject({
      anonymized: 1,
      merged: 1,
    });
    const { counts } = await bench.json([...REKEY, '--at', 'riverside', '--apply']);
    expect(counts).toMatchObject({ anonymized: 1, not_a_copy: 1, merged: 1, key_taken: 1 });
    expect(bench.attributesOf('riverside', 'E-1')).toMatchObject({ PASSPORTED: 'old-mid' });
    expect(bench.attributesOf('riverside', 'E-2')).toEqual({ PASSPORTED_ID: `old-mid:${ids[1]}` });
    expect(bench.attributesOf('riverside', 'E-4')).toMatchObject({ PASSPORTED: 'old-mid' });
    expect(bench.writes('riverside')).toEqual([]);
  });

  test('a library that is still in the configuration cannot be the old one', async () => {
    const ran = await bench.run(['copies', 'rekey', '--from', 'lakeside', '--to', 'midland', '--apply']);
    expect(ran).toMatchObject({ code: 2, err: expect.stringContaining('still has a library "lakeside"') });
  });
});
