import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { readControl } from '@passport/queue/processes';
import { type Redis, closeRedis, createLogger, createRedis, untilRedisReady } from '@passport/runtime';
import { type StartedRedis, startRedis } from '@passport/testkit';
import { consortiumOf, jsonOf, passport } from './run-cli.ts';

let server: StartedRedis;
let redis: Redis;
let env: NodeJS.ProcessEnv;
beforeAll(async () => {
  server = await startRedis();
  redis = createRedis(server.url, {
    role: 'reader',
    log: createLogger({ name: 'test', level: 'silent' }),
    name: 'test',
  });
  await untilRedisReady(redis, 5_000);
  const koha = { url: 'http://127.0.0.1:9', credentials: { clientId: 'id', clientSecret: 'secret' } };
  env = { ...consortiumOf([{ library: 'midland', ...koha }]), REDIS_URL: server.url };
});
afterAll(async () => {
  await closeRedis(redis);
  await server.stop();
});
beforeEach(() => server.call('FLUSHALL'));

const pause = (until: string, ...more: string[]) =>
  passport(['library', 'pause', 'midland', '--until', until, '--reason', 'Koha upgrade', ...more], env);
const kept = async () => (await readControl(redis)).pauses;

test('a library is paused on both sides until a time, with an audit of who did it and why', async () => {
  const { code, out, err } = await pause('2h');
  const pauses = await kept();
  const untilMs = pauses[0]?.until_ms ?? 0;
  expect(code).toBe(0);
  expect(Math.abs(untilMs - Date.now() - 7_200_000)).toBeLessThan(60_000);
  expect(pauses.map(({ side }) => side).toSorted()).toEqual(['home', 'lending']);
  expect(pauses[0]).toMatchObject({ library: 'midland', reason: 'Koha upgrade', by: 'tester' });
  expect(out).toMatch(/^midland: paused until [\d-]+ [\d:]+ \S+, in (?:1 hour|2 hours)\n$/);
  expect(JSON.parse(err)).toMatchObject({
    audit: true,
    action: 'pause',
    by: 'tester',
    library: 'midland',
    as: ['home', 'lending'],
    because: 'Koha upgrade',
  });
});

test('--as pauses and resumes one side, and a time may have any offset', async () => {
  const inAYear = new Date(Date.now() + 300 * 86_400_000).toISOString().slice(0, 10);
  expect(jsonOf(await pause(`${inAYear}T18:00+01:00`, '--as', 'home', '--json'))).toEqual({
    library: 'midland',
    as: ['home'],
    until: `${inAYear}T17:00:00.000Z`,
    reason: 'Koha upgrade',
  });
  const resume = (...args: string[]) => passport(['library', 'resume', 'midland', ...args], env);
  expect(await resume('--as', 'lending')).toMatchObject({ code: 1, out: 'midland: was not paused\n' });
  expect(await resume()).toMatchObject({ code: 0, out: 'midland: resumed as home library\n' });
  expect(await kept()).toEqual([]);
});

test('a window of the configuration is named by resume, which does not end it', async () => {
  const [from, until] = [-3_600_000, 3_600_000].map((afterMs) =>
    new Date(Date.now() + afterMs).toISOString(),
  );
  const koha = { url: 'http://127.0.0.1:9', credentials: { clientId: 'id', clientSecret: 'secret' } };
  const windows = [{ from, until, as: 'lending', reason: 'move' }];
  const planned = consortiumOf([{ library: 'midland', ...koha, change: { windows } }]);
  const args = ['library', 'resume', 'midland'];
  expect(await passport(args, { ...planned, REDIS_URL: server.url })).toMatchObject({
    code: 1,
    out: expect.stringMatching(
      /^midland: was not paused\na planned window goes on: paused as lending library until [\d-]+ [\d:]+ \S+, in \d+ minutes \(move\)\n$/,
    ),
  });
  await pause('2h', '--as', 'home');
  const { code, out } = await passport([...args, '--json'], { ...planned, REDIS_URL: server.url });
  expect({ code, ...(JSON.parse(out) as object) }).toEqual({
    code: 0,
    library: 'midland',
    resumed: ['home'],
    planned: [{ side: 'lending', until, reason: 'move' }],
  });
});

test.each([
  ['a word', 'tomorrow', '--until must be a time with its offset'],
  ['a time without an offset', '2026-12-24T18:00', '--until must be a time with its offset'],
  ['a time that is past', '2020-01-01T00:00Z', '--until is not in the future'],
  ['no time at all', '0s', '--until is not in the future'],
  ['a time far away', '999d', '--until is more than 366 days away'],
])('%s is refused, and pauses nothing', async (_what, until, sentence) => {
  const { code, err } = await pause(until);
  expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining(sentence) });
  expect(await kept()).toEqual([]);
});

test('a reason of two lines and a library that nobody knows are refused', async () => {
  const pauseWith = (id: string, reason: string) =>
    passport(['library', 'pause', id, '--until', '2h', '--reason', reason], env);
  expect(await pauseWith('midland', 'one\ntwo')).toMatchObject({
    code: 2,
    err: expect.stringContaining('--reason'),
  });
  expect(await pauseWith('nowhere', 'why')).toMatchObject({
    code: 2,
    err: expect.stringContaining('midland'),
  });
  expect(await kept()).toEqual([]);
});
