import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { PatronPage } from '@passport/koha-client';
import { type SweepState, readSweep, readWorklist, writeSweep } from '@passport/queue/sweeps';
import { leakGuard } from '@passport/testkit';
import type { SweepCall } from '../src/koha/sweep-calls.ts';
import { SweepPaused } from '../src/koha/slice.ts';
import { openEmptyRedis } from './empty-redis.ts';
import { DAY_MS, LENDER, type SweepBench, type SweepHow, cardOf, openSweep } from './sweep-bench.ts';

const own = leakGuard({ beforeEach, afterEach });
const NOW = Date.parse('2026-11-26T02:00:00Z');
const OVER = new SweepPaused(NOW);

const { redis } = await openEmptyRedis();

async function open(count: number): Promise<SweepBench> {
  const bench = own(await openSweep(['midland'], redis));
  for (let index = 0; index < count; index += 1) bench.put('midland', index);
  return bench;
}

/** Ends each slice as early as it can, until the sweep has ended; returns how many slices that took. */
async function inSlices(bench: SweepBench, how: SweepHow = {}): Promise<number> {
  for (let slices = 1; ; slices += 1) {
    const endSlice = () => {
      throw OVER;
    };
    const isOver = await bench.sweep({ ...how, endSlice }).then(
      () => true,
      (error: unknown) => {
        if (error !== OVER) throw error;
        return false;
      },
    );
    if (isOver) return slices;
  }
}

/** A lending Koha that has a page of rows after any other, each with this attribute. */
function endless(value: (row: number) => string): { readonly call: SweepCall; pages: number[] } {
  const pages: number[] = [];
  const readCopies = ({ after = 0 }: { readonly after?: number }): Promise<PatronPage> => {
    pages.push(after);
    const ids = Array.from({ length: 100 }, (_, index) => after + index + 1);
    const attributes = (id: number) => [{ type: 'PASSPORTED_ID', value: value(id) }];
    const patrons = ids.map((id) => ({ patronId: id, categoryId: 'PT', attributes: attributes(id) }));
    return Promise.resolve({ patrons: patrons as never, unreadable: [], broken: 0, rows: 100 });
  };
  const koha = {
    readCopies,
    readRememberedCopies: () => Promise.resolve([]),
    readPatrons: () => Promise.resolve({ patrons: [], unreadable: [], broken: 0, rows: 0 }),
  };
  return { call: (_library, work) => work(koha as never), pages };
}

describe('what one library may take of a sweep', () => {
  test('rows without an end are looked at up to a limit, and the report says so', async () => {
    const bench = await open(0);
    const { call, pages } = endless((row) => `midland:${row}`);
    const state = await bench.sweep({ call, limits: { pages: 30 } });
    expect(state).toMatchObject({
      failed: 'it has reached a limit of pages, rows or time',
      pages: 30,
      rows: 3_000,
      homes: { midland: { state: 'cut' } },
      last_ms: null,
      last_full_ms: null,
    });
    expect(pages).toHaveLength(30);
  });

  test.each([
    ['rows', { rows: 500 }, 5],
    ['time', { ms: 0 }, 0],
  ])('so it is with a limit of %s', async (_name, limits, most) => {
    const bench = await open(0);
    const { call, pages } = endless((row) => `midland:${row}`);
    expect((await bench.sweep({ call, limits })).homes['midland']?.state).toBe('cut');
    expect(pages).toHaveLength(most);
  });

  test('rows that do not match are not read again in the next slice', async () => {
    const bench = await open(0);
    const { call, pages } = endless(() => 'x');
    await inSlices(bench, { call, limits: { pages: 20 } });
    expect(pages).toEqual(Array.from({ length: 20 }, (_, page) => page * 100));
  });

  test('at most a hundred unknown home libraries are named, and the others counted together', async () => {
    const bench = await open(2);
    const named = ['constructor', ...Array.from({ length: 140 }, (_, index) => `lib-${index}`)];
    for (const [index, id] of named.entries()) {
      bench.lender.putPatron(`unknown-${index}`, {
        surname: 'Okafor',
        category_id: 'PT',
        extended_attributes: [{ type: 'PASSPORTED_ID', value: `${id}:${index + 1}` }],
      });
    }
    await inSlices(bench, { atMs: NOW });
    const { homes } = (await readSweep(redis, LENDER, false)) as SweepState;
    expect(Object.keys(homes)).toHaveLength(1 + 100 + 1);
    expect(homes['constructor']).toMatchObject({ copies: 1, findings: { HOME_UNKNOWN: 1 } });
    expect(homes['*']).toMatchObject({ copies: 41, findings: { HOME_UNKNOWN: 41 } });
    expect(homes['midland']).toMatchObject({ copies: 2, findings: { UNCHANGED: 2 } });
  });

  test('home keys that are not answered do not make the state grow, and at most a hundred are looked up again', async () => {
    const bench = await open(131);
    // A library with so many copies may have as many that home does not answer for.
    const first = await bench.sweep({ atMs: NOW });
    const home = { ...first.homes['midland'], copies: 100_000 } as never;
    await writeSweep(redis, { ...first, homes: { midland: home } });
    for (let index = 0; index < 130; index += 1)
      bench.homes['midland']?.deletePatron(cardOf('midland', index));
    bench.homes['midland']?.clearCalls();
    const sizes: number[] = [];
    const atMs = NOW + DAY_MS;
    const { homes } = await bench.sweep({
      atMs,
      limits: { keptMissing: 120 },
      saved: (state) => sizes.push(JSON.stringify(state).length),
    });
    expect(homes['midland']).toMatchObject({ state: 'done', findings: { UNCHANGED: 1, HOME_MISSING: 130 } });
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThan(100);
    // Two pages of records, and a hundred cards.
    expect(bench.calls(bench.homes['midland'] as never)).toHaveLength(102);
    expect(await redis.hlen('{passport}:missing:riverside:midland')).toBe(120);
  });

  test('of a home without copies nothing is read: neither the plugin nor the home', async () => {
    const bench = await open(0);
    expect((await bench.sweep()).homes['midland']).toMatchObject({ state: 'done', copies: 0 });
    expect(bench.calls(bench.lender)).toEqual(['GET /patrons', 'GET /patrons']);
    expect(bench.calls(bench.homes['midland'] as never)).toEqual([]);
  });
});

