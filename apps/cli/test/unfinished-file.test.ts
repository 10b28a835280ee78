import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readControl } from '@passport/queue/processes';
import { type Redis, closeRedis, createLogger, createRedis, untilRedisReady } from '@passport/runtime';
import { type StartedRedis, startRedis } from '@passport/testkit';
import { jsonOf, passport } from './run-cli.ts';

/** Somebody is editing the file, and something else cannot wait. */
const WHOLE = `
consortium: Test Libraries
agreements: all
libraries:
  - id: midland
    name: Midland Public Library
    koha: {url: https://midland.example, client_id: {env: ID}, client_secret: {env: SECRET}}
    copy: {category: PT}
  - id: "riverside"
    name: Riverside
    koha: {url: https://riverside.example, client_id: {env: ID}, client_secret: {env: SECRET}}
    copy: {category: PT}
`;
const FAULTS = {
  'a wrong value and a key without its own': WHOLE.replace(
    'copy: {category: PT}',
    'copy: {categry: PT}\n    windows: 7',
  ),
  'a missing bracket': WHOLE.replace('{env: SECRET}}', '{env: SECRET}'),
  'a tab': WHOLE.replace('    name: Midland', '\tname: Midland'),
  'a key that has only begun': WHOLE.replace('agreements: all\n', 'agreements: all\nlibra'),
};

let server: StartedRedis;
let redis: Redis;
beforeAll(async () => {
  server = await startRedis();
  const log = createLogger({ name: 'test', level: 'silent' });
  redis = createRedis(server.url, { role: 'reader', log, name: 'test' });
  await untilRedisReady(redis, 5_000);
});
afterAll(async () => {
  await closeRedis(redis);
  await server.stop();
});
const run = (text: string, ...args: readonly string[]) =>
  passport(args, { PASSPORT_CONFIG: 'test.yaml', 'FILE test.yaml': text, REDIS_URL: server.url });

test.each(Object.entries(FAULTS))(
  'with %s in the file a library is paused, with a warning',
  async (_what, text) => {
    const paused = await run(
      text,
      'library',
      'pause',
      'riverside',
      '--until',
      '2h',
      '--reason',
      'Koha upgrade',
    );
    expect(paused).toMatchObject({ code: 0, out: expect.stringContaining('riverside: paused until') });
    expect(paused.err).toMatch(/^the configuration has \d problems?, and this command goes on without: /);
    expect(paused.err).not.toContain('not in the audit view');
    expect((await readControl(redis)).pauses.map(({ library }) => library)).toEqual([
      'riverside',
      'riverside',
    ]);
    expect(await run(text, 'library', 'resume', 'riverside')).toMatchObject({ code: 0 });
  },
);

test.each([
  ['events', 'list'],
  ['events', 'retry', '--outcome', 'MISCONFIGURED', '--since', '2h'],
  ['audit', '--since', '1d'],
  ['stats'],
  ['stats', '--loans'],
  ['status', '--all'],
  ['copies', 'export', '--of', 'midland'],
])('with an unfinished file passport %s %s goes on', async (...args: readonly string[]) => {
  for (const text of Object.values(FAULTS)) {
    const { out, err } = await run(text, ...args, '--json');
    expect(err).toContain('(passport config check lists all)');
    expect(
      () => JSON.parse(out.split('\n')[0] === '{' ? out : (out.split('\n')[0] ?? '')) as unknown,
    ).not.toThrow();
  }
});

test('a library that the file does not name is still none', async () => {
  const { code, err } = await run(
    FAULTS['a tab'],
    'library',
    'pause',
    'seaside',
    '--until',
    '2h',
    '--reason',
    'x',
  );
  expect(code).toBe(2);
  expect(err).toContain('there is no library "seaside"; the configuration has midland, riverside');
});

test('the names of the libraries that can be read are said, and of the others the ids', async () => {
  const { out } = await run(FAULTS['a wrong value and a key without its own'], 'status', '--all');
  expect(out).toContain('midland');
});

test('what changes a Koha, or the processes, takes a whole file only', async () => {
  for (const args of [
    ['config', 'reload'],
    ['config', 'check'],
    ['doctor'],
    ['copies', 'list', '--at', 'midland'],
    ['events', 'retry', '--outcome', 'MISCONFIGURED', '--since', '2h', '--apply'],
  ]) {
    const { code, out, err } = await run(FAULTS['a tab'], ...args);
    expect([args, code, `${out}${err}`]).toEqual([args, 1, expect.stringContaining('The configuration has')]);
  }
});

test('without REDIS_URL, or without the file, nothing goes on', async () => {
  const noRedis = { PASSPORT_CONFIG: 'test.yaml', 'FILE test.yaml': FAULTS['a tab'] };
  expect(await passport(['events', 'list'], noRedis)).toMatchObject({ code: 1, out: '' });
  const noFile = { PASSPORT_CONFIG: 'other.yaml', REDIS_URL: server.url };
  expect(await passport(['events', 'list'], noFile)).toMatchObject({ code: 1, out: '' });
});

test('a whole file needs no warning', async () => {
  const apply = ['events', 'retry', '--outcome', 'MISCONFIGURED', '--since', '2h', '--apply'];
  expect(await run(WHOLE, ...apply)).toMatchObject({ code: 0, out: 'nothing to retry\n', err: '' });
  expect(jsonOf(await run(WHOLE, 'events', 'list', '--json'))).toEqual({ events: [] });
  expect((await run(WHOLE, 'events', 'list')).err).toBe('');
});
