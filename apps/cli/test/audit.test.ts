import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type StartedRedis, startRedis } from '@passport/testkit';
import { consortiumOf, jsonOf, passport } from './run-cli.ts';

const kohaAt = (port: number, clientSecret: string) => ({
  url: `http://127.0.0.1:${port}`,
  credentials: { clientId: 'id', clientSecret },
});
let server: StartedRedis;
let env: NodeJS.ProcessEnv;
beforeAll(async () => {
  server = await startRedis();
  env = {
    ...consortiumOf([
      { library: 'midland', ...kohaAt(9, 'f2ca1bb6-c7e9-07d0-6daf-e4687e579fce') },
      { library: 'riverside', ...kohaAt(19, '0b1f5a52-6c8e-4f0e-9a44-3d1f2f8a7c11') },
    ]),
    REDIS_URL: server.url,
  };
});
afterAll(() => server.stop());
beforeEach(() => server.call('FLUSHALL'));

const pause = (library: string, more: Parameters<typeof passport>[2] = {}, at = env) =>
  passport(['library', 'pause', library, '--until', '2h', '--reason', 'Koha upgrade'], at, more);
const listed = async (...args: readonly string[]) =>
  jsonOf(await passport(['audit', ...args, '--json'], env)) as {
    readonly acts: readonly Record<string, unknown>[];
    readonly more: boolean;
  };

describe('passport audit', () => {
  test('lists what was done with the command: who, what, where and when', async () => {
    await pause('midland');
    await passport(['library', 'resume', 'midland'], env, { user: 'root' });
    const { acts, more } = await listed('--since', '1h');
    expect(more).toBe(false);
    expect(acts).toMatchObject([
      { act: 'resume', by: 'root', source: 'cli', libraries: ['midland'], count: 1 },
      {
        act: 'pause',
        by: 'tester',
        libraries: ['midland'],
        details: { because: 'Koha upgrade', until: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) },
      },
    ]);
    expect(Math.abs(Date.parse(String(acts[0]?.['at'])) - Date.now())).toBeLessThan(10_000);
    const { out } = await passport(['audit'], env);
    expect(out).toMatch(
      /^time +by +act +at +what\n[\d-]+ [\d:]+ \S+ +root    resume  midland  as (?:home lending|lending home)\n[\d-]+ [\d:]+ \S+ +tester  pause   midland  .*until [\d-]+ [\d:]+ [A-Z]\S*, because Koha upgrade\n$/,
    );
  });

  test('by library, account, act and time, so many at most', async () => {
    await pause('midland');
    await pause('riverside', { user: 'root' });
    const libraries = async (...args: readonly string[]) =>
      (await listed(...args)).acts.flatMap((act) => act['libraries']);
    expect(await libraries('--at', 'midland')).toEqual(['midland']);
    expect(await libraries('--by', 'root')).toEqual(['riverside']);
    expect(await libraries('--act', 'resume')).toEqual([]);
    expect(await libraries('--since', '2001-01-01', '--until', '2001-01-02')).toEqual([]);
    expect(await libraries('--since', '2001-01-01T00:00Z')).toEqual(['riverside', 'midland']);
    expect(await listed('--limit', '1')).toMatchObject({ acts: [{ libraries: ['riverside'] }], more: true });
    const { out } = await passport(['audit', '--csv'], env);
    expect(out.split('\n')[0]).toBe('at,act,by,source,libraries,homes,event,result,count,details');
    expect(out.split('\n')).toHaveLength(4);
  });

  test.each([
    ['--since', 'yesterday'],
    ['--since', '2026-11-26T09:00'],
    ['--act', 'sing'],
    ['--limit', '0'],
  ])('refuses %s %s', async (...args) => {
    const { code, err } = await passport(['audit', ...args], env);
    expect([code, err]).toEqual([2, expect.stringContaining(args[0] ?? '')]);
  });

  test('has cells of CSV that no spreadsheet takes for a formula', async () => {
    await passport(['library', 'pause', 'midland', '--until', '2h', '--reason', 'x'], env, {
      user: '=HYPERLINK("u")',
    });
    const { out } = await passport(['audit', '--csv'], env);
    expect(out).toContain(`"'=HYPERLINK(""u"")"`);
  });
});

const probe = (redisUrl: string) =>
  passport(
    ['doctor', 'riverside', '--probe', '-'],
    { ...env, REDIS_URL: redisUrl },
    { input: '25678000000001\n' },
  );

test.each([
  ['refuses connections', 'redis://127.0.0.1:1', 'Redis does not answer at REDIS_URL'],
  ['is not configured', '', 'REDIS_URL is not set'],
])(
  'an act is in the log where Redis %s, and the log says that nothing else has it',
  async (_what, url, why) => {
    const good = await probe(server.url);
    const { err, out, code } = await probe(url);
    const [line, note] = err
      .trim()
      .split('\n')
      .map((text) => JSON.parse(text) as Record<string, unknown>);
    expect(line).toMatchObject({ audit: true, action: 'probe', by: 'tester' });
    expect(note).toMatchObject({ level: 'warn', left_out: 1, problem: why });
    const timeless = (text: string) => text.replace(/\d+ ms/, 'N ms');
    expect([code, timeless(out)]).toEqual([good.code, timeless(good.out)]);
    expect(good.err).not.toContain('audit view');
    expect((await listed()).acts).toMatchObject([{ act: 'probe', by: 'tester' }]);
  },
);
