import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { openReceipts, openRefreshQueue, queueRefresh } from '@passport/queue';
import { closeRedis } from '@passport/runtime';
import { leakGuard, waitFor } from '@passport/testkit';
import { startSeenWorker } from '../src/sweep/seen-worker.ts';
import { openEmptyRedis } from './empty-redis.ts';
import { LENDER, type SweepBench, cardOf, openSweep } from './sweep-bench.ts';

const own = leakGuard({ beforeEach, afterEach });
const AT_SCAN = { at_scan: true };

const { redis, log, own: ownAll, connect } = await openEmptyRedis();
const queue = ownAll(openRefreshQueue(redis));
queue.on('error', () => undefined);

interface Line {
  readonly action?: string;
  readonly findings?: readonly string[];
  readonly because?: string;
}

/** A worker that refreshes what is scanned; its lines. */
async function startWorker(
  { consortium, libraries }: SweepBench,
  isBusy: (library: string) => boolean = () => false,
  pausesMs: number[] = [],
): Promise<Line[]> {
  const lines: Line[] = [];
  const connection = await connect('refreshes');
  const note = (line: unknown): void => void lines.push(line as Line);
  const worker = startSeenWorker({
    consortium,
    connection,
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
    now: Date.now,
    log: { ...log, info: note, warn: note } as never,
  });
  own({
    async stop() {
      await worker.close();
      await closeRedis(connection);
    },
  });
  return lines;
}

const rowOf = ({ lender }: SweepBench, index: number): Readonly<Record<string, unknown>> =>
  lender.state(cardOf('midland', index)).patrons[0] ?? {};
const idOf = (bench: SweepBench, index: number): number => Number(rowOf(bench, index)['patron_id']);
const scan = (bench: SweepBench, index: number, library = LENDER) =>
  queueRefresh(queue, { library, patron_id: idOf(bench, index) });
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
    await startWorker({ ...bench, consortium: { ...bench.consortium, libraries } });
    await waitFor('the queue to be empty', async () => {
      const counts = await queue.getJobCounts('waiting', 'active', 'delayed');
      return Object.values(counts).every((count) => count === 0) || undefined;
    });
    expect(bench.lender.calls()).toEqual([]);
  });

  test('T-26 is refreshed at use, alone, by the three-way rule and with few calls', async () => {
    const bench = await open(3);
    bench.lender.putPatron(cardOf('midland', 1), { email: 'edited@riverside.example' });
    const lines = await startWorker(bench);
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
    const lines = await startWorker(bench);
    await scan(bench, 0);
    await ended(lines, 1);
    bench.homes['midland']?.putPatron(cardOf('midland', 0), { email: 'third@midland.example' });
    for (let scans = 0; scans < 5; scans += 1) await scan(bench, 0);
    expect(await queue.getJobCounts()).toMatchObject({ waiting: 0, active: 0, delayed: 0 });
    expect(rowOf(bench, 0)['email']).toBe('new0@midland.example');

    await redis.del(`{passport}:refreshes:de:${LENDER}.${idOf(bench, 0)}`);
    await scan(bench, 0);
    await ended(lines, 2);
    expect(rowOf(bench, 0)['email']).toBe('third@midland.example');
  });

  test('T-26 waits while the desks call, at both libraries', async () => {
    const bench = await open(1);
    const busy = new Set(['midland']);
    const lines = await startWorker(bench, (library) => busy.has(library));
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
    const lines = await startWorker(bench, () => false, pausesMs);
    await scan(bench, 0);
    await ended(lines, 1);
    expect(Math.max(...pausesMs)).toBeLessThan(1_000);
    expect(lines).toEqual([{ because: expect.stringMatching(/^midland: \w+$/) }]);
    expect(await queue.getJobCounts()).toMatchObject({ delayed: 1 });
    bench.homes['midland']?.clearFaults();
    await (await queue.getDelayed())[0]?.promote();
    await ended(lines, 2);
    expect(lines[1]).toMatchObject({ findings: ['REFRESHED'] });
  });

  const untilIdle = () =>
    waitFor('the queue to be empty', async () => {
      const { waiting, active } = await queue.getJobCounts();
      return waiting === 0 && active === 0 ? true : undefined;
    });

  test('is left alone where the library does not want it', async () => {
    const bench = await open(1, { sweep: '02:00' });
    const lines = await startWorker(bench);
    await scan(bench, 0);
    await untilIdle();
    expect(lines).toEqual([]);
    expect(bench.calls(bench.lender)).toEqual([]);
  });

  test('is left alone where there is none with this number, or it is the library’s own patron', async () => {
    const bench = await open(1);
    const lines = await startWorker(bench);
    // The library has taken the passport away.
    const homeKey = `midland:${bench.homes['midland']?.state().patrons[0]?.patron_id ?? 0}`;
    bench.lender.putPatron(cardOf('midland', 0), {
      extended_attributes: [{ type: 'PASSPORTED_ID', value: homeKey }],
    });
    await queueRefresh(queue, { library: LENDER, patron_id: 99_999 });
    await scan(bench, 0);
    await untilIdle();
    expect(lines).toEqual([]);
    expect(bench.calls(bench.lender)).toEqual(['GET /patrons/{patron_id}']);
    expect(bench.calls(bench.homes['midland'] ?? bench.lender)).toEqual([]);
  });

  test('T-28 is restricted and freed with home, by a restriction of the service’s own', async () => {
    const bench = await open(1, { at_scan: true, restricted: 'apply' });
    const lines = await startWorker(bench);
    for (const [index, restricted] of [true, false].entries()) {
      bench.homes['midland']?.putPatron(cardOf('midland', 0), { restricted });
      await redis.del(`{passport}:refreshes:de:${LENDER}.${idOf(bench, 0)}`);
      await scan(bench, 0);
      await ended(lines, index + 1);
      expect(rowOf(bench, 0)['restricted']).toBe(restricted);
    }
    expect(lines.map(({ findings }) => findings)).toEqual([['REFRESHED', 'HOME_RESTRICTED'], ['HOME_FREED']]);
  });

  test('T-27 is not gone because home does not show it once', async () => {
    const bench = await open(1);
    bench.homes['midland']?.deletePatron(cardOf('midland', 0));
    const lines = await startWorker(bench);
    await scan(bench, 0);
    await ended(lines, 1);
    expect(lines[0]).toMatchObject({ findings: ['HOME_MISSING'] });
    expect(rowOf(bench, 0)['email']).toBe('p0@midland.example');
  });
});

test('T-32 the line of a refresh names the home key and codes, and nothing of the patron', async () => {
  const bench = await open(1);
  const lines = await startWorker(bench);
  await scan(bench, 0);
  await ended(lines, 1);
  const text = JSON.stringify(lines);
  expect(text).toContain('"home_key":"midland:');
  expect(text).not.toMatch(/Name 0|@|midland-0/);
});
