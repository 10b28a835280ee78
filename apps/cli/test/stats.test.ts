import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type Redis, closeRedis, createLogger, createRedis, untilRedisReady } from '@passport/runtime';
import { type StartedRedis, startRedis } from '@passport/testkit';
import { consortiumOf, jsonOf, passport } from './run-cli.ts';

let server: StartedRedis;
let redis: Redis;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  server = await startRedis();
  const log = createLogger({ name: 'test', level: 'silent' });
  redis = createRedis(server.url, { role: 'reader', log, name: 'test' });
  await untilRedisReady(redis, 5_000);
  const koha = { url: 'http://127.0.0.1:9', credentials: { clientId: 'id', clientSecret: 'secret' } };
  const loans = { count: '04:00' };
  env = {
    ...consortiumOf([
      { library: 'midland', ...koha, change: { loans } },
      { library: 'riverside', ...koha, url: 'http://127.0.0.1:8', change: { loans } },
    ]),
    REDIS_URL: server.url,
    PASSPORT_KEY: randomBytes(32).toString('base64'),
  };
});
afterAll(async () => {
  await closeRedis(redis);
  await server.stop();
});
beforeEach(async () => {
  await server.call('FLUSHALL');
  await count('2026-10', 'riverside', { 'midland COPIED': 4, 'midland CHECKED_OUT': 3 });
  await count('2026-11', 'riverside', {
    'midland COPIED': 12,
    'midland ALREADY_LOCAL': 2,
    'midland CHECKED_OUT': 9,
    'midland NOT_ELIGIBLE': 1,
    'midland EXPIRED': 1,
    '- NOT_FOUND': 5,
  });
  await count('2026-11', 'lakeside', {
    'midland COPIED': 1,
    'midland HOME_UNREACHABLE': 1,
    'midland OBSERVED': 3,
  });
});

/** What workers have counted. */
async function count(month: string, lending: string, counts: Record<string, number>): Promise<void> {
  await redis.sadd(`{passport}:statistics:${month}`, lending);
  await redis.hset(`{passport}:statistics:${month}:${lending}`, counts);
}

const AUTUMN = ['--since', '2026-10', '--until', '2026-11'];

test('stats prints a table by month, with the reasons', async () => {
  const { code, out } = await passport(['stats', ...AUTUMN], env);

  expect(code).toBe(0);
  expect(out).toBe(
    [
      'month    scans  copies  already local  checkouts  declined  refusals  failures  observed  by reason',
      '2026-10      4       4              0          3         0         0         0         0',
      '2026-11     25      13              2          9         0         6         1         3  NOT_FOUND 5, NOT_ELIGIBLE 1, HOME_UNREACHABLE 1 (not eligible: EXPIRED 1)',
      '',
    ].join('\n'),
  );
});

test.each([
  [
    80,
    ['stats', '--since', '2026-10', '--until', '2026-10'],
    [
      'month    scans  copies  checkouts',
      '2026-10      4       4          3',
      'left out, with nothing in it: already local, declined, refusals, failures,',
      '  observed, by reason',
    ],
  ],
  [
    80,
    ['stats', ...AUTUMN],
    [
      '                        already',
      'month    scans  copies    local  checkouts  refusals  failures  observed',
      '2026-10      4       4        0          3         0         0         0',
      '2026-11     25      13        2          9         6         1         3',
      '  NOT_FOUND 5, NOT_ELIGIBLE 1, HOME_UNREACHABLE 1 (not eligible: EXPIRED 1)',
      'left out, with nothing in it: declined',
    ],
  ],
  [
    60,
    ['stats', '--since', '2026-11', '--until', '2026-11', '--by', 'home,lending'],
    [
      '-  riverside',
      '  scans 5, refusals 5',
      '  NOT_FOUND 5',
      'midland  lakeside',
      '  scans 5, copies 1, failures 1, observed 3',
      '  HOME_UNREACHABLE 1',
      'midland  riverside',
      '  scans 15, copies 12, already local 2, checkouts 9,',
      '    refusals 1',
      '  NOT_ELIGIBLE 1 (not eligible: EXPIRED 1)',
      'left out, with nothing in it: declined',
    ],
  ],
])('stats fits a terminal of %d columns', async (columns, args, lines) => {
  const { out } = await passport(args, env, { isTerminal: true, hasColors: false, columns });

  expect(out.split('\n')).toEqual([...lines, '']);
});

test('stats lists by month, home and lending library, in this order whatever is typed', async () => {
  const ran = await passport(['stats', '--by', 'lending, home,month', ...AUTUMN, '--json'], env);

  const { by, months, rows } = jsonOf(ran) as { by: unknown; months: unknown; rows: object[] };
  expect({ by, months }).toEqual({ by: ['month', 'home', 'lending'], months: ['2026-10', '2026-11'] });
  expect(rows).toHaveLength(4);
  expect(rows[3]).toEqual({
    month: '2026-11',
    home: 'midland',
    lending: 'riverside',
    scans: 15,
    copies: 12,
    already_local: 2,
    checkouts: 9,
    declined: 0,
    refusals: 1,
    failures: 0,
    observed: 0,
    by_outcome: { NOT_ELIGIBLE: 1 },
    by_reason: { EXPIRED: 1 },
    by_override: {},
  });
});

