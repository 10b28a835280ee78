import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  type DisclosureReceipt,
  readCopyRecords,
  readReceipts,
  rekeyCopyRecord,
} from '@passport/queue/copies';
import { readWorklist } from '@passport/queue/sweeps';
import { leakGuard } from '@passport/testkit';
import { openEmptyRedis } from './empty-redis.ts';
import { DAY_MS, LENDER, type SweepBench, cardOf, openSweep } from './sweep-bench.ts';

const own = leakGuard({ beforeEach, afterEach });
const NOW = Date.parse('2026-11-26T02:00:00Z');
const PATCH = 'PATCH /patrons/{patron_id}/extended_attributes/{extended_attribute_id}';
const { redis } = await openEmptyRedis();

const personOf = (index: number) => ({
  surname: `Name ${index}`,
  firstname: `Ada ${index}`,
  date_of_birth: `19${50 + index}-02-03`,
  category_id: 'AD',
  library_id: 'MAIN',
});

/** A patron whom home shares with nobody. */
const UNSHARED = { refresh: { sweep: '02:00' }, share: { opt_out_attribute: 'HIDE' } };
const HIDDEN = { extended_attributes: [{ type: 'HIDE', value: '1' }] };

async function open(count: number, entry?: object): Promise<SweepBench> {
  const bench = own(await openSweep(['midland', 'lakeside'], redis, entry));
  for (let index = 0; index < count; index += 1) {
    const { category_id: _category, ...person } = personOf(index);
    const { firstname, date_of_birth } = person;
    const card = bench.put('midland', index, { remembered: { firstname, date_of_birth } });
    for (const koha of [bench.lender, bench.homes['midland']]) koha?.putPatron(card, person);
  }
  return bench;
}
const idOf = ({ lender }: SweepBench, index: number): number =>
  Number(lender.state(cardOf('midland', index)).patrons[0]?.['patron_id']);
const homeIdOf = ({ homes }: SweepBench, card: string): number =>
  Number(homes['midland']?.state(card).patrons[0]?.['patron_id']);
/** Home merges the patron into another record, which gets the card. Returns that one's number. */
function merge(bench: SweepBench, index: number, person: Readonly<Record<string, unknown>> = {}): number {
  const { midland } = bench.homes;
  const card = cardOf('midland', index);
  midland?.putPatron(`kept-${index}`, { ...personOf(index), ...person });
  midland?.mergePatron(card, `kept-${index}`);
  midland?.putPatron(`kept-${index}`, { cardnumber: card });
  return homeIdOf(bench, card);
}
const keysOf = ({ lender }: SweepBench, index: number): unknown[] =>
  (lender.state(cardOf('midland', index)).patrons[0]?.extended_attributes ?? [])
    .filter(({ type }) => type === 'PASSPORTED_ID')
    .map(({ value }) => value);
async function rekeyed(): Promise<DisclosureReceipt[]> {
  const all: DisclosureReceipt[] = [];
  for await (const receipt of readReceipts(redis)) if (receipt.what === 'rekeyed') all.push(receipt);
  return all;
}
const toLookAt = async (): Promise<string[]> =>
  (await readWorklist(redis, LENDER)).items.map(({ finding }) => finding);
const findingsOf = async (bench: SweepBench, how: Parameters<SweepBench['sweep']>[0] = { atMs: NOW }) =>
  (await bench.sweep(how)).homes['midland']?.findings;

