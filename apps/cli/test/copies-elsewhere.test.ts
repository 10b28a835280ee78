import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openReceipts } from '@passport/queue/copies';
import { writeOwed } from '@passport/queue/sweeps';
import { type Redis, closeRedis, createLogger, createRedis, untilRedisReady } from '@passport/runtime';
import { type StartedRedis, startRedis } from '@passport/testkit';
import { consortiumOf, jsonOf, passport } from './run-cli.ts';

const DAY_MS = 86_400_000;
const MADE = Date.parse('2026-11-01T10:00:00.000Z');
let server: StartedRedis;
let redis: Redis;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  server = await startRedis();
  const log = createLogger({ name: 'test', level: 'silent' });
  redis = createRedis(server.url, { role: 'reader', log, name: 'test' });
  await untilRedisReady(redis, 5_000);
  const koha = { url: 'http://127.0.0.1:9', credentials: { clientId: 'id', clientSecret: 'secret' } };
  env = {
    ...consortiumOf([
      { library: 'midland', ...koha },
      { library: 'riverside', ...koha, url: 'http://127.0.0.1:8' },
      { library: 'lakeside', ...koha, url: 'http://127.0.0.1:7' },
    ]),
    REDIS_URL: server.url,
    PASSPORT_KEY: randomBytes(32).toString('base64'),
  };
  await copy('midland:2', 'riverside', 402, MADE);
  await copy('midland:2', 'lakeside', 17, MADE + DAY_MS);
  await copy('midland:10', 'riverside', 403, MADE);
  await copy('riverside:2', 'lakeside', 18, MADE);
  const row = { overdues: 1, amount: 350, over_since_ms: null, restricted: false };
  const reading = { read_ms: MADE + 2 * DAY_MS, rows: { 'midland:2': row }, unconfirmed: 0 };
  await writeOwed(redis, 'riverside', new Map([['midland', reading]]));
});
afterAll(async () => {
  await closeRedis(redis);
  await server.stop();
});

async function copy(homeKey: string, lending: string, patronId: number, atMs: number): Promise<void> {
  const at = new Date(atMs).toISOString();
  const [home = ''] = homeKey.split(':');
  const fields = ['surname', 'email'];
  const receipt = { home, lending, homeKey, patronId, at, fields, eventId: `evt_${lending}_${patronId}` };
  await openReceipts(redis).append(receipt, atMs, 400 * DAY_MS);
}

const run = (...args: string[]) => passport(['copies', 'elsewhere', '--of', 'midland', ...args], env);

test("lists where the patrons of a home library have copies, with the totals, and nobody else's", async () => {
  const { code, out, err } = await run();
  expect(code).toBe(0);
  expect(out).toBe(
    [
      'patron  lending    since       last passed on  overdue  amount  fields',
      '     2  lakeside   2026-11-02  2026-11-02            -       -  email surname',
      '     2  riverside  2026-11-01  2026-11-01            1    3.50  email surname',
      '    10  riverside  2026-11-01  2026-11-01            0    0.00  email surname',
      'lakeside: 1 copy, 0 overdue, 0.00',
      'riverside: 2 copies, 1 overdue, 3.50',
      '',
    ].join('\n'),
  );
  expect(err).toContain('"action":"copies_elsewhere"');
  expect(out).not.toMatch(/402|403/);
});

test('lists one patron, or those who owe something at one library', async () => {
  expect(jsonOf(await run('--patron', '2', '--json'))).toMatchObject({
    copies: [
      { patron_id: 2, lending: 'riverside', owed: { overdues: 1, amount: '3.50' } },
      { patron_id: 2, lending: 'lakeside', owed: null },
    ],
  });
  expect(jsonOf(await run('--patron', '3', '--json'))).toMatchObject({ copies: [] });
  const { out } = await run('--owing', '--at', 'riverside', '--csv');
  expect(out.trim().split('\n')).toEqual([
    'patron_id,lending,since,last_passed_on,fields,overdues,amount,read_at',
    '2,riverside,2026-11-01T10:00:00.000Z,2026-11-01T10:00:00.000Z,email surname,1,3.50,2026-11-03T10:00:00.000Z',
  ]);
});

test('the audit names the libraries that have copies, and no number of nobody', async () => {
  const audited = async (...args: string[]): Promise<unknown> => JSON.parse((await run(...args)).err);
  expect(await audited('--patron', '10')).toMatchObject({ home_key: 'midland:10', lending: ['riverside'] });
  expect(await audited('--patron', '2123400017')).toMatchObject({ home: 'midland', lending: [] });
  expect((await run('--patron', '2123400017')).err).not.toContain('2123400017');
  expect((await run('--patron', '21234000000017')).code).toBe(2);
});

test('a library that is none, and a number that is none, are wrong use', async () => {
  expect((await passport(['copies', 'elsewhere', '--of', 'nowhere'], env)).code).toBe(2);
  expect((await run('--patron', 'Okafor')).code).toBe(2);
});
