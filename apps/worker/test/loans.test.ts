import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Consortium } from '@passport/config';
import { type OpenKohaClient, createKohaClient } from '@passport/koha-client';
import { type KohaDouble, startKohaDouble } from '@passport/koha-double';
import { openLoanDays, readLoans, settle } from '@passport/queue/statistics';
import type { Logger } from '@passport/runtime';
import type { SweepCall } from '../src/koha/sweep-calls.ts';
import { SweepPaused, type Slice } from '../src/koha/slice.ts';
import { doLoansJob } from '../src/loans/loans-job.ts';
import { openEmptyRedis } from './empty-redis.ts';

const { redis } = await openEmptyRedis();
const JOB = { kind: 'loans', library: 'riverside' } as const;
const DAY_MS = 86_400_000;
const NOW = Date.parse('2026-11-29T04:00:00Z');
const HOMES = ['midland', 'lakeside'] as const;
const BRANCHES = ['MAIN', 'SOUTH'] as const;
const TYPES = { issue: 'checkouts', renew: 'renewals', return: 'returns' } as const;
const MONTHS = ['2026-08', '2026-09', '2026-10', '2026-11'];

let koha: KohaDouble;
let client: OpenKohaClient;
beforeAll(async () => {
  koha = await startKohaDouble({ library: 'riverside', now: () => NOW });
  client = createKohaClient({
    library: 'riverside',
    url: koha.url,
    ...koha.credentials,
    timeoutMs: 5_000,
    maxInFlight: 2,
    now: () => NOW,
  });
});
afterAll(async () => {
  client.close();
  await koha.close();
});

function consortium(loans: object | null = { count: { hour: 4, minute: 0 } }): Consortium {
  const riverside = { id: 'riverside', enabled: true, loans, copy: { passportAttribute: 'PASSPORTED' } };
  const others = HOMES.map((id) => ({ id, enabled: true, loans: null }));
  return { libraries: [...others, riverside] } as unknown as Consortium;
}

const warned: unknown[] = [];
const log = { info: () => undefined, warn: (what: unknown) => warned.push(what) } as unknown as Logger;
const signal = new AbortController().signal;
const patient: Slice = { endIfOver: () => undefined, signal, end: () => undefined };

const run = (
  call: SweepCall,
  { job = 'loans.riverside.1', slice = patient, nowMs = NOW, at = consortium() } = {},
): Promise<void> =>
  doLoansJob(job, JOB, {
    consortium: at,
    redis,
    callsUntil: () => call,
    slice,
    stopping: signal,
    now: () => nowMs,
    log,
  });
const answer: SweepCall = (_library, work) => work(client);
const calls = (): number => koha.calls().filter(({ path }) => path.endsWith('/passport/loans')).length;

/** 500 loans of three months, at the desks of two branches, of the patrons of two libraries, and as many of the library's own. */
function plant(): ReadonlyMap<string, number> {
  koha.seed('empty');
  const ids = HOMES.map((home, index) => {
    const card = `2123400000009${index}`;
    const { patron_id } = koha.putPatron(card, {
      extended_attributes: [{ type: 'PASSPORTED', value: home }],
    }) as unknown as { patron_id: number };
    return [home, patron_id] as const;
  });
  const { patron_id: own } = koha.putPatron('21234000000099', {}) as unknown as { patron_id: number };
  const expected = new Map<string, number>();
  const loans = Array.from({ length: 500 }, (_, index) => {
    const [home = '', patron_id = 0] = ids[index % 2] ?? [];
    const at = new Date(NOW - DAY_MS - ((index * 7_919) % (91 * 24)) * 3_600_000).toISOString();
    const type = (['issue', 'renew', 'return', 'issue', 'return'] as const)[index % 5] ?? 'issue';
    const branch = BRANCHES[index % 3 === 0 ? 1 : 0];
    const name = [at.slice(0, 7), home, branch, TYPES[type]].join(' ');
    expected.set(name, (expected.get(name) ?? 0) + 1);
    return { at: at.replace('Z', '+00:00'), type, branch, patron_id };
  });
  koha.addLoans([...loans, ...loans.map((loan) => ({ ...loan, patron_id: own }))]);
  return expected;
}

async function counted(): Promise<ReadonlyMap<string, number>> {
  const rows = await readLoans(redis, MONTHS);
  return new Map(
    rows.flatMap(({ month, home, branch, lending: _lending, ...sums }) =>
      Object.entries(sums).flatMap(([kind, count]) =>
        count === 0 ? [] : [[[month, home, branch, kind].join(' '), count] as const],
      ),
    ),
  );
}

