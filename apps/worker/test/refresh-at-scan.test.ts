import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { openReceipts, openSeenCopies } from '@passport/queue/copies';
import { readWorklist } from '@passport/queue/sweeps';
import { leakGuard, waitFor } from '@passport/testkit';
import { readTimings } from '../src/sources.ts';
import { startSeenWorker } from '../src/sweep/seen-worker.ts';
import { SweepPaused } from '../src/koha/slice.ts';
import { openEmptyRedis } from './empty-redis.ts';
import { LENDER, type SweepBench, cardOf, openSweep } from './sweep-bench.ts';

const own = leakGuard({ beforeEach, afterEach });
const AT_SCAN = { at_scan: true };

const { redis, log } = await openEmptyRedis();
const seenCopies = openSeenCopies(redis);
const waitingKey = (library = LENDER): string => `{passport}:seen:${library}`;

interface Line {
  readonly action?: string;
  readonly lending?: string;
  readonly findings?: readonly string[];
  readonly because?: string;
}

type Bench = Pick<SweepBench, 'consortium' | 'libraries'>;

/** A worker that refreshes what is scanned; its lines. */
const startWorker = (...how: Parameters<typeof startSeen>): Line[] => startSeen(...how).lines;

function startSeen(
  { consortium, libraries }: Bench,
  isBusy: (library: string) => boolean = () => false,
  pausesMs: number[] = [],
): { readonly lines: Line[]; readonly worker: ReturnType<typeof startSeenWorker> } {
  const lines: Line[] = [];
  const note = (line: unknown): void => void lines.push(line as Line);
  const worker = startSeenWorker({
    consortium,
    redis,
    libraries,
    receipts: openReceipts(redis),
    keys: [{ reveal: () => Buffer.alloc(32, 7) }] as never,
    isBusy,
    pause(ms) {
      pausesMs.push(ms);
      return new Promise((resolve) => setImmediate(resolve));
    },
    monotonicNow: () => performance.now(),
    timings: { ...readTimings(), lookForSeenMs: 20 },
    now: Date.now,
    log: { ...log, info: note, warn: note } as never,
  });
  own({ stop: () => worker.close() });
  return { lines, worker };
}

const rowOf = ({ lender }: SweepBench, index: number): Readonly<Record<string, unknown>> =>
  lender.state(cardOf('midland', index)).patrons[0] ?? {};
const idOf = (bench: SweepBench, index: number): number => Number(rowOf(bench, index)['patron_id']);
const homeKeyOf = ({ homes }: SweepBench, index: number): string =>
  `midland:${String(homes['midland']?.state(cardOf('midland', index)).patrons[0]?.['patron_id'])}`;
/** The service has made this copy. */
async function record(library: string, patronId: number, homeKey: string): Promise<void> {
  const of = { home: 'midland', lending: library, homeKey, fields: ['surname', 'email', 'city'] };
  const receipt = { ...of, at: '', eventId: `evt_${patronId}`, patronId };
  await openReceipts(redis).append(receipt, Date.now(), 60_000);
}
const scan = (bench: SweepBench, index: number, library = LENDER): Promise<boolean> =>
  seenCopies.note({ library, patron_id: idOf(bench, index) });
/** As if it was scanned the last time a day ago. */
const nextDay = (bench: SweepBench, index: number): Promise<unknown> =>
  redis.zrem(`{passport}:seen-today:${LENDER}`, String(idOf(bench, index)));
/** What failed is due again. */
async function inQuarterOfAnHour(): Promise<void> {
  for (const key of [waitingKey(), '{passport}:seen-libraries']) {
    const [member = ''] = await redis.zrange(key, '0', '0');
    await redis.zincrby(key, -15 * 60_000, member);
  }
}
/** Nothing waits any more, and nobody works on what did. */
const untilIdle = () =>
  waitFor('nothing to wait', async () => {
    const kept = await redis.exists(waitingKey(), '{passport}:seen-libraries', '{passport}:seen-working');
    return kept === 0 || undefined;
  });
