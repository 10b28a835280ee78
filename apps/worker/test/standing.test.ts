import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { openReceipts, openSeenCopies, readReceipts } from '@passport/queue/copies';
import { leakGuard, waitFor } from '@passport/testkit';
import { readTimings } from '../src/sources.ts';
import { SweepPaused } from '../src/koha/slice.ts';
import { startSeenWorker } from '../src/sweep/seen-worker.ts';
import { openEmptyRedis } from './empty-redis.ts';
import { LENDER, type SweepBench, cardOf, openSweep } from './sweep-bench.ts';

const own = leakGuard({ beforeEach, afterEach });
const { redis, log } = await openEmptyRedis();

const ENTRY = { refresh: { sweep: '02:00', at_scan: true }, eligibility: { max_debt: 50 } };
const open = async (standing: string, more: object = {}, copies = 1): Promise<SweepBench> => {
  const bench = own(await openSweep(['midland'], redis, { ...ENTRY, standing, ...more }));
  for (let index = 0; index < copies; index += 1) bench.put('midland', index);
  return bench;
};
const atHome = (bench: SweepBench, index: number, values: Readonly<Record<string, unknown>>): void =>
  void bench.homes['midland']?.putPatron(cardOf('midland', index), values);
const copyOf = ({ lender }: SweepBench, index: number) => {
  const row = lender.state(cardOf('midland', index)).patrons[0];
  if (row === undefined) throw new Error('no copy');
  return row;
};
const shownOf = (bench: SweepBench, index = 0) =>
  bench.lender.state().copies.find(({ patron_id: id }) => id === copyOf(bench, index).patron_id)?.standing;
const restrictionsOf = (bench: SweepBench, index = 0) =>
  ((copyOf(bench, index)['restrictions'] ?? []) as { type: string; comment: string }[]).map(
    ({ type, comment }) => [type, comment],
  );
const OWES = { account_balance: 400, incorrect_address: true };
const SETTLED = { account_balance: 0, incorrect_address: null };
const BAD = ['ADDRESS_UNCONFIRMED', 'DEBT_OVER_LIMIT'];
const RESTRICTED = [
  [
    'PASSPORT_STANDING',
    'Patron Passport: not in good standing at midland (ADDRESS_UNCONFIRMED, DEBT_OVER_LIMIT)',
  ],
];

