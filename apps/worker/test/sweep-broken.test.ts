import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { leakGuard } from '@passport/testkit';
import { openEmptyRedis } from './empty-redis.ts';
import { DAY_MS, type SweepBench, cardOf, openSweep } from './sweep-bench.ts';

const own = leakGuard({ beforeEach, afterEach });
const NOW = Date.parse('2026-11-26T02:00:00Z');

const { redis } = await openEmptyRedis();

async function open(count: number, homes = ['midland']): Promise<SweepBench> {
  const bench = own(await openSweep(homes, redis));
  for (const home of homes) for (let index = 0; index < count; index += 1) bench.put(home, index);
  return bench;
}
const emailOf = ({ lender }: SweepBench, card: string): unknown => lender.state(card).patrons[0]?.['email'];
const moves = ({ homes }: SweepBench, home: string, index: number): void =>
  void homes[home]?.putPatron(cardOf(home, index), { email: `new${index}@${home}.example` });

describe('a sweep that meets what it cannot read, or cannot trust', () => {
  test('T-25 goes past a copy that the lending Koha fails at in every list', async () => {
    const bench = await open(150);
    bench.lender.putPatron(cardOf('midland', 57), { broken: true });
    moves(bench, 'midland', 149);
    const { homes } = await bench.sweep();
    const findings = { UNREADABLE: 1, REFRESHED: 1, UNCHANGED: 148 };
    expect(homes['midland']).toMatchObject({ state: 'done', copies: 150, findings });
    // The page, its tenth and the tenth's tenth fail; the others of both are read; then the second page.
    const lists = bench.calls(bench.lender).filter((call) => call === 'GET /patrons');
    expect(lists).toHaveLength(1 + 10 + 10 + 1 + 2 + 20);
  });

  test('T-25 loses nobody where the lending Koha fails at a list once', async () => {
    const bench = await open(150);
    const body = { error: 'Something went wrong', error_code: 'internal_server_error' };
    bench.lender.addFaults([{ operation: 'GET /patrons', times: 1, kind: 'status', status: 500, body }]);
    const { homes } = await bench.sweep();
    expect(homes['midland']).toMatchObject({ state: 'done', copies: 150, findings: { UNCHANGED: 150 } });
  });

  test('T-25 T-26 ends where the lending Koha fails at all, and goes on from there', async () => {
    const bench = await open(150);
    const body = { error: 'Something went wrong', error_code: 'internal_server_error' };
    bench.lender.addFaults([{ operation: 'GET /patrons', times: 7, kind: 'status', status: 500, body }]);
    await expect(bench.sweep()).rejects.toThrow('riverside');
    const { homes } = await bench.sweep();
    expect(homes['midland']).toMatchObject({ state: 'done', copies: 150, findings: { UNCHANGED: 150 } });
  });

  test('T-25 writes nothing into a copy of which what is remembered cannot be read, and goes on', async () => {
    const bench = await open(3);
    for (const index of [0, 1, 2]) moves(bench, 'midland', index);
    const body = { error: 'Something went wrong', error_code: 'internal_server_error' };
    const operation = 'GET /contrib/passport/copies';
    // All three, the first two, the first.
    bench.lender.addFaults([{ operation, times: 3, kind: 'status', status: 500, body }]);
    const { homes } = await bench.sweep();
    expect(homes['midland']).toMatchObject({ state: 'done', findings: { UNREADABLE: 1, REFRESHED: 2 } });
    expect(emailOf(bench, cardOf('midland', 0))).toBe('p0@midland.example');
  });

  test('T-27 is nobody where a home answers for none of its few copies', async () => {
    const bench = await open(2);
    for (const index of [0, 1]) bench.homes['midland']?.deletePatron(cardOf('midland', index));
    for (const atMs of [NOW, NOW + 2 * DAY_MS]) {
      const { homes } = await bench.sweep({ atMs });
      expect(homes['midland']).toMatchObject({ state: 'blind', findings: { HOME_HIDES_PATRONS: 2 } });
    }
  });

  test('what is no home key is counted, and is not in the report', async () => {
    const bench = await open(1);
    for (const value of ['21234000000017', 'Ada Okafor', 'hill\u202etop:1']) {
      bench.lender.putPatron(`odd-${value}`, {
        surname: 'Okafor',
        category_id: 'PT',
        extended_attributes: [{ type: 'PASSPORTED_ID', value }],
      });
    }
    const { homes } = await bench.sweep();
    expect(Object.keys(homes)).toEqual(['midland', '?']);
    expect(homes['?']).toMatchObject({ copies: 3, findings: { HOME_UNKNOWN: 3 } });
  });
});