const ended = (lines: readonly Line[], count: number) =>
  waitFor('the copies to be refreshed', () => Promise.resolve(lines.length >= count || undefined));

async function open(copies: number, refresh: object = AT_SCAN): Promise<SweepBench> {
  const bench = own(await openSweep(['midland'], redis, { refresh }));
  for (let index = 0; index < copies; index += 1) {
    bench.put('midland', index);
    bench.homes['midland']?.putPatron(cardOf('midland', index), { email: `new${index}@midland.example` });
  }
  await bench.recordCopies();
  return bench;
}

describe('a copy that is scanned', () => {
  test('is left alone where the lending library was shut out since', async () => {
    const bench = await open(1);
    const libraries = bench.consortium.libraries.map((each) => ({ ...each, enabled: each.id !== LENDER }));
    await scan(bench, 0);
    bench.lender.clearCalls();
    startWorker({ ...bench, consortium: { ...bench.consortium, libraries } });
    await untilIdle();
    expect(bench.lender.calls()).toEqual([]);
  });

  test('gets the number that its patron has at home since two records were merged there', async () => {
    const bench = await open(1);
    const { midland } = bench.homes;
    const card = cardOf('midland', 0);
    const person = { firstname: 'Ada', date_of_birth: '1990-02-03' };
    bench.put('midland', 0, { remembered: person });
    bench.lender.putPatron(card, person);
    midland?.putPatron('kept', { surname: 'Name 0', ...person, category_id: 'AD', library_id: 'MAIN' });
    const before = homeKeyOf(bench, 0);
    midland?.mergePatron(card, 'kept');
    midland?.putPatron('kept', { cardnumber: card });
    const lines = startWorker(bench);
    await scan(bench, 0);
    await ended(lines, 2);
    const after = homeKeyOf(bench, 0);
    expect(after).not.toBe(before);
    expect(lines).toMatchObject([
      { action: 'rekey', home_key: after, former_key: before },
      { action: 'refresh', home_key: after, findings: ['REKEYED'] },
    ]);
    expect(rowOf(bench, 0)['extended_attributes']).toContainEqual(
      expect.objectContaining({ type: 'PASSPORTED_ID', value: after }),
    );
  });

  test('that home has restricted is one to look at, until it is not any more', async () => {
    const bench = await open(1);
    bench.homes['midland']?.putPatron(cardOf('midland', 0), { restricted: true });
    const lines = startWorker(bench);
    await scan(bench, 0);
    await ended(lines, 1);
    const toLookAt = async () => (await readWorklist(redis, LENDER)).items.map(({ finding }) => finding);
    expect(await toLookAt()).toEqual(['HOME_RESTRICTED']);
    bench.homes['midland']?.putPatron(cardOf('midland', 0), { restricted: false });
    await nextDay(bench, 0);
    await scan(bench, 0);
    await ended(lines, 2);
    expect(await toLookAt()).toEqual([]);
  });

  test('T-26 is refreshed at use, alone, by the three-way rule and with few calls', async () => {
    const bench = await open(3);
    bench.lender.putPatron(cardOf('midland', 1), { email: 'edited@riverside.example' });
    const lines = startWorker(bench);
    await scan(bench, 0);
    await scan(bench, 1);
    await ended(lines, 2);
    expect(lines.map(({ action, findings }) => [action, findings])).toEqual(
      expect.arrayContaining([
        ['refresh', ['REFRESHED']],
        ['refresh', ['KEPT_LOCAL']],
      ]),
    );
    expect([0, 1, 2].map((index) => rowOf(bench, index)['email'])).toEqual([
      'new0@midland.example',
      'edited@riverside.example',
      'p2@midland.example',
    ]);
    const { midland } = bench.homes;
    expect(midland === undefined ? [] : bench.calls(midland)).toEqual(['GET /patrons', 'GET /patrons']);
    // The copy and what is remembered of each; of the one that is written the copy again, the change, and its memory.
    expect(bench.calls(bench.lender)).toHaveLength(2 + 2 + 3);
  });

  test('T-26 is refreshed once a day, however often it is scanned', async () => {
    const bench = await open(1);
    const lines = startWorker(bench);
    await scan(bench, 0);
    await ended(lines, 1);
    bench.homes['midland']?.putPatron(cardOf('midland', 0), { email: 'third@midland.example' });
    for (let scans = 0; scans < 5; scans += 1) await scan(bench, 0);
    await untilIdle();
    expect(rowOf(bench, 0)['email']).toBe('new0@midland.example');

    await nextDay(bench, 0);
    await scan(bench, 0);
    await ended(lines, 2);
    expect(rowOf(bench, 0)['email']).toBe('third@midland.example');
  });

  test('T-26 waits while the desks call, at both libraries', async () => {
    const bench = await open(1);
    const busy = new Set(['midland']);
    const lines = startWorker(bench, (library) => busy.has(library));
    await scan(bench, 0);
    await waitFor('the copy to be read', () =>
      Promise.resolve(bench.calls(bench.lender).length > 0 || undefined),
    );
    expect(bench.calls(bench.homes['midland'] ?? bench.lender)).toEqual([]);
    busy.clear();
    await ended(lines, 1);
    expect(rowOf(bench, 0)['email']).toBe('new0@midland.example');
  });

  test('T-26 tries again later where home does not answer, keeps nobody waiting, and says so in codes', async () => {
    const bench = await open(1);
    bench.homes['midland']?.addFaults([{ operation: '*', times: 99, kind: 'reset_before' }]);
    const pausesMs: number[] = [];
    const lines = startWorker(bench, () => false, pausesMs);
    await scan(bench, 0);
    await ended(lines, 1);
    expect(Math.max(...pausesMs)).toBeLessThan(1_000);
    expect(lines).toEqual([{ because: expect.stringMatching(/^midland: \w+$/) }]);
    bench.homes['midland']?.clearFaults();
    await inQuarterOfAnHour();
    await ended(lines, 2);
    expect(lines[1]).toMatchObject({ findings: ['REFRESHED'] });
  });

  test('is left alone where the library does not want it', async () => {
    const bench = await open(1, { sweep: '02:00' });
    const lines = startWorker(bench);
    await scan(bench, 0);
    await untilIdle();
    expect(lines).toEqual([]);
    expect(bench.calls(bench.lender)).toEqual([]);
  });

  test('is left alone where there is none with this number, or it is the library’s own patron', async () => {
    const bench = await open(1);
    const lines = startWorker(bench);
    // The library has taken the passport away.
    bench.lender.putPatron(cardOf('midland', 0), {
      extended_attributes: [{ type: 'PASSPORTED_ID', value: homeKeyOf(bench, 0) }],
    });
    await record(LENDER, 99_999, 'midland:99999');
    await seenCopies.note({ library: LENDER, patron_id: 99_999 });
    await scan(bench, 0);
    await untilIdle();
    expect(lines).toEqual([]);
    expect(bench.calls(bench.lender)).toEqual(Array(2).fill('GET /patrons/{patron_id}'));
    expect(bench.calls(bench.homes['midland'] ?? bench.lender)).toEqual([]);
  });

  test('T-28 is restricted and freed with home, by a restriction of the service’s own', async () => {
    const bench = await open(1, { at_scan: true, restricted: 'apply' });
    const lines = startWorker(bench);
    for (const [index, restricted] of [true, false].entries()) {
      bench.homes['midland']?.putPatron(cardOf('midland', 0), { restricted });
      await nextDay(bench, 0);
      await scan(bench, 0);
      await ended(lines, index + 1);
      expect(rowOf(bench, 0)['restricted']).toBe(restricted);
    }
    expect(lines.map(({ findings }) => findings)).toEqual([
      ['REFRESHED', 'HOME_RESTRICTED'],
      ['HOME_RESTRICTION_LIFTED'],
    ]);
  });

  test('T-27 is not gone because home does not show it once', async () => {
    const bench = await open(1);
    bench.homes['midland']?.deletePatron(cardOf('midland', 0));
    const lines = startWorker(bench);
    await scan(bench, 0);
    await ended(lines, 1);
    expect(lines[0]).toMatchObject({ findings: ['HOME_MISSING'] });
    expect(rowOf(bench, 0)['email']).toBe('p0@midland.example');
  });
});

