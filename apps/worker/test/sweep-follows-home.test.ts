import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { leakGuard } from '@passport/testkit';
import { openEmptyRedis } from './empty-redis.ts';
import { type SweepBench, cardOf, openSweep } from './sweep-bench.ts';

const own = leakGuard({ beforeEach, afterEach });

const { redis } = await openEmptyRedis();

async function open(count: number, refresh: object = FOLLOWS): Promise<SweepBench> {
  const bench = own(await openSweep(['midland'], redis, { refresh }));
  for (let index = 0; index < count; index += 1) bench.put('midland', index);
  return bench;
}
const rowOf = ({ lender }: SweepBench, index: number): Readonly<Record<string, unknown>> =>
  lender.state(cardOf('midland', index)).patrons[0] ?? {};

const FOLLOWS = { sweep: '02:00', restricted: 'apply', card_lost: 'apply' };
const restrictionsOf = (bench: SweepBench, index: number): unknown =>
  (rowOf(bench, index)['restrictions'] as { comment: string }[] | undefined)?.map(({ comment }) => comment) ??
  [];
const homeHas = ({ homes }: SweepBench, index: number, columns: Readonly<Record<string, unknown>>): void =>
  void homes['midland']?.putPatron(cardOf('midland', index), columns);

describe('a sweep over copies that follow home', () => {
  test('T-28 restricts a copy with home, lifts it with home, and touches no restriction made here', async () => {
    const bench = await open(3);
    const card = cardOf('midland', 1);
    bench.lender.putPatron(card, { debarred: '9999-12-31', debarredcomment: 'A film.' });
    for (const index of [0, 1]) homeHas(bench, index, { restricted: true });
    const restricted = { HOME_RESTRICTED: 2, UNCHANGED: 1 };
    expect((await bench.sweep({ dryRun: true })).homes['midland']?.findings).toEqual(restricted);
    expect(restrictionsOf(bench, 0)).toEqual([]);
    expect((await bench.sweep()).homes['midland']).toMatchObject({ findings: restricted, fields_changed: 0 });
    const ours = ['Patron Passport: restricted at midland'];
    expect([0, 1, 2].map((index) => restrictionsOf(bench, index))).toEqual([ours, ours, []]);
    expect(rowOf(bench, 0)).toMatchObject({ restricted: true });
    expect((await bench.sweep()).homes['midland']?.findings).toEqual({ UNCHANGED: 3 });

    for (const index of [0, 1]) homeHas(bench, index, { restricted: false });
    expect((await bench.sweep()).homes['midland']?.findings).toEqual({
      HOME_RESTRICTION_LIFTED: 2,
      UNCHANGED: 1,
    });
    expect(restrictionsOf(bench, 0)).toEqual([]);
    expect(rowOf(bench, 0)).toMatchObject({ restricted: false });
    expect(bench.lender.state(card).patrons[0]).toMatchObject({ debarred: '9999-12-31', restricted: true });
    expect((await bench.sweep()).homes['midland']?.findings).toEqual({ UNCHANGED: 3 });
  });

  test('T-28 only reports a restriction at home where that is what the library wants', async () => {
    const bench = await open(1, { sweep: '02:00' });
    homeHas(bench, 0, { restricted: true });
    expect((await bench.sweep()).homes['midland']?.findings).toEqual({ HOME_RESTRICTED: 1 });
    expect(restrictionsOf(bench, 0)).toEqual([]);
  });

  test('T-28 goes on with the others where the plugin does not take a restriction', async () => {
    const bench = await open(2);
    for (const index of [0, 1]) homeHas(bench, index, { restricted: true });
    const operation = 'PUT /contrib/passport/restrictions/{kind}/{library}/{patron_id}';
    const body = { error: 'x', error_code: 'internal_server_error' };
    bench.lender.addFaults([{ operation, times: 1, kind: 'status', status: 500, body }]);
    const findings = { KOHA_REFUSED: 1, HOME_RESTRICTED: 1 };
    expect((await bench.sweep()).homes['midland']).toMatchObject({ state: 'done', findings });
    expect((await bench.sweep()).homes['midland']?.findings).toEqual({ HOME_RESTRICTED: 1, UNCHANGED: 1 });
  });

  test('T-28 lifts and sets a restriction also where the lending Koha takes no other change', async () => {
    const bench = await open(1);
    const operation = 'PUT /patrons/{patron_id}';
    for (const [restricted, expected] of [
      [true, ['Patron Passport: restricted at midland']],
      [false, []],
    ] as const) {
      homeHas(bench, 0, { restricted, surname: restricted ? 'Newly' : 'Again' });
      bench.lender.addFaults([{ operation, times: 1, kind: 'status', status: 500 }]);
      expect((await bench.sweep()).homes['midland']?.findings).toEqual({ KOHA_REFUSED: 1 });
      expect(restrictionsOf(bench, 0)).toEqual(expected);
    }
  });

  test('marks a card that home lost, takes its mark back, and leaves that of the library', async () => {
    const bench = await open(2);
    const marks = () => [0, 1].map((index) => rowOf(bench, index)['patron_card_lost']);
    homeHas(bench, 0, { patron_card_lost: true });
    bench.lender.putPatron(cardOf('midland', 1), { patron_card_lost: true });
    expect((await bench.sweep()).homes['midland']?.findings).toEqual({ HOME_CARD_LOST: 1, UNCHANGED: 1 });
    expect(marks()).toEqual([true, true]);
    homeHas(bench, 0, { patron_card_lost: false });
    expect((await bench.sweep()).homes['midland']?.findings).toEqual({ HOME_CARD_FOUND: 1, UNCHANGED: 1 });
    expect(marks()).toEqual([false, true]);
  });

  test('extends a copy that has something checked out with home, and only reports that where it is wanted', async () => {
    for (const [refresh, expected] of [
      [{ sweep: '02:00' }, '2032-02-02'],
      [{ sweep: '02:00', expiry: 'report' }, '2030-01-01'],
    ] as const) {
      const bench = await open(1, refresh);
      const card = cardOf('midland', 0);
      bench.lender.putItem('39999000000001', { checked_out_to: card });
      expect(bench.lender.state(card).checkouts).toHaveLength(1);
      homeHas(bench, 0, { expiry_date: '2032-02-02' });
      expect((await bench.sweep()).homes['midland']?.findings).toEqual({ EXPIRY_CHANGED: 1 });
      expect(bench.lender.state(card).patrons[0]).toMatchObject({ expiry_date: expected });
    }
  });
});
