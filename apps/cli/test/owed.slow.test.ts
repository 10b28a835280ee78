import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { type KohaDouble, startKohaDouble } from '@passport/koha-double';
import { type OwedReading, writeOwed } from '@passport/queue/sweeps';
import { closeRedis, createLogger, createRedis, untilRedisReady, type Redis } from '@passport/runtime';
import { REMEMBERED_SOON, type Services, startRedis, startServices, waitFor } from '@passport/testkit';
import { jsonOf, passport, webhookSecretOf } from './run-cli.ts';

const CARD = '21234000000017';
const log = createLogger({ name: 'test', level: 'silent' });

let stopAll: (() => Promise<unknown>)[] = [];
let midland: KohaDouble;
let riverside: KohaDouble;
let services: Services;
let redis: Redis;
beforeAll(async () => {
  const server = await startRedis();
  [midland, riverside] = (await Promise.all(
    ['midland', 'riverside'].map((library) => startKohaDouble({ library, seed: 'empty' })),
  )) as [KohaDouble, KohaDouble];
  const served = (double: KohaDouble, entry: Readonly<Record<string, unknown>>) => ({
    id: double.library,
    kohaUrl: double.url,
    ...double.credentials,
    webhookSecret: webhookSecretOf(double.library),
    cards: [],
    entry,
  });
  services = await startServices({
    redisUrl: server.url,
    env: REMEMBERED_SOON,
    libraries: [served(midland, {}), served(riverside, { owed: { read: '03:30' } })],
    keys: {
      agreements: [
        { home: 'midland', lending: 'riverside', recourse: { block_home_over: 10 } },
        { home: 'riverside', lending: 'midland' },
      ],
    },
  });
  redis = createRedis(server.url, { role: 'producer', log, name: 'test' });
  await untilRedisReady(redis, 2_000);
  stopAll = [
    () => closeRedis(redis),
    () => services.stop(),
    () => midland.close(),
    () => riverside.close(),
    () => server.stop(),
  ];
});
beforeEach(() => writeOwed(redis, 'riverside', new Map()));
afterAll(async () => {
  for (const stop of stopAll) await stop();
});

const fromDisk = { readFile: (path: string) => readFileSync(path, 'utf8') };
const run = (...args: string[]) => passport(['owed', ...args], services.env, { input: '', ...fromDisk });

const reading = (changes: Partial<OwedReading> = {}): OwedReading => ({
  read_ms: Date.now(),
  rows: {
    'midland:8': { overdues: 2, amount: 1250, over_since_ms: 1, restricted: true },
    'midland:12': { overdues: 0, amount: 5, over_since_ms: null, restricted: false },
  },
  unconfirmed: 0,
  ...changes,
});
const stored = (one: OwedReading) => writeOwed(redis, 'riverside', new Map([['midland', one]]));

test('what the last reading found is listed by home key, as a table and as JSON', async () => {
  await stored(reading());
  const table = await run('--of', 'midland');
  expect(table.out.split('\n').slice(0, 3)).toEqual([
    'lending    home key    overdue  amount  at home',
    'riverside  midland:8         2   12.50  restricted',
    'riverside  midland:12        0    0.05',
  ]);
  expect(table.out).toMatch(/^riverside: read [\d-]+ [\d:]+ \S+, [^,]+, restricted at home over 10\.00$/m);
  expect([table.code, table.err]).toEqual([0, expect.stringContaining('"action":"owed"')]);
  expect(jsonOf(await run('--of', 'midland', '--at', 'riverside', '--json'))).toEqual({
    home: 'midland',
    libraries: [
      {
        lending: 'riverside',
        read_at: expect.stringMatching(/Z$/),
        block_home_over: '10.00',
        unconfirmed: 0,
        patrons: [
          { home_key: 'midland:8', overdues: 2, amount: '12.50', restricted: true },
          { home_key: 'midland:12', overdues: 0, amount: '0.05', restricted: false },
        ],
      },
    ],
  });
});

test('copies that no receipt knows are named as left out', async () => {
  await stored(reading({ rows: {}, unconfirmed: 3 }));
  const { out, err, code } = await run('--of', 'midland');
  expect([code, out]).toEqual([0, expect.stringContaining('nothing is owed\n')]);
  expect(err).toContain('riverside: 3 copies left out');
});

test('a lending library that was not read for long, or never, ends it with 1', async () => {
  await stored(reading({ read_ms: Date.now() - 37 * 3_600_000 }));
  expect((await run('--of', 'midland')).code).toBe(1);
  await writeOwed(redis, 'riverside', new Map());
  const never = await run('--of', 'midland');
  expect([never.code, never.out]).toEqual([1, expect.stringContaining('riverside: not read yet')]);
});

test('says so to a home library whose lending libraries let it know nothing', async () => {
  const { out, err, code } = await run('--of', 'riverside');
  expect([code, out]).toEqual([0, 'nothing is owed\n']);
  expect(err).toContain('no lending library lets this home library know (owed: off)');
});

test.each([
  ['no home library', []],
  ['an unknown one', ['--of', 'midlant']],
  ['an unknown lending library', ['--of', 'midland', '--at', 'nowhere']],
])('%s is wrong use', async (_what, args) => {
  expect((await run(...args)).code).toBe(2);
});

test('a worker reads it now: what a copy owes, and nothing of what it is owed for', async () => {
  midland.putPatron(CARD, { surname: 'Planted-Okafor', category_id: 'AD' });
  const copied = await passport(
    ['send', '--at', 'riverside', '--card', '-', '--wait', '--json'],
    { ...services.env, PASSPORT_RECEIVER: services.receivers[0]?.url ?? '' },
    { input: `${CARD}\n`, ...fromDisk },
  );
  expect(jsonOf(copied)).toMatchObject({ state: { outcome: 'COPIED' } });
  const copy = await waitFor('the copy to be remembered', () => riverside.state().copies[0]);
  riverside.putPatron(CARD, { account_balance: 12.5 });
  riverside.putItem('PLANTED-BARCODE', {
    checked_out_to: CARD,
    due_date: '2020-01-31T23:59:00+00:00',
    biblio: { title: 'A planted title', author: 'Nobody' },
  });
  const { out, err, code } = await run('--of', 'midland', '--read', '--json');
  expect([code, JSON.parse(out)]).toMatchObject([
    0,
    {
      libraries: [
        { patrons: [{ home_key: copy.home_key, overdues: 1, amount: '12.50', restricted: false }] },
      ],
    },
  ]);
  const kept = JSON.stringify(await redis.hgetall('{passport}:owed:riverside'));
  for (const text of [out, err, kept]) expect(text).not.toMatch(/planted/i);

  riverside.putSettings({ plugin: false });
  await writeOwed(redis, 'riverside', new Map());
  const none = await run('--of', 'midland', '--read');
  expect([none.code, none.err]).toEqual([1, expect.stringContaining('its Koha has no plugin')]);
});
