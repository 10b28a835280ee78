import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { closeRedis, createLogger, createRedis, untilRedisReady, type Redis } from '@passport/runtime';
import { startRedis } from '@passport/testkit';
import { DAY_MS, type SweepBench, cardOf, openSweep } from './sweep-bench.ts';

/** Copies in all; 5,400 each night (`NIGHTLY`). */
const COPIES = process.env['NIGHTLY'] ? 5_400 : 600;
const NOW = Date.parse('2026-11-26T02:00:00Z');
const log = createLogger({ name: 'test', level: 'silent' });

/** What the home record of every so-manieth copy says, and the reasons that come of it. */
const CASES: readonly (readonly [Readonly<Record<string, unknown>>, readonly string[]])[] = [
  [{}, []],
  [{ account_balance: 400 }, ['DEBT_OVER_LIMIT']],
  [{ expiry_date: '2026-01-01' }, ['EXPIRED']],
  [{ restricted: true, patron_card_lost: true }, ['RESTRICTED', 'CARD_LOST']],
  [{ account_balance: 50 }, []],
  [{ incorrect_address: true, account_balance: 51 }, ['ADDRESS_UNCONFIRMED', 'DEBT_OVER_LIMIT']],
];
const caseOf = (index: number) => CASES[index % CASES.length] ?? [{}, []];
const all = Array.from({ length: COPIES }, (_, index) => index);

let server: Awaited<ReturnType<typeof startRedis>>;
let redis: Redis;
let bench: SweepBench;
beforeAll(async () => {
  server = await startRedis();
  redis = createRedis(server.url, { role: 'producer', log, name: 'test' });
  await untilRedisReady(redis, 2_000);
  const refresh = { sweep: '02:00', expiry: 'report' };
  bench = await openSweep(['midland'], redis, {
    refresh,
    standing: 'restrict',
    eligibility: { max_debt: 50 },
  });
  for (const index of all) {
    bench.put('midland', index);
    bench.homes['midland']?.putPatron(cardOf('midland', index), caseOf(index)[0]);
  }
}, 120_000);
afterAll(async () => {
  await bench.stop();
  await closeRedis(redis);
  await server.stop();
});

test(`the standings of ${COPIES} copies are told once each, by three runs of which two died, and not again`, async () => {
  await expect(bench.sweep({ atMs: NOW, dies: Math.floor(COPIES / 7) })).rejects.toThrow('killed');
  await expect(bench.sweep({ atMs: NOW, dies: Math.floor(COPIES / 5) })).rejects.toThrow('killed');
  await bench.sweep({ atMs: NOW });
  const copies = new Map(bench.lender.state().copies.map((row) => [row.patron_id, row]));
  const patrons = new Map(bench.lender.state().patrons.map((row) => [row.cardnumber, row]));
  const found = all.map((index) => {
    const patron = patrons.get(cardOf('midland', index));
    const restrictions = (patron?.['restrictions'] ?? []) as readonly { comment: string }[];
    return [
      copies.get(patron?.patron_id ?? 0)?.standing?.reasons,
      restrictions.map(({ comment }) => comment),
    ];
  });
  const expected = all.map((index) => {
    const [, reasons] = caseOf(index);
    const comment = `Patron Passport: not in good standing at midland (${reasons.join(', ')})`;
    return [reasons, reasons.length === 0 ? [] : [comment]];
  });
  expect(found).toEqual(expected);

  const { lender } = bench;
  lender.clearCalls();
  const again = await bench.sweep({ atMs: NOW + DAY_MS });
  const share = COPIES / CASES.length;
  expect(again.homes['midland']).toMatchObject({
    copies: COPIES,
    fields_changed: 0,
    findings: { NOT_ELIGIBLE: 4 * share, DEBT_OVER_LIMIT: 2 * share, EXPIRED: share, RESTRICTED: share },
  });
  const writes = bench.calls(lender).filter((call) => !call.startsWith('GET '));
  // That they were checked is noted a page at a time.
  expect(new Set(writes)).toEqual(new Set(['PUT /contrib/passport/copies']));
  expect(writes).toHaveLength(COPIES / 100);
}, 600_000);
