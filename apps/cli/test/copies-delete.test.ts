import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { waitFor } from '@passport/testkit';
import { monthsBefore } from '../src/commands/copies/delete.ts';
import { type CopiesBench, startCopiesBench } from './copies-fixture.ts';
import { type Ran, jsonOf, passport } from './run-cli.ts';

let bench: CopiesBench;
beforeEach(async () => {
  bench = await startCopiesBench();
});
afterEach(() => bench.close());

const DELETE = ['copies', 'delete', '--at', 'riverside'];
const env = () => bench.env();
interface Deleted {
  readonly counts: Readonly<Record<string, number>>;
  readonly copies: readonly { readonly patron_id: number; readonly finding: string }[];
}
const deleteCopies = async (...args: string[]): Promise<Deleted & Ran> => {
  const ran = await passport([...DELETE, ...args, '--json'], env());
  return { ...ran, ...(jsonOf(ran) as Deleted) };
};
const copyOf = (number: number, more: object = {}) => ({
  category_id: 'PT',
  expiry_date: '2020-01-31',
  date_enrolled: '2019-01-31',
  last_seen: null,
  extended_attributes: [
    { type: 'PASSPORTED', value: 'midland' },
    { type: 'PASSPORTED_ID', value: `midland:${number}` },
  ] as { type: string; value: string }[],
  ...more,
});
/** A copy that the service has written into. */
const putCopy = (card: string, columns: ReturnType<typeof copyOf>, at = bench): number => {
  const id = at.put('riverside', card, columns);
  const homeKey = columns.extended_attributes.at(-1)?.value ?? '';
  at.doubles.riverside.putCopy({ patron_id: id, version: 0, home_key: homeKey, fields: {} });
  return id;
};
const isThere = (card: string): boolean => bench.doubles.riverside.state(card).patrons.length > 0;
const receipts = async (): Promise<object[]> => {
  const { out } = await passport(['copies', 'export', '--at', 'riverside', '--json'], env());
  return (JSON.parse(out) as { receipts: object[] }).receipts;
};