describe('the standing of a copy in the sweep', () => {
  test('is what a first scan would say today, shown with its reasons, and restricts nobody where it is reported', async () => {
    const bench = await open('report', {}, 2);
    atHome(bench, 0, OWES);
    const { homes } = await bench.sweep();
    expect(homes['midland']?.findings).toMatchObject({
      NOT_ELIGIBLE: 1,
      ADDRESS_UNCONFIRMED: 1,
      DEBT_OVER_LIMIT: 1,
    });
    expect(shownOf(bench, 0)).toEqual({ is_good: false, reasons: BAD, home_name: 'midland library' });
    expect(shownOf(bench, 1)).toEqual({ is_good: true, reasons: [], home_name: 'midland library' });
    expect(restrictionsOf(bench)).toEqual([]);
    expect(JSON.stringify(bench.lender.state().copies)).not.toContain('400');
    const again = await bench.sweep({ atMs: Date.now() + 1 });
    expect(again.homes['midland']).toMatchObject({ fields_changed: 0, findings: { NOT_ELIGIBLE: 1 } });
  });

  test('leaves with a receipt when it is news, and with none when it is not', async () => {
    const bench = await open('report');
    const told = async (): Promise<number> => {
      let count = 0;
      for await (const { fields } of readReceipts(redis)) if (fields.includes('standing')) count += 1;
      return count;
    };
    await bench.sweep();
    expect(await told()).toBe(1);
    await bench.sweep({ atMs: Date.now() + 1 });
    expect(await told()).toBe(1);
    atHome(bench, 0, OWES);
    await bench.sweep({ atMs: Date.now() + 2 });
    expect(await told()).toBe(2);
  });

  test('holds nothing against the patron that staff have overridden at the first scan, until that lapses', async () => {
    const override = { soft: ['max_debt', 'address_unconfirmed'], for: '90d' };
    const bench = await open('restrict', { eligibility: { max_debt: 50, override } }, 0);
    const at = new Date();
    const made = { because: 'SETTLED_AT_HOME', operator: 5, at: at.toISOString() };
    const until = new Date(at.getTime() + 90 * 86_400_000).toISOString();
    bench.put('midland', 0, { receipt: { override: { ...made, reasons: BAD, until } } });
    bench.put('midland', 1, { receipt: { override: { ...made, reasons: ['DEBT_OVER_LIMIT'], until } } });
    bench.put('midland', 2, { receipt: { override: { ...made, reasons: BAD, until: made.at } } });
    for (const index of [0, 1, 2]) atHome(bench, index, OWES);
    await bench.sweep();
    expect(restrictionsOf(bench, 0)).toEqual([]);
    expect(shownOf(bench, 0)).toMatchObject({ is_good: true });
    expect(restrictionsOf(bench, 1)).toEqual([
      ['PASSPORT_STANDING', 'Patron Passport: not in good standing at midland (ADDRESS_UNCONFIRMED)'],
    ]);
    expect(restrictionsOf(bench, 2)).toEqual(RESTRICTED);
  });

  test('restricts the copy with the reasons, follows them, and is lifted when all is settled', async () => {
    const bench = await open('restrict');
    atHome(bench, 0, OWES);
    await bench.sweep();
    expect(restrictionsOf(bench)).toEqual(RESTRICTED);
    expect(copyOf(bench, 0)['restricted']).toBe(true);
    atHome(bench, 0, { account_balance: 0 });
    await bench.sweep({ atMs: Date.now() + 1 });
    expect(restrictionsOf(bench)).toEqual([
      ['PASSPORT_STANDING', 'Patron Passport: not in good standing at midland (ADDRESS_UNCONFIRMED)'],
    ]);
    atHome(bench, 0, SETTLED);
    const { homes } = await bench.sweep({ atMs: Date.now() + 2 });
    expect(homes['midland']?.findings).toMatchObject({ ELIGIBLE_AGAIN: 1 });
    expect(restrictionsOf(bench)).toEqual([]);
    expect(copyOf(bench, 0)['restricted']).toBe(false);
  });

  test('lifts nothing that staff did', async () => {
    const bench = await open('restrict');
    bench.lender.putPatron(cardOf('midland', 0), { restricted: true });
    await bench.sweep();
    expect(copyOf(bench, 0)['restricted']).toBe(true);
  });

  test('a fact that home does not show restricts nobody and frees nobody', async () => {
    const bench = await open('restrict', { eligibility: { max_debt: 50, min_age: 18 } }, 2);
    atHome(bench, 0, { ...OWES, date_of_birth: '1990-01-01' });
    atHome(bench, 1, { date_of_birth: '1990-01-01' });
    await bench.sweep();
    atHome(bench, 0, { ...SETTLED, date_of_birth: null });
    atHome(bench, 1, { date_of_birth: null });
    await bench.sweep({ atMs: Date.now() + 1 });
    expect(restrictionsOf(bench, 0)).toEqual(RESTRICTED);
    expect(restrictionsOf(bench, 1)).toEqual([]);
    expect(shownOf(bench, 1)).toMatchObject({ is_good: false, reasons: ['UNVERIFIABLE'] });
  });

  test('names no reasons where the library does not want its desks to see them', async () => {
    const bench = await open('restrict', { eligibility: { max_debt: 50, show_reasons: false } });
    atHome(bench, 0, OWES);
    const { homes } = await bench.sweep();
    expect(shownOf(bench)).toEqual({ is_good: false, reasons: [], home_name: 'midland library' });
    expect(restrictionsOf(bench)).toEqual([
      ['PASSPORT_STANDING', 'Patron Passport: not in good standing at midland'],
    ]);
    expect(Object.keys(homes['midland']?.findings ?? {})).not.toContain('DEBT_OVER_LIMIT');
  });

  test('is only shown where the library requests consent, and of nobody who was not asked', async () => {
    const consent = {
      copy: { category: 'PT', consent: 'ask', consent_text: { id: 'v1', text: 'May we?' } },
    };
    const bench = own(await openSweep(['midland'], redis, { ...ENTRY, ...consent, standing: 'restrict' }));
    bench.put('midland', 0, {
      receipt: { consent: { text_id: 'v1', operator: 1, at: '2026-11-20T10:00:00.000Z' } },
    });
    bench.put('midland', 1);
    for (const index of [0, 1]) atHome(bench, index, OWES);
    await bench.sweep();
    expect(shownOf(bench, 0)).toMatchObject({ reasons: BAD });
    expect(shownOf(bench, 1)).toBeNull();
    expect([0, 1].map((index) => restrictionsOf(bench, index))).toEqual([[], []]);
  });

  test('is no business of a home that the service has no record of, or that has given the number to somebody else', async () => {
    const bench = own(await openSweep(['midland'], redis, { ...ENTRY, standing: 'restrict' }));
    bench.put('midland', 0, { receipt: null });
    bench.put('midland', 1);
    atHome(bench, 0, OWES);
    bench.homes['midland']?.putPatron(cardOf('midland', 1), {
      ...OWES,
      cardnumber: 'another-card',
      surname: 'Else',
      firstname: 'Somebody',
    });
    bench.lender.putPatron(cardOf('midland', 1), { firstname: 'Ada' });
    await bench.sweep();
    expect([0, 1].map((index) => shownOf(bench, index))).toEqual([null, null]);
    expect([0, 1].map((index) => restrictionsOf(bench, index))).toEqual([[], []]);
  });

  test('that is switched off takes back what was told and set', async () => {
    const bench = await open('restrict');
    atHome(bench, 0, OWES);
    await bench.sweep();
    expect(restrictionsOf(bench)).toEqual(RESTRICTED);
    const libraries = bench.consortium.libraries.map((each) => ({ ...each, standing: 'off' as const }));
    await bench.sweep({ atMs: Date.now() + 1, consortium: { ...bench.consortium, libraries } });
    expect(shownOf(bench)).toBeNull();
    expect(restrictionsOf(bench)).toEqual([]);
  });

  test('is none where the two libraries have no agreement any more, without a call to home', async () => {
    const bench = await open('restrict');
    await bench.sweep();
    const { agreements } = bench.consortium;
    const ended = {
      ...bench.consortium,
      agreements: { ...agreements, at: () => [], homesAt: () => new Set<string>() },
    };
    for (const home of Object.values(bench.homes)) home.clearCalls();
    await bench.sweep({ atMs: Date.now() + 1, consortium: ended, homeIds: [] });
    expect(shownOf(bench)).toMatchObject({ is_good: false, reasons: ['NO_AGREEMENT'] });
    expect(restrictionsOf(bench)).toEqual([
      ['PASSPORT_STANDING', 'Patron Passport: not in good standing at midland (NO_AGREEMENT)'],
    ]);
    expect(bench.homes['midland'] && bench.calls(bench.homes['midland'])).toEqual([]);
  });

  test('is none of many, a slice at a time: a worker is held by no page of them', async () => {
    const bench = await open('restrict', {}, 3);
    await bench.sweep();
    const { agreements } = bench.consortium;
    const ended = {
      ...bench.consortium,
      agreements: { ...agreements, at: () => [], homesAt: () => new Set<string>() },
    };
    const how = { atMs: Date.now() + 1, consortium: ended, homeIds: [] };
    const restricted = (): number => [0, 1, 2].filter((at) => restrictionsOf(bench, at).length > 0).length;
    for (const done of [1, 2]) {
      const endSlice = (): void => {
        if (restricted() === done) throw new SweepPaused(0);
      };
      await expect(bench.sweep({ ...how, endSlice })).rejects.toThrow(SweepPaused);
      expect(restricted()).toBe(done);
    }
    const { homes } = await bench.sweep(how);
    expect(restricted()).toBe(3);
    expect(homes['midland']?.findings).toEqual({ HOME_UNKNOWN: 3 });
  });

  test('says nothing of a home that is shut out, nor of a record in a category of the library itself', async () => {
    const bench = await open('restrict', {}, 2);
    await bench.sweep();
    const { agreements } = bench.consortium;
    const ended = {
      ...bench.consortium,
      agreements: { ...agreements, at: () => [], homesAt: () => new Set<string>() },
    };
    const libraries = ended.libraries.map((each) => ({ ...each, enabled: each.id !== 'midland' }));
    await bench.sweep({ atMs: Date.now() + 1, consortium: { ...ended, libraries }, homeIds: [] });
    expect(restrictionsOf(bench, 0)).toEqual([]);
    bench.lender.putPatron(cardOf('midland', 1), { category_id: 'ST' });
    await bench.sweep({ atMs: Date.now() + 2, consortium: ended, homeIds: [] });
    expect([restrictionsOf(bench, 0).length, restrictionsOf(bench, 1)]).toEqual([1, []]);
    expect(shownOf(bench, 1)).toMatchObject({ is_good: true });
  });

  test('is taken back of whom nobody asked, where the library requests consent from now on', async () => {
    const bench = await open('restrict');
    atHome(bench, 0, OWES);
    await bench.sweep();
    expect(restrictionsOf(bench)).toEqual(RESTRICTED);
    const consent = { textId: 'v1', text: 'May we?' } as never;
    const libraries = bench.consortium.libraries.map((each) => ({
      ...each,
      copy: { ...each.copy, consent },
    }));
    await bench.sweep({ atMs: Date.now() + 1, consortium: { ...bench.consortium, libraries } });
    expect([shownOf(bench), restrictionsOf(bench)]).toEqual([null, []]);
  });

  test('a dry run says what would be told, and tells nothing', async () => {
    const bench = await open('restrict');
    atHome(bench, 0, OWES);
    const { homes } = await bench.sweep({ dryRun: true });
    expect(homes['midland']).toMatchObject({ fields_changed: 1, findings: { NOT_ELIGIBLE: 1 } });
    expect(shownOf(bench)).toBeNull();
    expect(restrictionsOf(bench)).toEqual([]);
  });

  test('is done by the next run where one died between the restriction and its memory', async () => {
    const bench = await open('restrict');
    atHome(bench, 0, OWES);
    const operation = 'PUT /contrib/passport/copies/{patron_id}';
    bench.lender.addFaults([{ operation, kind: 'status', status: 503, times: 50 }]);
    await bench.sweep().catch(() => undefined);
    bench.lender.clearFaults();
    await bench.sweep({ atMs: Date.now() + 1 });
    expect(restrictionsOf(bench)).toEqual(RESTRICTED);
    expect(shownOf(bench)).toMatchObject({ reasons: BAD });
  });
});

