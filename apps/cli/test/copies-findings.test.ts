import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { noteFindings } from '@passport/queue/copies';
import { closeRedis, createLogger, createRedis, type Redis, untilRedisReady } from '@passport/runtime';
import { type CopiesBench, startCopiesBench } from './copies-fixture.ts';
import { jsonOf, passport } from './run-cli.ts';

const LIST = ['copies', 'findings', '--at', 'riverside'];

describe('copies findings', () => {
  let bench: CopiesBench;
  let redis: Redis;
  beforeAll(async () => {
    bench = await startCopiesBench();
    redis = createRedis(bench.redis.url, {
      role: 'producer',
      log: createLogger({ name: 'test', level: 'silent' }),
      name: 'test',
    });
    await untilRedisReady(redis, 5_000);
  });
  beforeEach(() => redis.flushall());
  afterAll(async () => {
    await closeRedis(redis);
    await bench.close();
  });
  const note = (patronId: number, open: readonly string[]) =>
    noteFindings(redis, 'riverside', [{ patronId, homeKey: `midland:${patronId}`, open }], Date.now());
  const list = async (...more: string[]) => {
    const ran = await bench.run([...LIST, ...more, '--json']);
    return { ...ran, list: jsonOf(ran) as { findings: Record<string, unknown>[]; kept: number } };
  };

  test('lists each with its number, what it means, what to do, and the commands that fit', async () => {
    expect(await list()).toMatchObject({ code: 0, list: { findings: [], swept_at: null } });
    await note(402, ['HOME_GONE', 'HOME_RESTRICTED', 'OF_A_LATER_VERSION']);
    const { code, list: found } = await list();
    expect(code).toBe(1);
    expect(found.findings).toHaveLength(2);
    expect(found.findings[0]).toMatchObject({
      patron_id: 402,
      home_key: 'midland:402',
      finding: 'HOME_GONE',
      new: true,
      says: 'the patron has left the home library',
      advice: 'delete the copy, or release it if the patron stays here',
      commands: [
        'passport copies delete --at riverside --gone',
        'passport copies release 402 --at riverside',
        'passport copies findings --at riverside --keep 402',
      ],
      url: null,
    });
    const text = await bench.run(LIST);
    expect(text.out).toMatch(/HOME_GONE 1: the patron has left the home library\n {2}to do: delete the copy/);
    expect(text.out).toMatch(/ {2}new {2}402 {2}midland:402 {2}\d{4}-/);
  });

  test('--keep takes them off the list, with a line of the audit each', async () => {
    await note(402, ['HOME_RESTRICTED']);
    await note(403, ['HOME_RESTRICTED']);
    const { code, err, list: found } = await list('--keep', '402', '9');
    expect([code, found.findings.map(({ patron_id: id }) => id), found.kept]).toEqual([1, [403], 1]);
    const lines = err.split('\n').filter((line) => line.startsWith('{'));
    expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
      {
        audit: true,
        action: 'copies_findings',
        by: 'tester',
        lending: 'riverside',
        patron_id: 402,
        result: 'kept',
      },
    ]);
    expect(err).toContain('nothing is open of patron 9');
    expect((await list('--keep', '403')).code).toBe(0);
    expect((await list('--kept')).list.findings.map(({ kept }) => kept)).toEqual([true, true]);
    expect(await bench.run([...LIST, '--keep', 'Okafor'])).toMatchObject({ code: 2 });
  });

  test('links to the staff interface, where the configuration names it', async () => {
    await note(402, ['HOME_GONE']);
    const env = bench.env({
      defaults: { koha: { staff_url: 'https://Staff.riverside.example/' }, copy: { category: 'PT' } },
    });
    const ran = jsonOf(await passport([...LIST, '--json'], env));
    expect(ran).toMatchObject({
      findings: [
        {
          url: 'https://staff.riverside.example/cgi-bin/koha/members/moremember.pl?borrowernumber=402',
        },
      ],
      link: null,
    });
  });

  test('leads to the page of the list, where the dashboard has an address', async () => {
    const env = bench.env({ public: { dashboard: 'https://passport.example.org' } });
    const link = 'https://passport.example.org/libraries/riverside/findings';
    expect((await passport(LIST, env)).out).toBe('nothing is open\n');
    await note(402, ['HOME_GONE']);
    expect((await passport(LIST, env)).out).toMatch(new RegExp(`\n {2}more: ${link}\n$`));
    expect(jsonOf(await passport([...LIST, '--json'], env))).toMatchObject({ link });
  });
});
