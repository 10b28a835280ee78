import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { DisclosureReceipt } from '@passport/queue/copies';
import { leakGuard } from '@passport/testkit';
import { openEmptyRedis } from './empty-redis.ts';
import { CARD, LENDER, type OwedBench, openOwed, receiptOf } from './owed-bench.ts';

const own = leakGuard({ beforeEach, afterEach });
const { redis } = await openEmptyRedis();
let bench: OwedBench;
beforeEach(async () => {
  bench = own(await openOwed(redis));
});

const owes = (amount: number, card = CARD): unknown =>
  bench.lender.putPatron(card, { account_balance: amount });
const BLOCK = { block_home_over: 10 };

describe('what copies owe', () => {
  test('is read as numbers by home key, and reported to their home only', async () => {
    const homeKey = bench.put();
    const other = bench.put('31000000000018', 'lakeside');
    owes(12.34);
    owes(5, '31000000000018');
    bench.lender.putItem('B-1', { checked_out_to: CARD, due_date: '2020-01-31T23:59:00+00:00' });
    const reading = await bench.read();
    expect(reading?.rows).toEqual({
      [homeKey]: { overdues: 1, amount: 1234, over_since_ms: null, restricted: false },
    });
    expect(JSON.stringify(reading)).not.toContain(other);
    expect(bench.restricted()).toEqual([]);
  });

  test('of a home without an agreement is reported to nobody', async () => {
    bench.put();
    owes(12);
    const agreements = [{ home: 'lakeside', lending: LENDER }];
    expect(await bench.read('report', { agreements })).toBeUndefined();
  });

  test('counts only with a receipt of this copy made there, and not deleted or released since', async () => {
    const homeKey = bench.put();
    owes(12);
    const [receipt] = bench.receipts.splice(0);
    if (receipt === undefined) throw new Error('no receipt');
    const after = async (change: Partial<DisclosureReceipt> | null) => {
      if (change !== null) bench.receipts.push({ ...receipt, ...change });
      const { rows, unconfirmed } = (await bench.read()) ?? { rows: {}, unconfirmed: 0 };
      return { of: Object.keys(rows), unconfirmed };
    };
    const nobody = { of: [], unconfirmed: 1 };
    expect(await after(null)).toEqual(nobody);
    expect(await after({ lending: 'lakeside' })).toEqual(nobody);
    expect(await after({ eventId: 'another copy', patronId: 90_000 })).toEqual(nobody);
    expect(await after({})).toEqual({ of: [homeKey], unconfirmed: 0 });
    expect(await after({ eventId: 'purge', what: 'deleted' })).toEqual(nobody);
    expect(await after({ what: 'observed' })).toEqual(nobody);
    expect(await after({ eventId: 'scanned again' })).toEqual({ of: [homeKey], unconfirmed: 0 });
    expect(await after({ eventId: 'release', what: 'released' })).toEqual(nobody);
  });

  test.each(['midland:0', 'midland:8:9', 'midland:x', 'nowhere:1', 'midland'])(
    'by a home key such as %s is nobody’s',
    async (homeKey) => {
      const attributes = [{ type: 'PASSPORTED_ID', value: homeKey }];
      const { patron_id } = bench.lender.putPatron(CARD, {
        extended_attributes: attributes,
        account_balance: 50,
      });
      bench.lender.putCopy({ patron_id, version: 0, home_key: homeKey, fields: {} });
      const { rows, unconfirmed } = (await bench.read()) ?? {};
      expect({ rows, unconfirmed }).toEqual({ rows: {}, unconfirmed: 0 });
    },
  );

  test('of a thousand copies is read in six calls, and costs a home that nobody restricts for none', async () => {
    for (let patron_id = 1; patron_id <= 1_000; patron_id += 1) {
      bench.lender.putCopy({ patron_id, version: 0, home_key: `midland:${patron_id}`, fields: {} });
    }
    await bench.read();
    const calls = bench.lender.calls().map(({ operation }) => operation);
    expect(calls.filter((operation) => operation === 'GET /contrib/passport/owed')).toHaveLength(6);
    expect(bench.homes['midland']?.calls()).toEqual([]);
  });

  test('of two copies of one patron is added up, if both are on record', async () => {
    const homeKey = bench.put();
    const attributes = [{ type: 'PASSPORTED_ID', value: homeKey }];
    const { patron_id } = bench.lender.putPatron('second', {
      extended_attributes: attributes,
      account_balance: 2,
    });
    bench.lender.putCopy({ patron_id, version: 0, home_key: homeKey, fields: {} });
    owes(3);
    expect((await bench.read())?.rows[homeKey]).toMatchObject({ amount: 300 });
    bench.receipts.push(receiptOf(homeKey, patron_id));
    expect((await bench.read())?.rows[homeKey]).toMatchObject({ amount: 500 });
  });
});