test('expired copies are planned, and deleted with a receipt only with --apply', async () => {
  const id = putCopy('C-1', copyOf(11));
  putCopy('C-2', copyOf(12, { expiry_date: '2099-01-31' }));
  bench.put('riverside', 'NATIVE', { expiry_date: '2020-01-31' });
  const plan = await passport([...DELETE, '--expired'], env());
  expect(plan.out).toContain(`${id}  midland:11  expired  delete\n`);
  expect(plan.err).toContain('nothing was changed');
  expect(bench.writes('riverside')).toEqual([]);

  const ran = await deleteCopies('--expired', '--apply');
  expect(ran).toMatchObject({ code: 0, counts: { deleted: 1 } });
  expect(['C-1', 'C-2', 'NATIVE'].map(isThere)).toEqual([false, true, true]);
  expect((await receipts()).filter((each) => JSON.stringify(each).includes('midland:11'))).toEqual([
    expect.objectContaining({ home: 'midland', lending: 'riverside', fields: [], what: 'deleted' }),
  ]);
  const exported = await passport(['export', '--patron', 'midland:11', '--json'], env());
  expect(JSON.stringify(jsonOf(exported))).toMatch(/"lending":"riverside".*"receipts":0.*"deleted_at":"2/);
  const audit = JSON.parse(ran.err.split('\n')[0] ?? '') as object;
  expect(audit).toMatchObject({ audit: true, action: 'copies_delete', patron_id: id, result: 'deleted' });
  expect(ran.out + ran.err).not.toMatch(/Planted/);
});

const { riverside } = { riverside: (): CopiesBench['doubles']['riverside'] => bench.doubles.riverside };
const KEEPS: readonly (readonly [string, (id: number) => void])[] = [
  ['checkouts', () => riverside().putItem('B-1', { checked_out_to: 'C-1' })],
  ['debt', () => riverside().putPatron('C-1', { account_balance: 0.05 })],
  ['credit', () => riverside().putPatron('C-1', { account_balance: -3 })],
  ['guarantees', (id) => riverside().putPatron('CHILD', { surname: 'Planted', guarantor_id: id })],
  ['holds', (id) => riverside().putItem('B-1', { hold: { patron_id: id } })],
  ['recalls', () => riverside().putPatron('C-1', { recalls: 1 })],
  ['bookings', () => riverside().putPatron('C-1', { bookings: 1 })],
  ['article_requests', () => riverside().putPatron('C-1', { article_requests: 1 })],
  ['ill_requests', () => riverside().putPatron('C-1', { ill_requests: 1 })],
  ['lists', () => riverside().putPatron('C-1', { lists: 1 })],
  ['restriction', () => riverside().putPatron('C-1', { restricted: true })],
  ['protected', () => riverside().putPatron('C-1', { protected: true })],
  ['staff', () => riverside().putPatron('C-1', { permissions: ['borrowers:1'] })],
];

test.each(KEEPS)('%s keep a copy, in the plan and with --apply', async (block, place) => {
  const id = putCopy('C-1', copyOf(1));
  place(id);
  const planned = await deleteCopies('--expired');
  expect(planned).toMatchObject({ code: 0, copies: [{ finding: 'kept', blocks: [block] }] });
  expect((await deleteCopies('--expired', '--apply')).counts).toEqual({ kept: 1 });
  expect(isThere('C-1')).toBe(true);
});

test.each(KEEPS)(
  '%s keep a copy, also when placed between the plan and its deletion',
  async (block, place) => {
    const before = await receipts();
    const id = putCopy('C-1', copyOf(2));
    const operation = 'POST /contrib/passport/deletions';
    riverside().addFaults([{ operation, times: 1, kind: 'delay', ms: 300 }]);
    const ran = deleteCopies('--expired', '--apply');
    await waitFor('the plan to be read', () =>
      riverside()
        .calls()
        .some(({ path }) => path.endsWith('/contrib/passport/deletions')),
    );
    place(id);
    const { copies } = await ran;
    expect(copies).toMatchObject([{ finding: 'kept', blocks: [block] }]);
    expect(isThere('C-1')).toBe(true);
    expect(await receipts()).toEqual(before);
  },
);

test('unused goes by the last use, and where Koha would not know it the copy is listed and stays', async () => {
  const known = { expiry_date: '2099-01-31' };
  putCopy('UNTRACKED', copyOf(21, known));
  putCopy('KEPT-HISTORY', copyOf(22, { ...known, privacy: 0 }));
  putCopy('RETURNED', copyOf(23, { ...known, privacy: 0, last_returned: '2098-01-01' }));
  putCopy('SEEN', copyOf(24, { ...known, last_seen: '2098-01-01T10:00:00+00:00' }));
  const ran = await deleteCopies('--unused', '6', '--apply');
  expect(ran).toMatchObject({ code: 1, counts: { unused_unknown: 1, deleted: 1 } });
  expect(['UNTRACKED', 'KEPT-HISTORY', 'RETURNED', 'SEEN'].map(isThere)).toEqual([true, false, true, true]);
});

test('own patrons into whom a copy was merged, and anonymised records, are never deleted', async () => {
  putCopy('MERGED', copyOf(31, { category_id: 'AD' }));
  putCopy('GDPR', copyOf(32, { anonymized: true }));
  const ran = await deleteCopies('--expired', '--apply');
  expect(ran).toMatchObject({ code: 1, counts: { merged: 1, anonymized: 1 } });
  expect(['MERGED', 'GDPR'].map(isThere)).toEqual([true, true]);
});

test('an own patron whom Koha merged a copy into, in a category of copies, is never deleted', async () => {
  bench.put('riverside', 'NATIVE', {
    category_id: 'PT',
    expiry_date: '2020-01-31',
    date_enrolled: '1999-01-31',
  });
  putCopy('C-1', copyOf(71));
  riverside().mergePatron('C-1', 'NATIVE');
  const listed = await passport([...DELETE, '--expired', '--list'], env());
  expect(listed.out).toBe('');
  expect(await deleteCopies('--expired', '--apply')).toMatchObject({
    code: 1,
    counts: { not_remembered: 1 },
  });
  expect(isThere('NATIVE')).toBe(true);
});

test.each(['23.11', '25.11'] as const)(
  'T-31 what the library made its own patron by removing the passport is never deleted, on %s',
  async (release) => {
    const own = await startCopiesBench(release);
    try {
      const { riverside: koha } = own.doubles;
      putCopy(
        'OWN',
        copyOf(51, { extended_attributes: [{ type: 'PASSPORTED_ID', value: 'midland:51' }] }),
        own,
      );
      putCopy('C-52', copyOf(52), own);
      const listed = await own.run([...DELETE, '--expired', '--list']);
      expect(listed.out.trim().split('\n')).toHaveLength(1);
      const ran = await own.run([...DELETE, '--expired', '--apply', '--json']);
      expect(jsonOf(ran)).toMatchObject({ counts: { not_a_copy: 1, deleted: 1 } });
      expect(koha.state('OWN').patrons).toHaveLength(1);
    } finally {
      await own.close();
    }
  },
);

test('a copy that was extended while others were deleted stays', async () => {
  putCopy('C-61', copyOf(61));
  putCopy('C-62', copyOf(62));
  const operation = 'POST /contrib/passport/deletions';
  riverside().addFaults([{ operation, times: 1, kind: 'delay', ms: 300 }]);
  const ran = deleteCopies('--expired', '--apply');
  await waitFor('the first deletion', () =>
    riverside()
      .calls()
      .some(({ method, path }) => method === 'POST' && path.endsWith('/contrib/passport/deletions')),
  );
  riverside().putPatron('C-62', { expiry_date: '2099-01-31' });
  expect((await ran).counts).toEqual({ deleted: 1 });
  expect(['C-61', 'C-62'].map(isThere)).toEqual([false, true]);
});

test('a deletion whose answer is lost has its receipt, and one that failed stops nobody', async () => {
  for (const number of [41, 42, 43]) putCopy(`C-${number}`, copyOf(number));
  const operation = 'POST /contrib/passport/deletions';
  riverside().addFaults([
    { operation, times: 1, kind: 'reset_after' },
    { operation, times: 1, kind: 'status', status: 503 },
  ]);
  const ran = await deleteCopies('--expired', '--apply');
  expect(ran).toMatchObject({ code: 1, counts: { deleted: 2, failed: 1 } });
  expect(['C-41', 'C-42', 'C-43'].map(isThere)).toEqual([false, true, false]);
  const of = (number: number) =>
    receipts().then((all) => all.filter((each) => JSON.stringify(each).includes(`midland:${number}`)));
  expect([await of(41), await of(42), await of(43)].map(({ length }) => length)).toEqual([1, 0, 1]);
});

test('--list prints the numbers of those that nothing keeps, and nothing else', async () => {
  const id = putCopy('C-1', copyOf(1));
  putCopy('C-2', copyOf(2, { account_balance: 1 }));
  const { code, out } = await passport([...DELETE, '--expired', '--list'], env());
  expect({ code, out }).toEqual({ code: 0, out: `${id}\n` });
});

test('without Redis nothing is deleted, since a deletion has a receipt', async () => {
  putCopy('C-1', copyOf(1));
  const nowhere = { ...env(), REDIS_URL: 'redis://127.0.0.1:1' };
  const ran = await passport([...DELETE, '--expired', '--apply'], nowhere);
  expect(ran).toMatchObject({ code: 1, err: expect.stringContaining('Redis') });
  expect(isThere('C-1')).toBe(true);
}, 20_000);

const DAY_MS = 86_400_000;
/** A patron at home and their copy; a full sweep missed them so long ago. */
const putGone = async (card: string, missingForMs: number | null, at: 'midland' | 'lakeside' = 'midland') => {
  const number = bench.put(at, card, {});
  const homeKey = `${at}:${number}`;
  const extended_attributes = [
    { type: 'PASSPORTED', value: at },
    { type: 'PASSPORTED_ID', value: homeKey },
  ];
  putCopy(card, copyOf(number, { expiry_date: '2099-01-31', extended_attributes }));
  await bench.disclose('riverside', Number(riverside().state(card).patrons[0]?.patron_id), homeKey);
  if (missingForMs !== null) {
    const since = String(Date.now() - missingForMs);
    await bench.redis.call('HSET', `{passport}:missing:riverside:${at}`, homeKey, since);
  }
};

describe('delete --gone', () => {
  test('T-27 takes who is missing a day after a full sweep missed them, and nobody else', async () => {
    for (const card of ['HERE', 'BACK']) await putGone(card, card === 'BACK' ? 2 * DAY_MS : null);
    const [midland] = [bench.doubles.midland];
    for (const [card, missingForMs] of [
      ['GONE', 2 * DAY_MS],
      ['ONCE', DAY_MS / 2],
      ['NEVER', null],
      ['MERGED', 2 * DAY_MS],
    ] as const) {
      await putGone(card, missingForMs);
      midland.deletePatron(card);
    }
    bench.put('midland', 'MERGED', {});
    await putGone('GDPR', null);
    midland.anonymizePatron('GDPR');
    bench.clear();
    const plan = await deleteCopies('--gone');
    expect(plan).toMatchObject({ code: 0, counts: { delete: 2 } });
    expect(bench.writes('riverside')).toEqual([]);
    const ran = await deleteCopies('--gone', '--apply');
    expect(ran.counts).toEqual({ deleted: 2 });
    const all = ['HERE', 'BACK', 'GONE', 'ONCE', 'NEVER', 'MERGED', 'GDPR'];
    expect(all.filter((card) => !isThere(card))).toEqual(['GONE', 'GDPR']);
    expect(ran.copies).toMatchObject([{ because: ['gone'] }, { because: ['gone'] }]);
  });

  test('T-27 goes past a record that Koha cannot show, whose copy stays', async () => {
    for (const card of ['HERE', 'GONE', 'BROKEN', 'ALSO']) {
      await putGone(card, card === 'GONE' ? 2 * DAY_MS : null);
    }
    const [midland] = [bench.doubles.midland];
    midland.putPatron('BROKEN', { date_of_birth: '0000-00-00' });
    midland.deletePatron('GONE');
    const ran = await deleteCopies('--gone', '--apply');
    expect(ran).toMatchObject({ code: 0, counts: { deleted: 1 } });
    expect(['HERE', 'GONE', 'BROKEN', 'ALSO'].map(isThere)).toEqual([true, false, true, true]);
  });

  test('T-27 takes nobody of a home library that hides its patrons or is down, and says so', async () => {
    for (const card of ['M-1', 'M-2']) {
      await putGone(card, 2 * DAY_MS);
      bench.doubles.midland.deletePatron(card);
    }
    await putGone('L-1', 2 * DAY_MS, 'lakeside');
    bench.doubles.lakeside.addFaults([{ operation: '*', times: 50, kind: 'reset_before' }]);
    const ran = await deleteCopies('--gone', '--apply');
    expect([ran.code, ran.counts]).toEqual([1, {}]);
    expect(ran.err).toContain('midland: nobody is gone: it shows too few of its patrons');
    expect(ran.err).toContain('lakeside: nobody is gone: it does not answer');
    expect(['M-1', 'M-2', 'L-1'].map(isThere)).toEqual([true, true, true]);
  });

  test('T-27 keeps a copy whose patron is shown again right before it would be deleted', async () => {
    await putGone('HERE', null);
    await putGone('GONE', 2 * DAY_MS);
    const record = bench.doubles.midland.state('GONE').patrons[0];
    bench.doubles.midland.putPatron('GONE', { library_id: 'EAST' });
    bench.doubles.midland.putSettings({ permissions: ['borrowers:edit_borrowers'] });
    const operation = 'GET /contrib/passport/deletions';
    riverside().addFaults([{ operation, times: 1, kind: 'delay', ms: 300 }]);
    const ran = deleteCopies('--gone', '--apply');
    await waitFor('the plan to be read', () =>
      riverside()
        .calls()
        .some(({ path }) => path.endsWith('/contrib/passport/deletions')),
    );
    bench.doubles.midland.putPatron('GONE', { library_id: record?.library_id });
    expect((await ran).counts).toEqual({});
    expect(isThere('GONE')).toBe(true);
  });

  test('T-27 keeps a copy whose patron home has and does not show, or cannot show', async () => {
    for (const card of ['HERE', 'HIDDEN', 'BROKEN']) await putGone(card, card === 'HERE' ? null : 2 * DAY_MS);
    const { midland } = bench.doubles;
    midland.putPatron('HIDDEN', { library_id: 'EAST' });
    midland.putSettings({ permissions: ['borrowers:edit_borrowers'] });
    const number = Number(midland.state('BROKEN').patrons[0]?.patron_id);
    midland.deletePatron('BROKEN');
    const operation = 'GET /contrib/passport/deletions';
    riverside().addFaults([{ operation, times: 1, kind: 'delay', ms: 300 }]);
    const ran = deleteCopies('--gone', '--apply');
    await waitFor('the plan to be read', () =>
      riverside()
        .calls()
        .some(({ path }) => path.endsWith('/contrib/passport/deletions')),
    );
    // What is no patron, under the number of one.
    const body = [{ patron_id: number, surname: { of: 'nobody' } }];
    midland.addFaults([{ operation: 'GET /patrons', times: 9, kind: 'status', status: 200, body }]);
    await ran;
    expect(['HERE', 'HIDDEN', 'BROKEN'].map(isThere)).toEqual([true, true, true]);
  });

  test('something keeps copies of patrons who are gone, too', async () => {
    await putGone('HERE', null);
    await putGone('GONE', 2 * DAY_MS);
    bench.doubles.midland.deletePatron('GONE');
    riverside().putPatron('GONE', { account_balance: 1 });
    expect((await deleteCopies('--gone', '--apply')).counts).toEqual({ kept: 1 });
  });
});

test('--of takes the copies of one home library, all of them or those that another criterion names', async () => {
  putCopy('C-1', copyOf(81));
  putCopy('C-2', copyOf(82, { expiry_date: '2099-01-31' }));
  const elsewhere = [
    { type: 'PASSPORTED', value: 'gone-library' },
    { type: 'PASSPORTED_ID', value: 'gone-library:83' },
  ];
  putCopy('C-3', copyOf(83, { extended_attributes: elsewhere }));
  const all = await deleteCopies('--of', 'midland');
  expect(all.counts).toEqual({ delete: 2 });
  expect(all.err).toContain('midland still has agreements: until they end, every scan makes a new copy');
  const expired = await deleteCopies('--of', 'midland', '--expired');
  expect(expired.counts).toEqual({ delete: 1 });
  expect(expired.err).not.toContain('agreements');
  const ran = await deleteCopies('--of', 'gone-library', '--apply');
  expect(ran).toMatchObject({ counts: { deleted: 1 }, copies: [{ because: ['leaves'] }] });
  expect(['C-1', 'C-2', 'C-3'].map(isThere)).toEqual([true, true, false]);
});

test('T-25 a copy that Koha fails at in every list is named unreadable, and the others go', async () => {
  for (const number of [91, 92, 93]) putCopy(`C-${number}`, copyOf(number));
  riverside().putPatron('C-92', { broken: true });
  expect((await deleteCopies('--expired', '--apply')).counts).toEqual({ deleted: 2, unreadable: 1 });
});

test('without a criterion it is wrong use', async () => {
  expect(await passport(DELETE, env())).toMatchObject({ code: 2, out: '' });
});

test.each([
  ['2026-11-25', 6, '2026-05-25'],
  ['2026-03-31', 1, '2026-02-28'],
  ['2026-01-15', 13, '2024-12-15'],
])('%s less %i months is %s', (day, months, before) => {
  expect(monthsBefore(day, months)).toBe(before);
});
