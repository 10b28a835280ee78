import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { KohaDouble } from '@passport/koha-double';
import { registerProcess } from '@passport/queue/processes';
import { closeRedis, createLogger, createRedis, untilRedisReady } from '@passport/runtime';
import { leakGuard, startRedis } from '@passport/testkit';
import { changeFiles } from '../src/connect/change-files.ts';
import { startTwoKohas } from './doctor-fixture.ts';
import { consortiumOf, jsonOf, passport } from './run-cli.ts';

const own = leakGuard({ beforeEach, afterEach });
let riverside: KohaDouble;
let midland: KohaDouble;
let folder: string;
let path: string;
let env: NodeJS.ProcessEnv;
const readFile = (name: string): string => readFileSync(name, 'utf8');
const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 12);

beforeEach(async () => {
  ({ riverside, midland } = await startTwoKohas(own));
  folder = mkdtempSync(join(tmpdir(), 'passport-start-'));
  own({ close: () => rmSync(folder, { recursive: true }) });
  path = join(folder, 'passport.yaml');
  const server = own(await startRedis());
  const key = Buffer.from('ke+y0123/456789abcdefghijklmnopq').toString('base64');
  env = { ...consortiumOf([]), PASSPORT_KEY: key, REDIS_URL: server.url, PASSPORT_CONFIG: path };
  write('observe');
  const log = createLogger({ name: 'test', level: 'silent' });
  const redis = createRedis(server.url, { role: 'producer', log, name: 'test' });
  own({ close: () => closeRedis(redis) });
  await untilRedisReady(redis, 5_000);
  for (const kind of ['worker', 'receiver'] as const) {
    const registered = registerProcess({
      redis,
      id: kind,
      identity: { kind, version: '1.2.3', host: 'machine' },
      hash: hashOf(readFile(path)),
      reload: () => Promise.resolve({ kind: 'loaded', hash: hashOf(readFile(path)) }),
      now: () => Date.now(),
      facts: () => ({ shares_address: false, fixed_secrets: 0 }),
      log,
    });
    own({ close: () => registered.close() });
  }
});

/** Riverside with this mode of copies. */
function write(mode: string): void {
  const copy = { category: 'PT', mode };
  const file = consortiumOf([
    { ...riverside, change: { copy } },
    { ...midland, change: { webhook_secrets: [] } },
  ]);
  writeFileSync(path, file['FILE test.yaml'] ?? '');
  env = { ...file, ...env };
}
const start = (...more: string[]) =>
  passport(['library', 'start', 'riverside', ...more], env, { readFile, changeFiles });

test('a library without a fault makes copies from then on, and every process takes it over', async () => {
  const before = readFile(path);
  const ran = await start('--json');
  expect({ code: ran.code, answer: jsonOf(ran) }).toEqual({
    code: 0,
    answer: {
      library: 'riverside',
      started: true,
      loaded: true,
      doctor: expect.objectContaining({ ok: true, faults: 0 }),
    },
  });
  expect(ran.err).toMatch(/"action":"join_start".*"library":"riverside"/);
  expect(readFile(path)).toBe(before.replace('"observe"', 'copy'));
  expect(await start()).toMatchObject({ code: 1, err: expect.stringMatching(/makes copies already/) });
});

test('a library with a fault goes on observing, and the fault is said', async () => {
  riverside.putSettings({
    plugin_findings: [{ finding: 'category_missing', level: 'fault', name: 'PT', figure: null }],
  });
  const before = readFile(path);
  const { code, out, err } = await start();
  expect({ code, err }).toEqual({ code: 1, err: expect.stringMatching(/riverside goes on observing/) });
  expect(out).toMatch(/fault category_unknown/);
  expect(jsonOf(await start('--json'))).toEqual({
    library: 'riverside',
    started: false,
    doctor: expect.objectContaining({
      ok: false,
      libraries: [
        expect.objectContaining({
          id: 'riverside',
          findings: expect.arrayContaining([expect.objectContaining({ code: 'category_unknown' })]),
        }),
      ],
    }),
  });
  expect(readFile(path)).toBe(before);
});

test('where observing does not stand in the entry of the library, that is said', async () => {
  const observing = JSON.parse(readFile(path)) as {
    defaults: { copy: object };
    libraries: { copy?: object }[];
  };
  observing.defaults.copy = { category: 'PT', mode: 'observe' };
  for (const library of observing.libraries) delete library.copy;
  writeFileSync(path, JSON.stringify(observing));
  expect(await start()).toMatchObject({
    code: 1,
    err: expect.stringMatching(/copy\.mode: observe does not stand in the entry of riverside/),
  });
});

test('of two reloads at the same time, each is done when every process has the file', async () => {
  const reload = (id: string) =>
    passport(['config', 'reload', '--wait', '5', '--json'], env, { readFile, newId: () => id });
  const both = await Promise.all([reload('one'), reload('other')]);
  expect(both.map((ran) => [ran.code, jsonOf(ran)])).toEqual([
    [0, expect.objectContaining({ ok: true })],
    [0, expect.objectContaining({ ok: true })],
  ]);
});