test('stats counts one lending or one home library only', async () => {
  const sums = async (...args: string[]) =>
    (
      jsonOf(await passport(['stats', '--by', 'lending', ...args, ...AUTUMN, '--json'], env)) as {
        rows: { lending: string; scans: number }[];
      }
    ).rows.map(({ lending, scans }) => [lending, scans]);

  expect(await sums('--at', 'lakeside')).toEqual([['lakeside', 5]]);
  expect(await sums('--of', 'midland')).toEqual([
    ['lakeside', 5],
    ['riverside', 19],
  ]);
  expect(await sums('--of', 'hillside')).toEqual([]);
});

test('stats --csv prints a header and one line for each row', async () => {
  const { out } = await passport(['stats', '--by', 'lending', ...AUTUMN, '--csv'], env);

  const [header = '', ...lines] = out.trimEnd().split('\n');
  expect(header).toMatch(
    /^lending,scans,copies,already_local,checkouts,declined,refusals,failures,observed,NOT_FOUND,/,
  );
  expect(lines.map((line) => line.split(',').slice(0, 4))).toEqual([
    ['lakeside', '5', '1', '0'],
    ['riverside', '24', '16', '2'],
  ]);
});

test('stats of months without scans is no failure', async () => {
  const ran = await passport(['stats', '--since', '2020-01', '--until', '2020-03'], env);

  expect(ran).toMatchObject({ code: 0, out: 'no scan ended in these months\n' });
});

test('stats covers the last twelve months by the clock of Redis, unless others are named', async () => {
  const { months } = jsonOf(await passport(['stats', '--json'], env)) as { months: string[] };

  expect(months).toHaveLength(12);
  expect(months.at(-1)).toBe(new Date().toISOString().slice(0, 7));
});

test('stats refuses months in the wrong order', async () => {
  const ran = await passport(['stats', '--since', '2026-11', '--until', '2026-10'], env);

  expect(ran).toMatchObject({ code: 2, out: '', err: 'passport: --since is later than --until\n' });
});

test('stats count what the desk cancelled, or the patron did not agree to, as declined and not as refused', async () => {
  const chosen = ['CANCELLED', 'CONSENT_REFUSED', 'CONSENT_LAPSED', 'CONSENT_AT_DESK'];
  await count('2026-09', 'riverside', Object.fromEntries(chosen.map((code) => [`midland ${code}`, 1])));
  const ran = await passport(['stats', '--since', '2026-09', '--until', '2026-09', '--json'], env);
  expect(jsonOf(ran)).toMatchObject({ rows: [{ scans: 4, declined: 4, refusals: 0, failures: 0 }] });
});

describe('stats --loans', () => {
  const field = (home: string, branch: string, kind: string): string => JSON.stringify([home, branch, kind]);
  beforeEach(async () => {
    const lend = async (lending: string, counts: Record<string, number>): Promise<void> => {
      await redis.sadd('{passport}:loans:2026-10', lending);
      await redis.hset(`{passport}:loans:2026-10:${lending}`, counts);
    };
    await lend('riverside', {
      [field('midland', 'MAIN', 'checkouts')]: 7,
      [field('midland', 'SOUTH', 'checkouts')]: 2,
      [field('midland', 'SOUTH', 'returns')]: 8,
    });
    await lend('midland', { [field('riverside', 'CENTRE', 'checkouts')]: 4 });
    await redis.hset('{passport}:loan-days:riverside', { through: '2026-11-28', closed: '2026-11-18' });
  });

  test('lists them with what each library lent, and how far they are counted', async () => {
    const { code, out } = await passport(['stats', '--loans', '--by', 'month,home,lending', ...AUTUMN], env);
    expect(code).toBe(0);
    expect(out).toBe(
      [
        'month    home       lending    checkouts  renewals  returns',
        '2026-10  midland    riverside          9         0        8',
        '2026-10  riverside  midland            4         0        0',
        '',
        'library    lent  borrowed  net',
        'riverside     9         4    5',
        'midland       4         9   -5',
        'midland: counted through no day yet',
        'riverside: counted through 2026-11-28',
        '',
      ].join('\n'),
    );
  });

  test('lists them by branch, of one lending library', async () => {
    const ran = await passport(
      ['stats', '--loans', '--by', 'branch', '--at', 'riverside', ...AUTUMN, '--json'],
      env,
    );
    expect(jsonOf(ran)).toMatchObject({
      rows: [
        { branch: 'MAIN', checkouts: 7 },
        { branch: 'SOUTH', checkouts: 2, returns: 8 },
      ],
      counted_through: { riverside: '2026-11-28', midland: null },
    });
  });

  test('prints a settlement that adds up', async () => {
    const { out } = await passport(['stats', '--loans', '--csv', ...AUTUMN], env);
    expect(out.trim().split('\n')).toEqual([
      'month,home,lending,checkouts,renewals,returns,net,state',
      '2026-10,midland,riverside,9,0,8,5,open',
      '2026-10,riverside,midland,4,0,0,-5,open',
    ]);
  });

  test('is the only list by branch', async () => {
    const { code, err } = await passport(['stats', '--by', 'branch', ...AUTUMN], env);
    expect([code, err]).toEqual([2, expect.stringContaining('--by branch needs --loans')]);
  });
});
