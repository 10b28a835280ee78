import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openSweepQueue } from '@passport/queue/sweeps';
import { closeRedis, createLogger, createRedis } from '@passport/runtime';
import { type KohaDouble, startKohaDouble } from '@passport/koha-double';
import { REMEMBERED_SOON, type Services, startRedis, startServices, waitFor } from '@passport/testkit';
import { jsonOf, passport, webhookSecretOf } from './run-cli.ts';

const QUIET = createLogger({ name: 'test', level: 'silent' });
const CARD = '21234000000017';

let stopAll: (() => Promise<unknown>)[] = [];
let midland: KohaDouble;
let riverside: KohaDouble;
let services: Services;
beforeAll(async () => {
  const redis = await startRedis();
  [midland, riverside] = (await Promise.all(
    ['midland', 'riverside'].map((library) => startKohaDouble({ library, seed: 'empty' })),
  )) as [KohaDouble, KohaDouble];
  const served = (double: KohaDouble, entry: object) => ({
    id: double.library,
    kohaUrl: double.url,
    ...double.credentials,
    webhookSecret: webhookSecretOf(double.library),
    cards: [],
    entry: { ...entry },
  });
  services = await startServices({
    redisUrl: redis.url,
    env: REMEMBERED_SOON,
    libraries: [served(midland, {}), served(riverside, { refresh: { sweep: '02:00' } })],
  });
  stopAll = [() => services.stop(), () => midland.close(), () => riverside.close(), () => redis.stop()];
});
afterAll(async () => {
  for (const stop of stopAll) await stop();
});

const run = (...args: string[]) =>
  passport(['copies', 'refresh', ...args], services.env, {
    input: '',
    readFile: (path: string) => readFileSync(path, 'utf8'),
  });

test('what changed at home is shown by a dry run, written by a sweep, and reported afterwards', async () => {
  expect((await run('--at', 'riverside', '--dry-run')).out).toMatch(/^riverside: dry run .*\n  no copies\n$/);
  midland.putPatron(CARD, { surname: 'Planted-Okafor', category_id: 'AD', email: 'old@planted.example' });
  const copied = await passport(
    ['send', '--at', 'riverside', '--card', '-', '--wait', '--json'],
    { ...services.env, PASSPORT_RECEIVER: services.receivers[0]?.url ?? '' },
    { input: `${CARD}\n`, readFile: (path: string) => readFileSync(path, 'utf8') },
  );
  expect(jsonOf(copied)).toMatchObject({ state: { outcome: 'COPIED' } });
  await waitFor('the copy to be remembered', () => riverside.state().copies[0]);
  midland.putPatron(CARD, { email: 'new@planted.example' });

  const dry = await run('--at', 'riverside', '--dry-run');
  expect(dry.out).toMatch(/^riverside: dry run \(full\) of /);
  expect(dry.out).toContain('  midland (done): 1 copies, REFRESHED 1, 1 fields to change, 0 kept');
  expect(riverside.state(CARD).patrons[0]?.['email']).toBe('old@planted.example');

  const real = await run('--json');
  expect(real.code).toBe(0);
  expect(jsonOf(real)).toMatchObject({
    sweeps: [{ library: 'riverside', dry_run: false, homes: { midland: { findings: { REFRESHED: 1 } } } }],
  });
  expect(riverside.state(CARD).patrons[0]?.['email']).toBe('new@planted.example');

  const again = await run('--report', '--json');
  const shown = jsonOf(again) as { sweeps: { last_done_at: string; next_at: string }[] };
  expect(shown).toMatchObject(jsonOf(real) as object);
  expect(Date.parse(shown.sweeps[0]?.next_at ?? '')).toBeGreaterThan(Date.now());
  expect(Date.parse(shown.sweeps[0]?.last_done_at ?? '')).toBeLessThan(Date.now() + 1_000);
  expect((await run('--report')).out).toMatch(/^riverside: last done 20.*Z, next 20.*Z\nriverside: sweep /);
  expect(dry.out + dry.err + real.out + again.out).not.toMatch(/planted|Planted|21234000000017/);

  // In the audit are who has begun it and what the service did; not the scan, which the worker has in its log.
  const kept = async () => {
    const list = await passport(['audit', '--json'], services.env, {
      readFile: (path: string) => readFileSync(path, 'utf8'),
    });
    return (jsonOf(list) as { acts: { act: string; by: string | null; source: string; count: number }[] })
      .acts;
  };
  const acts = await waitFor('the end of the sweep in the audit', async () => {
    const all = await kept();
    // Those within the same five seconds of the worker are one entry.
    const ended = all.filter(({ act }) => act === 'sweep ended').reduce((sum, { count }) => sum + count, 0);
    return ended === 3 ? all.map(({ act, by, source }) => `${act} ${by ?? '-'} ${source}`) : null;
  });
  expect([...new Set(acts)].toSorted()).toEqual([
    'copies_refresh tester cli',
    'sweep - worker',
    'sweep ended - worker',
  ]);
  const log = await services.logs();
  expect(log).toContain('"action":"looked up"');
}, 90_000);

test('a sweep that is refused for good ends, and the command says why', async () => {
  const redis = createRedis(services.env['REDIS_URL'] ?? '', { role: 'producer', log: QUIET, name: 'test' });
  const queue = openSweepQueue(redis);
  riverside.putSettings({ permissions: [] });
  const running = run('--at', 'riverside');
  try {
    // Instead of the minute until the next attempt.
    await waitFor('two more attempts', async () => {
      const [waiting] = await queue.getDelayed();
      await waiting?.promote().catch(() => undefined);
      return (await queue.getFailedCount()) > 0 || undefined;
    });
    const refused = await running;
    expect(refused).toMatchObject({ code: 1, out: '' });
    expect(refused.err).toContain('riverside: the sweep has failed: riverside: permission');
    expect((await run('--report')).out).toContain('  not to its end: riverside: permission');
  } finally {
    await queue.close();
    await closeRedis(redis);
  }
}, 60_000);

test('where refresh is off, nothing is written by hand either', async () => {
  const refused = await run('--at', 'midland');
  expect(refused).toMatchObject({ code: 1, out: '' });
  expect(refused.err).toContain('refresh is off');
});