describe('a home that none of the copies on record is of', () => {
  const homeIds = ['midland'];
  async function openTwo(receipt: null | object): Promise<SweepBench> {
    const bench = own(await openSweep(['midland', 'lakeside'], redis));
    bench.put('midland', 0);
    bench.put('lakeside', 0, { receipt });
    return bench;
  }

  test('is not asked, and no list is read for it: its copies are counted with all others', async () => {
    const bench = await openTwo(null);
    const { homes } = await bench.sweep({ atMs: NOW, homeIds });
    expect(homes['lakeside']).toMatchObject({ state: 'done', copies: 1, findings: { NOT_ON_RECORD: 1 } });
    expect(bench.calls(bench.lender).filter((call) => call === 'GET /patrons')).toHaveLength(2);
    expect(bench.calls(bench.homes['lakeside'] as never)).toEqual([]);
    const { items } = await readWorklist(redis, LENDER);
    expect(items.map(({ homeKey, finding }) => `${homeKey} ${finding}`)).toEqual([
      expect.stringMatching(/^lakeside:\d+ NOT_ON_RECORD$/),
    ]);
  });

  test('is left to the next sweep where a copy was made since this one began', async () => {
    const bench = await openTwo({});
    expect(Object.keys((await bench.sweep({ homeIds })).homes)).toEqual(['midland']);
  });

  test('has nobody who is missing: who comes back later, and is missing then, is so for the first time', async () => {
    const bench = await openTwo(null);
    const missing = '{passport}:missing:riverside:lakeside';
    await redis.hset(missing, 'lakeside:7', NOW);
    await bench.sweep({ homeIds, dryRun: true });
    expect(await redis.hlen(missing)).toBe(1);
    await bench.sweep({ homeIds });
    expect(await redis.hlen(missing)).toBe(0);
  });
});

describe('a sweep that is interrupted counts each copy once', () => {
  const moved = (bench: SweepBench, ...indexes: number[]): void => {
    for (const index of indexes)
      bench.homes['midland']?.putPatron(cardOf('midland', index), { email: `new${index}@midland.example` });
  };
  const missing = 7;

  test.each([
    ['', false, 23],
    [', with a row that Koha fails at', true, 2],
  ])('in slices as short as can be%s', async (_name, isBroken, slices) => {
    const bench = await open(23);
    moved(bench, 0, 5, 22);
    bench.homes['midland']?.deletePatron(cardOf('midland', missing));
    if (isBroken) bench.lender.putPatron(cardOf('midland', 3), { broken: true });
    expect(await inSlices(bench, { atMs: NOW })).toBeGreaterThan(slices);
    const { homes } = (await readSweep(redis, LENDER, false)) ?? {};
    expect(homes?.['midland']).toEqual({
      state: 'done',
      copies: 23,
      findings: {
        REFRESHED: 3,
        HOME_MISSING: 1,
        ...(isBroken ? { UNREADABLE: 1, UNCHANGED: 18 } : { UNCHANGED: 19 }),
      },
      fields_changed: 3,
      fields_kept: 0,
    });
  });

  test('where what is passed on has a limit, goes on with the copy that reached it', async () => {
    const bench = await open(10);
    moved(bench, 2, 4, 6);
    let writes = 0;
    const limited = bench.sweep({
      beforeWrite() {
        const calls = bench.calls(bench.lender).filter((call) => call === 'PUT /patrons/{patron_id}');
        if (calls.length === writes) return;
        writes = calls.length;
        // After the second write, before the next copy.
        if (writes === 2) throw new SweepPaused(NOW + 60_000);
      },
    });
    await expect(limited).rejects.toMatchObject({ name: 'SweepPaused', untilMs: NOW + 60_000 });
    expect((await readSweep(redis, LENDER, false))?.homes['midland']).toMatchObject({ copies: 4 });
    const { homes } = await bench.sweep();
    expect(homes['midland']).toMatchObject({ copies: 10, findings: { REFRESHED: 2, UNCHANGED: 8 } });
  });

  test('and what was written before a process died in the middle of a page', async () => {
    const bench = await open(10);
    moved(bench, 0, 1, 2);
    const killed = bench.sweep({
      beforeWrite() {
        const calls = bench.calls(bench.lender);
        const writes = calls.filter((call) => call === 'PUT /patrons/{patron_id}').length;
        if (writes === 2 && calls.at(-1) === 'GET /patrons/{patron_id}') throw new Error('killed');
      },
    });
    await expect(killed).rejects.toThrow('killed');
    const { homes } = await bench.sweep();
    expect(homes['midland']).toMatchObject({ copies: 10, findings: { REFRESHED: 3, UNCHANGED: 7 } });
  });
});
