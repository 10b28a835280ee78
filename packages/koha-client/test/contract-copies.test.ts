import { describe, expect, test } from '@jest/globals';
import { isFrom, testedReleases } from '@passport/koha-double';
import type { PatronPage } from '../src/index.ts';
import { testThatRequestsFit, useContractBench } from './contract-bench.ts';

const COPIES = { type: 'PASSPORTED_ID', prefix: 'midland:' };
const DAY_MS = 86_400_000;

async function pagesOf(list: AsyncIterable<PatronPage>): Promise<PatronPage[]> {
  const pages: PatronPage[] = [];
  for await (const page of list) pages.push(page);
  return pages;
}
const cardsOf = (pages: readonly PatronPage[]): (string | null)[] =>
  pages.flatMap(({ patrons }) => patrons.map(({ cardnumber }) => cardnumber));

describe.each(testedReleases)('copies of a Koha %s', (release) => {
  const bench = useContractBench(release);

  const putCopy = (card: string, homeKey: string): void => {
    const passport = { type: 'PASSPORTED', value: homeKey.split(':')[0] };
    bench.koha.putPatron(card, {
      surname: 'Okafor',
      extended_attributes: [passport, { type: 'PASSPORTED_ID', value: homeKey }],
    });
  };
  const idOf = (card: string): number => Number(bench.koha.state(card).patrons[0]?.patron_id);

  test('are listed by their home, and nobody else is', async () => {
    putCopy('C1', 'midland:8');
    putCopy('C2', 'midland-north:9');
    putCopy('C3', 'lakeside:8');
    putCopy('C4', 'MIDLAND:10');
    bench.koha.putPatron('N1', { surname: 'Native' });
    expect(cardsOf(await pagesOf(bench.client.listCopies(COPIES)))).toEqual(['C1']);
    const all = await pagesOf(bench.client.listCopies({ type: 'PASSPORTED_ID', prefix: '' }));
    expect(cardsOf(all)).toEqual(['C1', 'C2', 'C3', 'C4']);
  });

  test('a prefix is no pattern, though Koha’s database takes it for one', async () => {
    putCopy('C1', 'mid_land:8');
    putCopy('C2', 'mid-land:9');
    const list = bench.client.listCopies({ type: 'PASSPORTED_ID', prefix: 'mid_land:' });
    expect(cardsOf(await pagesOf(list))).toEqual(['C1']);
  });

  test('are listed page after page, each in one call, and from any number on', async () => {
    for (let index = 0; index < 230; index += 1) putCopy(`C${index}`, `midland:${index}`);
    const pages = await pagesOf(bench.client.listCopies(COPIES));
    expect(pages.map(({ patrons }) => patrons.length)).toEqual([100, 100, 30]);
    expect(new Set(cardsOf(pages)).size).toBe(230);
    expect(bench.calls()).toEqual(['GET /patrons', 'GET /patrons', 'GET /patrons']);
    const remaining = bench.client.listCopies({ ...COPIES, after: idOf('C219') });
    expect(cardsOf(await pagesOf(remaining))).toEqual(
      Array.from({ length: 10 }, (_, index) => `C${220 + index}`),
    );
  });

  test('that go while they are listed shift nobody out of the list', async () => {
    for (let index = 0; index < 120; index += 1) putCopy(`C${index}`, `midland:${index}`);
    const list = bench.client.listCopies(COPIES);
    const first = await list.next();
    bench.koha.deletePatron('C3');
    const remaining = await pagesOf(list);
    expect(first.done === true ? 0 : first.value.patrons.length).toBe(100);
    expect(cardsOf(remaining)).toEqual(Array.from({ length: 20 }, (_, index) => `C${100 + index}`));
  });

  test('T-25 are listed past a record that Koha fails at', async () => {
    for (let index = 0; index < 120; index += 1) putCopy(`C${index}`, `midland:${index}`);
    bench.koha.putPatron('C57', { broken: true });
    const pages = await pagesOf(bench.client.listCopies(COPIES));
    expect(pages.map(({ patrons, broken, rows }) => [patrons.length, broken, rows])).toEqual([
      [99, 1, 100],
      [20, 0, 20],
    ]);
    // The page, its ten parts, the ten rows of one of them, and the next page.
    expect(bench.calls()).toHaveLength(1 + 10 + 10 + 1);
  });

  test('are not passed over, many in a row, where Koha fails at all of them', async () => {
    for (let index = 0; index < 120; index += 1) putCopy(`C${index}`, `midland:${index}`);
    for (let index = 0; index < 5; index += 1) bench.koha.putPatron(`C${index}`, { broken: true });
    await expect(pagesOf(bench.client.listCopies(COPIES))).rejects.toMatchObject({ code: 'http_5xx' });
    expect(bench.calls()).toHaveLength(1 + 1 + 5);
  });

  test('come with the home key, and with all attributes from 24.05 on', async () => {
    putCopy('C1', 'midland:8');
    const [page] = await pagesOf(bench.client.listCopies(COPIES));
    const types = page?.patrons[0]?.attributes?.map(({ type }) => type);
    expect(types).toEqual(isFrom(release, '24.05') ? ['PASSPORTED', 'PASSPORTED_ID'] : ['PASSPORTED_ID']);
  });

  test('have home records that are read a hundred at a time, with all attributes', async () => {
    for (let index = 0; index < 100; index += 1) putCopy(`C${index}`, `midland:${index}`);
    const ids = Array.from({ length: 100 }, (_, index) => idOf(`C${index}`));
    const page = await bench.client.readPatrons(ids);
    expect(page.patrons.map(({ patronId }) => patronId)).toEqual(ids);
    expect(page.patrons[0]?.attributes?.map(({ type }) => type)).toEqual(['PASSPORTED', 'PASSPORTED_ID']);
    expect(bench.calls()).toEqual(['GET /patrons']);
  });

  test('have home records with what each owes, where that is wanted', async () => {
    putCopy('C1', 'midland:1');
    bench.koha.putPatron('C1', { account_balance: 12.5 });
    const owed = async (balance: boolean) =>
      (await bench.client.readPatrons([idOf('C1')], { balance })).patrons.map((each) => each.accountBalance);
    expect(await owed(true)).toEqual([12.5]);
    expect(await owed(false)).toEqual([null]);
  });

  test('have home records of which only the changed ones are read, by a time with its zone', async () => {
    putCopy('C1', 'midland:1');
    putCopy('C2', 'midland:2');
    const now = Date.now();
    bench.koha.putPatron('C1', { updated_on: new Date(now - 3 * DAY_MS).toISOString() });
    bench.koha.putPatron('C2', { updated_on: new Date(now).toISOString() });
    const changedSince = new Date(now - DAY_MS);
    const page = await bench.client.readPatrons([idOf('C1'), idOf('C2')], { changedSince });
    expect(page.patrons.map(({ cardnumber }) => cardnumber)).toEqual(['C2']);
  });

  test('have home records that are not there, and nobody else is answered for them', async () => {
    putCopy('C1', 'midland:1');
    expect(await bench.client.readPatrons([idOf('C1') + 4_711])).toEqual({
      patrons: [],
      unreadable: [],
      broken: 0,
      rows: 0,
    });
    expect((await bench.client.readPatrons([])).patrons).toEqual([]);
    expect(bench.calls()).toEqual(['GET /patrons']);
  });

  testThatRequestsFit(bench, []);
});