describe('a patron whose records home has merged', () => {
  test('is counted as what became of the copy also by the run that goes on after one that was killed, save the one in hand', async () => {
    const counts: number[] = [];
    for (let calls = 5; calls < 30; calls += 2) {
      await redis.flushall();
      const bench = await open(4);
      for (const index of [0, 1, 2]) merge(bench, index);
      let left = calls;
      const beforeWrite = (): void => {
        left -= 1;
        if (left === 0) throw new Error('killed');
      };
      const killed = await bench.sweep({ atMs: NOW, beforeWrite }).catch(() => null);
      const { homes } = killed ?? (await bench.sweep({ atMs: NOW }));
      counts.push(homes['midland']?.findings['REKEYED'] ?? 0);
      await bench.stop();
    }
    expect(counts).toContain(3);
    expect(Math.min(...counts)).toBeGreaterThanOrEqual(2);
  }, 60_000);

  test('is followed under the number of now, with a receipt and a line of the audit, and refreshed as before', async () => {
    const bench = await open(2);
    const former = homeIdOf(bench, cardOf('midland', 0));
    const now = merge(bench, 0);
    expect(await findingsOf(bench)).toEqual({ REKEYED: 1, UNCHANGED: 1 });
    const homeKey = `midland:${now}`;
    expect(keysOf(bench, 0)).toEqual([homeKey]);
    expect(await rekeyed()).toMatchObject([
      { home: 'midland', homeKey, formerKey: `midland:${former}`, fields: [], patronId: idOf(bench, 0) },
    ]);
    expect(bench.lines).toMatchObject([
      { audit: true, action: 'rekey', home_key: homeKey, former_key: `midland:${former}`, result: 'done' },
    ]);
    expect((await readCopyRecords(redis, LENDER, [idOf(bench, 0)])).get(idOf(bench, 0))).toMatchObject({
      homeKey,
      formerKeys: [`midland:${former}`],
    });
    expect(await toLookAt()).toEqual([]);

    bench.homes['midland']?.putPatron(cardOf('midland', 0), {
      email: 'new@midland.example',
      city: 'midland',
    });
    await bench.sweep({ atMs: NOW + DAY_MS });
    expect(bench.lender.state(cardOf('midland', 0)).patrons[0]?.['email']).toBe('new@midland.example');
    expect(await rekeyed()).toHaveLength(1);
  });

  test.each([
    ['another birth date', { date_of_birth: '1999-09-09' }],
    ['another first name', { firstname: 'Bea' }],
    ['no birth date and no first name', { firstname: null, date_of_birth: null }],
  ])('is left to somebody where the other record has %s', async (_what, person) => {
    const bench = await open(1);
    const before = keysOf(bench, 0);
    merge(bench, 0, person);
    bench.lender.clearCalls();
    expect(await findingsOf(bench)).toEqual({ HOME_MERGED: 1 });
    expect(await toLookAt()).toEqual(['HOME_MERGED']);
    expect(keysOf(bench, 0)).toEqual(before);
    expect(bench.calls(bench.lender).filter((call) => /^(?:PATCH|PUT|POST)/.test(call))).toEqual([]);
    expect(await rekeyed()).toEqual([]);
    // Somebody says that it is the same person, by the record here.
    bench.homes['midland']?.putPatron(cardOf('midland', 0), personOf(0));
    expect(await findingsOf(bench, { atMs: NOW + DAY_MS })).toEqual({ REKEYED: 1 });
    expect(await toLookAt()).toEqual([]);
  });

  test.each([
    ['whatever names they wrote', personOf(7)],
    ['and whoever has it', { surname: 'Else', firstname: 'Bea', date_of_birth: '1901-01-01' }],
    ['also where nobody has it', null],
    ['also where it is a patron whom home does not share', { ...personOf(7), ...HIDDEN }],
  ])(
    'is not asked about by a card that somebody at the lending library has entered, %s',
    async (_what, holder) => {
      const bench = await open(2, UNSHARED);
      const { midland } = bench.homes;
      if (holder !== null) midland?.putPatron('victim', { ...personOf(7), ...holder });
      midland?.deletePatron(cardOf('midland', 0));
      const { category_id: _category, ...victim } = personOf(7);
      bench.lender.putPatron(cardOf('midland', 0), { ...victim, cardnumber: 'victim' });
      for (const koha of [bench.lender, midland]) koha?.clearCalls();
      expect(await findingsOf(bench)).toEqual({ HOME_MISSING: 1, UNCHANGED: 1 });
      expect(midland === undefined ? [] : bench.calls(midland)).toEqual(['GET /patrons']);
      expect(bench.calls(bench.lender).filter((call) => /^(?:PATCH|PUT|POST)/.test(call))).toEqual([]);
      expect(await toLookAt()).toEqual([]);
      expect(await rekeyed()).toEqual([]);
    },
  );

  test.each(['1999-09-09', '1950-02-03'])(
    'says nothing of a birth date that was not written, be it guessed as %s',
    async (guess) => {
      const bench = await open(1);
      const { lender } = bench;
      const [row] = lender.state(cardOf('midland', 0)).copies;
      if (row === undefined) throw new Error('no row');
      const { date_of_birth: _born, firstname: _first, ...fields } = row.fields;
      lender.putCopy({ ...row, fields });
      lender.putPatron(cardOf('midland', 0), { date_of_birth: guess });
      merge(bench, 0);
      expect(await findingsOf(bench)).toEqual({ HOME_MERGED: 1 });
      expect(await rekeyed()).toEqual([]);
    },
  );

  test('is nobody to look at where home does not share the other record', async () => {
    const bench = await open(2, UNSHARED);
    merge(bench, 0, HIDDEN);
    expect(await findingsOf(bench)).toEqual({ HOME_MISSING: 1, UNCHANGED: 1 });
    expect(await toLookAt()).toEqual([]);
  });

  test('has a receipt before the lending library is asked for its number of now', async () => {
    const bench = await open(1);
    const now = merge(bench, 0);
    bench.lender.putPatron('other', {
      ...personOf(5),
      category_id: 'PT',
      extended_attributes: [{ type: 'PASSPORTED_ID', value: `midland:${now}` }],
    });
    expect(await findingsOf(bench)).toEqual({ HOME_MERGED: 1, NOT_ON_RECORD: 1 });
    expect(await rekeyed()).toMatchObject([{ homeKey: `midland:${now}` }]);
    expect(keysOf(bench, 0)).not.toEqual([`midland:${now}`]);
  });

  test('never makes two copies one person’s, nor leaves its home library', async () => {
    const bench = await open(2);
    const { midland } = bench.homes;
    // Home claims for the card of one copy the number of another.
    midland?.deletePatron(cardOf('midland', 0));
    midland?.putPatron(cardOf('midland', 1), { ...personOf(0), cardnumber: cardOf('midland', 0) });
    bench.lender.putPatron(cardOf('midland', 1), {
      firstname: 'Ada 0',
      surname: 'Name 0',
      date_of_birth: '1950-02-03',
    });
    expect(await findingsOf(bench)).toMatchObject({ HOME_MERGED: 1 });
    expect(keysOf(bench, 0)).not.toEqual(keysOf(bench, 1));
    expect(await rekeyed()).toEqual([]);
    // Another library has the card and the person.
    bench.homes['lakeside']?.putPatron(cardOf('midland', 0), personOf(0));
    midland?.putPatron(cardOf('midland', 0), { cardnumber: 'elsewhere' });
    await bench.sweep({ atMs: NOW + 2 * DAY_MS });
    expect(keysOf(bench, 0)[0]).toMatch(/^midland:/);
    expect(await rekeyed()).toEqual([]);
  });

  test('is finished by the next sweep where the lending library did not answer, with one receipt', async () => {
    const bench = await open(1);
    const now = merge(bench, 0);
    bench.lender.addFaults([{ operation: PATCH, times: 20, kind: 'reset_before' }]);
    await expect(bench.sweep({ atMs: NOW })).rejects.toThrow('riverside');
    bench.lender.clearFaults();
    expect(keysOf(bench, 0)).not.toEqual([`midland:${now}`]);
    // The same sweep goes on after the look; another one finds what is unfinished.
    await bench.sweep({ atMs: NOW });
    await bench.sweep({ atMs: NOW + DAY_MS });
    expect(keysOf(bench, 0)).toEqual([`midland:${now}`]);
    expect(await rekeyed()).toHaveLength(1);
    await bench.sweep({ atMs: NOW + 2 * DAY_MS });
    expect(await toLookAt()).toEqual([]);
    expect(await rekeyed()).toHaveLength(1);
  });

  test('has a receipt again where it is given a number that it has had before', async () => {
    const bench = await open(1);
    const patronId = idOf(bench, 0);
    const before = String(keysOf(bench, 0)[0]);
    const homeKey = `midland:${merge(bench, 0)}`;
    for (const turn of [1, 2, 3, 4, 5, 6, 7]) {
      expect(await findingsOf(bench, { atMs: NOW + turn * DAY_MS })).toEqual({ REKEYED: 1 });
      expect(await rekeyed()).toHaveLength(turn);
      await rekeyCopyRecord(redis, LENDER, { patronId, from: homeKey, to: before });
      bench.lender.putPatron(cardOf('midland', 0), {
        extended_attributes: [
          { type: 'PASSPORTED', value: 'midland' },
          { type: 'PASSPORTED_ID', value: before },
        ],
      });
    }
  });

  test('is not touched by a dry run, and waits where the hour is used up', async () => {
    const bench = await open(3, { refresh: { sweep: '02:00' }, limits: { refreshes_per_hour: 1 } });
    const before = [keysOf(bench, 0), keysOf(bench, 1)];
    merge(bench, 0);
    merge(bench, 1);
    expect(await findingsOf(bench, { atMs: NOW, dryRun: true })).toEqual({ REKEYED: 2, UNCHANGED: 1 });
    expect([keysOf(bench, 0), keysOf(bench, 1)]).toEqual(before);
    await expect(bench.sweep({ atMs: NOW })).rejects.toThrow();
    expect(await rekeyed()).toHaveLength(1);
  });
});