describe('the standing of a copy at a visit', () => {
  const startWorker = ({ consortium, libraries }: SweepBench): unknown[] => {
    const lines: unknown[] = [];
    const note = (line: unknown): void => void lines.push(line);
    const worker = startSeenWorker({
      consortium,
      redis,
      libraries,
      receipts: openReceipts(redis),
      keys: [{ reveal: () => Buffer.alloc(32, 7) }] as never,
      isBusy: () => false,
      pause: () => new Promise((resolve) => setImmediate(resolve)),
      monotonicNow: () => performance.now(),
      timings: { ...readTimings(), lookForSeenMs: 20 },
      now: Date.now,
      log: { ...log, info: note, warn: note } as never,
    });
    own({ stop: () => worker.close() });
    return lines;
  };
  const visit = async (bench: SweepBench): Promise<boolean> => {
    const { patron_id } = copyOf(bench, 0);
    // As if the last visit was more than a minute ago.
    await redis.zincrby(`{passport}:seen-today:${LENDER}`, -61_000, String(patron_id));
    return openSeenCopies(redis).note({ library: LENDER, patron_id }, true);
  };
  const untilShown = (bench: SweepBench, isGood: boolean) =>
    waitFor('the standing to be told', () =>
      Promise.resolve((shownOf(bench) as { is_good?: boolean } | null)?.is_good === isGood || undefined),
    );

  test('is checked at each one: the debt of the morning restricts, and what is paid at noon frees in the afternoon', async () => {
    const bench = await open('restrict');
    await bench.recordCopies();
    startWorker(bench);
    atHome(bench, 0, OWES);
    await visit(bench);
    await untilShown(bench, false);
    expect(restrictionsOf(bench)).toEqual(RESTRICTED);
    atHome(bench, 0, SETTLED);
    await visit(bench);
    await untilShown(bench, true);
    expect(restrictionsOf(bench)).toEqual([]);
  });

  test('stays as it was known, with its age, where home does not answer', async () => {
    const bench = await open('restrict');
    atHome(bench, 0, OWES);
    await bench.sweep();
    atHome(bench, 0, SETTLED);
    bench.homes['midland']?.addFaults([
      { operation: 'GET /patrons', kind: 'status', status: 503, times: 50 },
    ]);
    const lines = startWorker(bench);
    await visit(bench);
    await waitFor('the visit to be over', () => Promise.resolve(lines.length > 0 || undefined));
    expect(shownOf(bench)).toMatchObject({ reasons: BAD });
    expect(restrictionsOf(bench)).toEqual(RESTRICTED);
  });

  test('names no home key but the one on record, whatever somebody has entered in the copy', async () => {
    const bench = await open('report');
    await bench.recordCopies();
    const lines = startWorker(bench);
    const entered = (value: string) =>
      bench.lender.putPatron(cardOf('midland', 0), {
        extended_attributes: [
          { type: 'PASSPORTED', value: 'midland' },
          { type: 'PASSPORTED_ID', value },
        ],
      });
    entered('Jane Doe, Elm Street 4:1988');
    await visit(bench);
    await waitFor('the first visit to be over', async () =>
      (await redis.zcard(`{passport}:seen:${LENDER}`)) === 0 ? true : undefined,
    );
    entered('2000123456789:5');
    await visit(bench);
    await waitFor('the second visit to be over', () => Promise.resolve(lines.length > 0 || undefined));
    expect(JSON.stringify(lines)).toContain('NOT_ON_RECORD');
    const kept = await redis.hgetall(`{passport}:findings:${LENDER}`);
    expect(JSON.stringify([lines, kept])).not.toMatch(/Jane|2000123456789/);
  });

  test('of a scan that waits only the last is worked on', async () => {
    const bench = await open('report');
    await bench.recordCopies();
    await visit(bench);
    const [member = ''] = await redis.zrange(`{passport}:seen:${LENDER}`, '0', '0');
    const [id, notedMs, tries] = member.split(' ');
    await redis.zadd(`{passport}:seen:${LENDER}`, 1, `${id} ${Number(notedMs) - 61_000} ${tries}`);
    await redis.zrem(`{passport}:seen:${LENDER}`, member);
    await visit(bench);
    expect(await redis.zcard(`{passport}:seen:${LENDER}`)).toBe(1);
  });
});
