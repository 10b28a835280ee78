import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { type CopiesBench, startCopiesBench } from './copies-fixture.ts';
import { jsonOf } from './run-cli.ts';

let bench: CopiesBench;
beforeAll(async () => {
  bench = await startCopiesBench();
});
afterAll(() => bench.close());
beforeEach(() => bench.clear());

const copyOf = (homeKey: string) => ({
  category_id: 'PT',
  extended_attributes: [
    { type: 'PASSPORTED', value: homeKey.split(':')[0] },
    { type: 'PASSPORTED_ID', value: homeKey },
  ],
});

test('release only plans without --apply, and says so', async () => {
  const id = bench.put('riverside', 'C-1', copyOf('midland:8'));
  const { code, out, err } = await bench.run(['copies', 'release', String(id), '--at', 'riverside']);
  expect(code).toBe(0);
  expect(out).toContain(
    `riverside ${id}  midland:8  release: the passport and the home key will be removed\n`,
  );
  expect(err).toContain('nothing was changed; --apply does it');
  expect(bench.writes('riverside')).toEqual([]);
});

test('T-31 a released copy is an own patron: not listed as a copy, and found by other libraries', async () => {
  const home = bench.put('midland', 'C-2', {});
  bench.put('riverside', 'C-2', copyOf(`midland:${home}`));
  const homesAtLakeside = async (): Promise<unknown> => {
    const args = ['explain', '--at', 'lakeside', '--card', '-', '--json'];
    return jsonOf(await bench.run(args, { input: 'C-2\n' }));
  };
  expect(await homesAtLakeside()).toMatchObject({ homes: ['midland'] });

  const args = ['copies', 'release', `midland:${home}`, '--at', 'riverside', '--apply'];
  const { code, counts, err } = await bench.json(args);
  expect({ code, counts }).toEqual({ code: 0, counts: { released: 1 } });
  expect(bench.attributesOf('riverside', 'C-2')).toEqual({});
  const audit = JSON.parse(err.split('\n')[0] ?? '') as object;
  expect(audit).toMatchObject({ audit: true, action: 'copies_release', by: 'tester', result: 'released' });
  expect(audit).toMatchObject({ patron_id: expect.any(Number), home_key: `midland:${home}` });
  expect(await homesAtLakeside()).toMatchObject({ outcome: 'AMBIGUOUS_HOME' });
  const listed = jsonOf(await bench.run(['copies', 'list', '--at', 'riverside', '--json']));
  expect(JSON.stringify(listed)).not.toContain(`midland:${home}`);
});

test('release removes the passport first, and a run that ended in between is finished by the next', async () => {
  const id = bench.put('riverside', 'C-3', copyOf('midland:3'));
  const operation = 'DELETE /patrons/{patron_id}/extended_attributes/{extended_attribute_id}';
  bench.doubles.riverside.addFaults([
    { operation, times: 1, kind: 'reset_after' },
    { operation, times: 1, kind: 'reset_before' },
  ]);
  const args = ['copies', 'release', String(id), '--at', 'riverside', '--apply'];
  expect(await bench.json(args)).toMatchObject({ code: 1, counts: { failed: 1 } });
  expect(bench.attributesOf('riverside', 'C-3')).toEqual({ PASSPORTED_ID: 'midland:3' });
  bench.doubles.riverside.clearFaults();
  expect(await bench.json(args)).toMatchObject({ code: 0, counts: { released: 1 } });
  expect(bench.attributesOf('riverside', 'C-3')).toEqual({});
  expect(await bench.json(args)).toMatchObject({ code: 0, counts: { already_own: 1 } });
});

test('nothing is written into an anonymised record, and who is not there is reported', async () => {
  const id = bench.put('riverside', 'C-4', { ...copyOf('midland:4'), anonymized: true });
  const args = ['copies', 'release', String(id), '99999', 'midland:4711', '--at', 'riverside', '--apply'];
  expect(await bench.json(args)).toMatchObject({ code: 1, counts: { not_found: 2, anonymized: 1 } });
  expect(bench.writes('riverside')).toEqual([]);
});

test('other attributes of the patron stay', async () => {
  const { riverside } = bench.doubles;
  const { extended_attributes: marks } = copyOf('midland:5');
  const id = bench.put('riverside', 'C-5', {
    category_id: 'PT',
    extended_attributes: [...marks, { type: 'SCHOOL', value: 'North' }],
  });
  expect(riverside.state('C-5').patrons).toHaveLength(1);
  await bench.json(['copies', 'release', String(id), '--at', 'riverside', '--apply']);
  expect(bench.attributesOf('riverside', 'C-5')).toEqual({ SCHOOL: 'North' });
});

test.each(['Planted', '21234000000017', '2147483648', 'midland:21234000000017'])(
  'what is neither a number nor a home key is wrong use, and not repeated: %s',
  async (typed) => {
    const { code, out, err } = await bench.run(['copies', 'release', typed, '--at', 'riverside']);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).not.toContain(typed);
  },
);

test('a number of nobody, which may be a card, is in no audit line', async () => {
  const args = ['copies', 'release', '2123400017', 'midland:2123400018', '--at', 'riverside'];
  const { err, counts } = await bench.json(args);
  expect(counts).toEqual({ not_found: 2 });
  expect(err).toContain('"result":"not_found"');
  expect(err).not.toContain('21234000');
});