test('500 planted loans of three months make an exact matrix, also where runs are killed half way', async () => {
  const expected = plant();
  let killed = 0;
  for (const stop of [3, 1, 7, 2, 60]) {
    // A process that dies between two commands to Redis: whatever comes after is not done.
    let left = stop;
    const dying: SweepCall = async (_library, work) => {
      if (left === 0) throw new Error('killed');
      left -= 1;
      return work(client);
    };
    await run(dying).catch(() => (killed += 1));
  }
  expect(killed).toBeGreaterThan(2);
  expect(await counted()).toEqual(expected);
  // Two more nights, one of them with all jobs' traces lost.
  await run(answer, { job: 'loans.riverside.2' });
  await run(answer, { job: 'loans.riverside.3' });
  expect(await counted()).toEqual(expected);
  expect(settle(await readLoans(redis, MONTHS), new Map()).reduce((sum, { net }) => sum + net, 0)).toBe(0);
});

test('a run that dies in the middle of a page has counted no day twice', async () => {
  const expected = plant();
  const countSome: SweepCall = async (_library, work) => {
    const page = await work(client);
    // The first days of the page are counted, as by a worker that died then.
    const { rows, until } = page as unknown as { rows: { day: string }[]; until: string | null };
    const days = [...new Set(rows.map(({ day }) => day))].slice(0, 5);
    for (const day of days)
      await openLoanDays(redis, 'riverside').count(day, rows.filter((row) => row.day === day) as never);
    if (until !== null && days.length > 0) throw new Error('killed');
    return page;
  };
  for (let night = 0; night < 3; night += 1) await run(countSome).catch(() => undefined);
  await run(answer);
  expect(await counted()).toEqual(expected);
});

test('what a Koha wrote late is counted within ten days, and not after', async () => {
  plant();
  await run(answer);
  const before = await counted();
  const { patron_id } = koha.putPatron('21234000000090', {}) as unknown as { patron_id: number };
  const late = { type: 'issue', branch: 'MAIN', patron_id } as const;
  koha.addLoans([
    { ...late, at: '2026-11-20T10:00:00+00:00' },
    { ...late, at: '2026-11-10T10:00:00+00:00' },
  ]);
  const sent = calls();
  await run(answer, { job: 'loans.riverside.2' });
  expect(calls() - sent).toBe(1);
  const name = '2026-11 midland MAIN checkouts';
  expect((await counted()).get(name)).toBe((before.get(name) ?? 0) + 1);
});

test('a slice that is over goes on where it ended', async () => {
  const expected = plant();
  let slices = 0;
  const short: Slice = {
    ...patient,
    endIfOver: () => {
      throw new SweepPaused(0);
    },
  };
  const sent = calls();
  for (; slices < 50; slices += 1) {
    const isOver = await run(answer, { slice: short }).then(
      () => true,
      () => false,
    );
    if (isOver) break;
  }
  expect(await counted()).toEqual(expected);
  expect(calls() - sent).toBeLessThanOrEqual(13);
});

test('a library can count its own lending only: its own patrons are no visitors, and strange homes are one', async () => {
  const page = {
    rows: ['elsewhere', 'midland', 'riverside'].map((home) => ({
      day: '2026-11-28',
      home,
      branch: 'MAIN',
      checkouts: 1,
      renewals: 0,
      returns: 0,
    })),
    until: '2026-11-28',
    next: null,
  };
  let asked = 0;
  await run((_library, work) => {
    asked += 1;
    const empty = { rows: [], until: null, next: null };
    return work({ readLoans: () => Promise.resolve(asked === 1 ? page : empty) } as never);
  });
  expect((await readLoans(redis, MONTHS)).map(({ home, lending }) => [home, lending])).toEqual([
    ['*', 'riverside'],
    ['midland', 'riverside'],
  ]);
});

test('where it cannot be counted nothing is, and the reason is logged', async () => {
  for (const said of [null, 'no_statistics'] as const) {
    await run((_library, work) => work({ readLoans: () => Promise.resolve(said) } as never));
  }
  expect(warned.slice(-2)).toEqual([
    { lending: 'riverside', code: 'no_plugin' },
    { lending: 'riverside', code: 'no_statistics' },
  ]);
  await run(() => Promise.reject(new Error('nobody is called')), { at: consortium(null) });
  expect(await redis.hget('{passport}:schedules:done', 'loans.riverside')).toBeNull();
});