describe.each(testedReleases)('what is remembered of copies beside a Koha %s', (release) => {
  const bench = useContractBench(release);
  const field = { hash: `Ab3_-9:${'h'.repeat(43)}`, at: 1_700_000_000, event: 'scan_1' };
  const row = (patronId: number, version = 0) => ({
    patronId,
    version,
    homeKey: `midland:${patronId}`,
    fields: { email: field },
  });
  const read = (after: number, upTo: number) => bench.client.readRememberedCopies({ after, upTo });

  test('is read as it was stored, page after page', async () => {
    for (let id = 1; id <= 230; id += 1) await bench.client.rememberCopy(row(id));
    bench.koha.clearCalls();
    expect((await read(0, 9_999))?.map(({ patronId }) => patronId)).toHaveLength(230);
    expect(bench.calls()).toHaveLength(2);
    expect(await read(7, 8)).toEqual([{ ...row(8, 1), restrictedAt: [], standingAt: [], standing: null }]);
    expect(await read(230, 9_999)).toEqual([]);
  });

  test('is read with no call for pages of which nobody is wanted', async () => {
    for (let id = 1; id <= 1_500; id += 1) {
      bench.koha.putCopy({ patron_id: id, version: 0, home_key: `midland:${id}`, fields: {} });
    }
    const wanted = [2, 1_400];
    bench.koha.clearCalls();
    const rows = await bench.client.readRememberedCopies({ after: 1, upTo: 1_400, wanted });
    expect(wanted.filter((id) => rows?.some(({ patronId }) => patronId === id))).toEqual(wanted);
    expect(bench.calls()).toHaveLength(2);
  });

  test('is stored on top of the version that was read, and of no other', async () => {
    expect(await bench.client.rememberCopy(row(812))).toEqual({ kind: 'stored', version: 1 });
    expect(await bench.client.rememberCopy(row(812))).toEqual({ kind: 'other_version' });
    expect(await bench.client.rememberCopy(row(812, 1))).toEqual({ kind: 'stored', version: 2 });
  });

  test('has the standing of the patron beside it, which stays until another is stored', async () => {
    const bad = { isGood: false, reasons: ['DEBT_OVER_LIMIT'], homeName: 'Midland Public Library' };
    const shown = async () => (await read(811, 812))?.[0]?.standing;
    await bench.client.rememberCopy({ ...row(812), standing: bad });
    expect(await shown()).toEqual(bad);
    await bench.client.noteChecked([812, 813]);
    await bench.client.rememberCopy(row(812, 1));
    expect(await shown()).toEqual(bad);
    await bench.client.rememberCopy({ ...row(812, 2), standing: null });
    expect(await shown()).toBeNull();
  });

  test('is nothing where Koha has no plugin, which is no failure', async () => {
    bench.koha.putSettings({ plugin: false });
    expect(await read(0, 999)).toBeNull();
    expect(await bench.client.rememberCopy(row(812))).toEqual({ kind: 'no_plugin' });
  });
});