describe('copies of several libraries', () => {
  test('are refreshed before what waits at a library that is slow', async () => {
    const bench = await open(60);
    const { midland } = bench.homes;
    const copy = midland?.putPatron('riverside-1', {
      extended_attributes: [
        { type: 'PASSPORTED', value: LENDER },
        { type: 'PASSPORTED_ID', value: `${LENDER}:1` },
      ],
    });
    const patronId = Number(copy?.patron_id);
    await record('midland', patronId, `${LENDER}:1`);
    bench.lender.addFaults([{ operation: 'GET /patrons/{patron_id}', times: 999, kind: 'delay', ms: 400 }]);
    const lines = startWorker(bench);
    for (let index = 0; index < 60; index += 1) await scan(bench, index);
    await ended(lines, 2);

    expect(await seenCopies.note({ library: 'midland', patron_id: patronId })).toBe(true);
    await waitFor('the copy at the other library', () =>
      Promise.resolve(lines.some(({ lending }) => lending === 'midland') || undefined),
    );

    expect(await redis.zcard(waitingKey())).toBeGreaterThan(30);
  });

  test('wait for the next worker where theirs stops, as ones that were not tried', async () => {
    const bench = await open(2);
    const busy = new Set([LENDER]);
    const stopping = startSeen(bench, (library) => busy.has(library));
    await scan(bench, 0);
    await scan(bench, 1);
    await waitFor(
      'a copy to be worked on',
      async () => (await redis.zcard('{passport}:seen-working')) || undefined,
    );
    await stopping.worker.close();
    expect(stopping.lines).toEqual([]);

    busy.clear();
    const lines = startWorker(bench);
    await ended(lines, 2);

    expect(lines.map(({ findings }) => findings)).toEqual([['REFRESHED'], ['REFRESHED']]);
    await untilIdle();
  });

  test('wait with those of their library while it has had as many values as it may within the hour', async () => {
    const bench = await open(2);
    const untilMs = Date.now() + 1_800_000;
    const call: SweepBench['libraries']['callForSweep'] = () => Promise.reject(new SweepPaused(untilMs));
    const full = startSeen({ ...bench, libraries: { ...bench.libraries, callForSweep: call } });
    await scan(bench, 0);
    await scan(bench, 1);
    await waitFor('the library to rest', async () => {
      const until = Number(await redis.zscore('{passport}:seen-working', LENDER));
      return until > Date.now() + 60_000 || undefined;
    });
    await full.worker.close();
    expect(full.lines).toEqual([]);
    expect(await redis.zcard(waitingKey())).toBe(2);

    const lines = startWorker(bench);
    await redis.zadd('{passport}:seen-working', 'XX', Date.now(), LENDER);
    await ended(lines, 2);

    expect(lines.map(({ findings }) => findings)).toEqual([['REFRESHED'], ['REFRESHED']]);
  });
});

test('T-32 the line of a refresh names the home key and codes, and nothing of the patron', async () => {
  const bench = await open(1);
  const lines = startWorker(bench);
  await scan(bench, 0);
  await ended(lines, 1);
  const text = JSON.stringify(lines);
  expect(text).toContain('"home_key":"midland:');
  expect(text).not.toMatch(/Name 0|@|midland-0/);
});