describe('a restriction at home', () => {
  test('is set by the second reading that finds more than the agreement allows, and lifted when it is settled', async () => {
    const homeKey = bench.put();
    owes(10.01);
    expect((await bench.read(BLOCK))?.rows[homeKey]).toMatchObject({ restricted: false });
    expect(bench.restricted()).toEqual([]);
    expect((await bench.read(BLOCK))?.rows[homeKey]).toMatchObject({ restricted: true });
    expect(bench.restricted()).toEqual([homeKey]);
    owes(10);
    expect((await bench.read(BLOCK))?.rows[homeKey]).toMatchObject({ restricted: false });
    expect(bench.restricted()).toEqual([]);
    const lines = bench.logged.filter(({ audit }) => audit === true);
    expect(lines).toEqual([
      {
        audit: true,
        action: 'restrict',
        home: 'midland',
        lending: LENDER,
        home_key: homeKey,
        result: 'done',
      },
      expect.objectContaining({ action: 'lift restriction', home_key: homeKey }),
    ]);
  });

  test('needs two readings nearly a day apart, with no settled one between', async () => {
    bench.put();
    owes(11);
    for (const hours of [24, 1, 1]) await bench.read(BLOCK, { hours });
    expect(bench.restricted()).toEqual([]);
    owes(0);
    await bench.read(BLOCK, { hours: 18 });
    owes(11);
    await bench.read(BLOCK);
    expect(bench.restricted()).toEqual([]);
    await bench.read(BLOCK);
    expect(bench.restricted()).toHaveLength(1);
  });

  test('is never set where the agreement only has it reported', async () => {
    bench.put();
    owes(9_999);
    for (let night = 0; night < 3; night += 1) await bench.read('report');
    expect(bench.restricted()).toEqual([]);
    expect(bench.homes['midland']?.calls()).toEqual([]);
  });

  test('is never set without a receipt, whatever the lending library says', async () => {
    bench.put();
    owes(9_999);
    bench.receipts.length = 0;
    for (let night = 0; night < 3; night += 1) await bench.read(BLOCK);
    expect(bench.restricted()).toEqual([]);
  });

  test('stays as it is while the lending library cannot be read', async () => {
    const homeKey = bench.put();
    owes(11);
    for (let night = 0; night < 2; night += 1) await bench.read(BLOCK);
    owes(0);
    const operation = 'GET /contrib/passport/owed';
    bench.lender.addFaults([{ operation, times: 1, kind: 'status', status: 503 }]);
    await expect(bench.read(BLOCK)).rejects.toMatchObject({ library: LENDER });
    bench.lender.putSettings({ plugin: false });
    await expect(bench.read(BLOCK)).rejects.toMatchObject({ code: 'no_plugin' });
    expect(bench.restricted()).toEqual([homeKey]);
    bench.lender.putSettings({ plugin: true });
    await bench.read(BLOCK);
    expect(bench.restricted()).toEqual([]);
  });

  test('touches none of the home library, nor of another lending library', async () => {
    const homeKey = bench.put();
    const patron_id = Number(homeKey.split(':')[1]);
    const midland = bench.homes['midland'];
    const another = {
      id: 77,
      type: 'PASSPORT_OWED',
      comment: 'Patron Passport: debts at elsewhere',
      expiration: null,
    };
    midland?.putPatron(CARD, { restrictions: [another] });
    owes(11);
    expect((await bench.read(BLOCK))?.rows[homeKey]).toMatchObject({ restricted: false });
    for (const amount of [11, 0, 0]) {
      owes(amount);
      await bench.read(BLOCK);
    }
    expect(midland?.state().patrons.find((row) => row.patron_id === patron_id)?.['restrictions']).toEqual([
      another,
    ]);
  });

  test('waits for a home that does not answer, and others are restricted meanwhile', async () => {
    bench.put();
    const there = bench.put('31000000000018', 'lakeside');
    owes(11);
    owes(11, '31000000000018');
    await bench.read(BLOCK);
    const fault = { operation: '*', times: 50, kind: 'status', status: 503 } as const;
    bench.homes['midland']?.addFaults([fault]);
    await bench.read(BLOCK);
    expect([bench.restricted(), bench.restricted('lakeside')]).toEqual([[], [there]]);
    bench.homes['midland']?.clearFaults();
    await bench.read(BLOCK);
    expect(bench.restricted()).toHaveLength(1);
  });

  test('is lifted later where the home did not answer, also when the agreement reports only by then', async () => {
    bench.put();
    owes(11);
    for (let night = 0; night < 2; night += 1) await bench.read(BLOCK);
    owes(0);
    bench.homes['midland']?.addFaults([{ operation: '*', times: 50, kind: 'status', status: 503 }]);
    await bench.read('report');
    expect(bench.restricted()).toHaveLength(1);
    bench.homes['midland']?.clearFaults();
    await bench.read('report');
    expect(bench.restricted()).toEqual([]);
  });

  test.each([
    ['the agreement ends', { agreements: [{ home: 'lakeside', lending: LENDER }] }],
    ['nothing is read any more', { owed: 'off' }],
  ] as const)('is lifted when %s', async (_when, how) => {
    bench.put();
    owes(11);
    for (let night = 0; night < 2; night += 1) await bench.read(BLOCK);
    bench.lender.clearCalls();
    expect(await bench.read('report', how)).toBeUndefined();
    expect(bench.restricted()).toEqual([]);
    expect(bench.lender.calls()).toHaveLength('owed' in how ? 0 : 1);
  });

  test('is set for no more than 50 patrons in a night', async () => {
    const cards = Array.from({ length: 52 }, (_, index) => `4100000000${String(index).padStart(4, '0')}`);
    for (const card of cards) {
      bench.put(card);
      owes(11, card);
    }
    for (const expected of [0, 50, 52]) {
      await bench.read(BLOCK);
      expect(bench.restricted()).toHaveLength(expected);
    }
  });

  test('is set for the others, too, where 50 who owe are not at home any more', async () => {
    for (let gone = 0; gone < 50; gone += 1) {
      const homeKey = `midland:${90_000 + gone}`;
      const card = `4100000000${String(gone).padStart(4, '0')}`;
      const attributes = [{ type: 'PASSPORTED_ID', value: homeKey }];
      const { patron_id } = bench.lender.putPatron(card, { extended_attributes: attributes });
      bench.lender.putCopy({ patron_id, version: 0, home_key: homeKey, fields: {} });
      bench.receipts.push(receiptOf(homeKey, patron_id));
      owes(11, card);
    }
    const there = bench.put();
    owes(11);
    for (let night = 0; night < 2; night += 1) await bench.read(BLOCK);
    expect(bench.restricted()).toEqual([there]);
  });

  test('is lifted later, too, where its answer was lost, and the agreement reports only by then', async () => {
    const homeKey = bench.put();
    owes(11);
    await bench.read(BLOCK);
    const operation = 'PUT /contrib/passport/restrictions/{kind}/{library}/{patron_id}';
    bench.homes['midland']?.addFaults([{ operation, times: 1, kind: 'reset_after' }]);
    await bench.read(BLOCK);
    expect(bench.restricted()).toEqual([homeKey]);
    await bench.read('report');
    expect(bench.restricted()).toEqual([]);
  });

  test('stays as it is while the home library is not enabled, and nothing is read there', async () => {
    const homeKey = bench.put();
    owes(11);
    for (let night = 0; night < 2; night += 1) await bench.read(BLOCK);
    bench.homes['midland']?.clearCalls();
    const shutOut = await bench.read(BLOCK, { shutOut: 'midland' });
    const left = { overdues: 0, amount: 0, over_since_ms: null, restricted: true };
    expect(shutOut?.rows).toEqual({ [homeKey]: left });
    expect(bench.homes['midland']?.calls()).toEqual([]);
    owes(0);
    await bench.read(BLOCK);
    expect(bench.restricted()).toEqual([]);
  });

  test('is never set on somebody else to whom home has given the number since', async () => {
    const homeKey = bench.put();
    const stranger = { cardnumber: '21234000000033', surname: 'Other', firstname: 'Somebody' };
    bench.homes['midland']?.putPatron(CARD, stranger);
    // Whatever the lending library shows: it may know the other one.
    bench.lender.putPatron(CARD, { ...stranger, account_balance: 11 });
    for (let night = 0; night < 3; night += 1) await bench.read(BLOCK);
    expect(bench.restricted()).toEqual([]);
    expect(bench.logged).toContainEqual(
      expect.objectContaining({ home_key: homeKey, result: 'other_person' }),
    );
    const [row] = Object.values((await bench.read(BLOCK))?.rows ?? {});
    expect(Object.keys(row ?? {})).toEqual(['overdues', 'amount', 'over_since_ms', 'restricted']);
  });

  test('is left to the next readings where home takes its time, as a lifting is', async () => {
    const cards = [CARD, '21234000000025', '21234000000033'];
    for (const card of cards) bench.put(card);
    const found: number[] = [];
    for (const amount of [11, 11, 11, 11, 0, 0, 0]) {
      for (const card of cards) owes(amount, card);
      await bench.read(BLOCK, { slowMs: 120_000 });
      found.push(bench.restricted().length);
    }
    expect(found).toEqual([0, 1, 2, 3, 1, 0, 0]);
  });

  test('comes to those behind others who are never restricted at a slow home', async () => {
    const strangers = [CARD, '21234000000025'];
    for (const [index, card] of strangers.entries()) {
      bench.put(card);
      const names = { surname: 'Other', firstname: 'Somebody' };
      bench.homes['midland']?.putPatron(card, { ...names, cardnumber: `2999900000000${index}` });
      owes(11, card);
    }
    const homeKey = bench.put('21234000000033');
    owes(11, '21234000000033');
    for (let night = 0; night < 6; night += 1) await bench.read(BLOCK, { slowMs: 120_000 });
    expect(bench.restricted()).toEqual([homeKey]);
  });

  test('of one record that breaks keeps nobody else from theirs', async () => {
    bench.put();
    const second = bench.put('21234000000025');
    for (const card of [CARD, '21234000000025']) owes(11, card);
    await bench.read(BLOCK);
    const operation = 'PUT /contrib/passport/restrictions/{kind}/{library}/{patron_id}';
    bench.homes['midland']?.addFaults([{ operation, times: 1, kind: 'status', status: 500 }]);
    await bench.read(BLOCK);
    expect(bench.restricted()).toEqual([second]);
  });
});
