import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { SourceMap, type SourceMapPayload } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

let empty: string;
beforeEach(() => {
  empty = mkdtempSync(join(tmpdir(), 'passport-bundle-'));
});
afterEach(() => rmSync(empty, { recursive: true, force: true }));

const bundleOf = (app: string): string => join(ROOT, 'apps', app, 'dist/main.js');

/** Starts the bundle of an app, with a file of maps beside it, where nothing is installed. */
function runAlone(app: string, ...args: readonly string[]) {
  const dist = join(empty, 'apps', app, 'dist');
  mkdirSync(dist, { recursive: true });
  for (const name of ['main.js', 'main.js.map']) cpSync(join(dirname(bundleOf(app)), name), join(dist, name));
  writeFileSync(join(empty, 'apps', app, 'package.json'), '{"type":"module","version":"1.2.3"}');
  const command = ['--enable-source-maps', join(dist, 'main.js'), ...args];
  return spawnSync(process.execPath, command, { cwd: empty, env: {}, encoding: 'utf8' });
}

/** Names of the packages in a bundle, as its list of licences has them. */
function packagesOf(app: string): ReadonlySet<string> {
  const list = readFileSync(join(dirname(bundleOf(app)), 'LICENSES.txt'), 'utf8');
  return new Set([...list.matchAll(/^(\S+) \d+\.\S+ \(.+\)$/gm)].flatMap(([, name]) => name ?? []));
}

describe('one file is all that a process loads', () => {
  test.each(['receiver', 'worker', 'dashboard'])(
    '%s complains of its configuration, not of a module',
    (app) => {
      const { status, stderr } = runAlone(app);
      expect(stderr).toContain('PASSPORT_CONFIG');
      expect(status).toBe(1);
    },
  );

  test('the passport command prints its version', () => {
    expect(runAlone('cli', '--version')).toMatchObject({ stdout: 'Patron Passport 1.2.3\n', status: 0 });
  });
});

test.each([
  ['secret new', false],
  ['doctor --help', false],
  ['events list --help', true],
  ['--help', true],
])('passport %s runs code of BullMQ: %s', (command, expected) => {
  const env = { NODE_V8_COVERAGE: empty };
  const { status } = spawnSync(process.execPath, [bundleOf('cli'), ...command.split(' ')], { env });
  expect(status).toBe(0);
  const [file = ''] = readdirSync(empty);
  const { result } = JSON.parse(readFileSync(join(empty, file), 'utf8')) as {
    result: { functions: { functionName: string; ranges: { count: number }[] }[] }[];
  };
  // Each module of a bundle is a function with the module's path as its name.
  const ran = result
    .flatMap(({ functions }) => functions)
    .filter(({ ranges }) => ranges.some(({ count }) => count > 0));
  expect(ran.some(({ functionName }) => functionName.includes('/node_modules/bullmq/'))).toBe(expected);
});

test('only who speaks to a Koha holds an HTTP client, and only the dashboard a board', () => {
  const holders = (name: string) =>
    ['receiver', 'worker', 'dashboard', 'cli'].filter((app) => packagesOf(app).has(name));
  expect(holders('got')).toEqual(['worker', 'cli']);
  expect(holders('@bull-board/api')).toEqual(['dashboard']);
  expect(holders('commander')).toEqual(['cli']);
});

test('the text of a licence goes along with what is bundled', () => {
  const list = readFileSync(join(dirname(bundleOf('receiver')), 'LICENSES.txt'), 'utf8');
  const entry = list.split(/^-{80}\n/m).find((text) => text.startsWith('pino '));
  expect(entry).toMatch(/^pino \S+ \(MIT\)\n/);
  expect(entry).toContain('Permission is hereby granted');
});

test.each([
  ['receiver', "'receiving'", 'apps/receiver/src/main.ts'],
  ['worker', "'too_many_rows'", 'packages/koha-client/src/transport/list-rows.ts'],
  ['dashboard', "'showing'", 'apps/dashboard/src/start-dashboard.ts'],
  ['cli', "'SIGINT'", 'apps/cli/src/main.ts'],
])('a frame of %s keeps the line of its source', (app, text, file) => {
  const bundle = readFileSync(bundleOf(app), 'utf8');
  const offset = bundle.lastIndexOf(text.replaceAll("'", '"'));
  expect(offset).toBeGreaterThan(0);
  const before = bundle.slice(0, offset).split('\n');
  const payload = JSON.parse(readFileSync(`${bundleOf(app)}.map`, 'utf8')) as SourceMapPayload;
  const found = new SourceMap(payload).findEntry(before.length - 1, before.at(-1)?.length ?? 0);
  if (!('originalSource' in found)) throw new Error(`nothing is known of ${text} in the bundle of ${app}`);
  const source = resolve(dirname(bundleOf(app)), found.originalSource);
  expect(source).toContain(join(ROOT, file));
  expect(readFileSync(source, 'utf8').split('\n')[found.originalLine]).toContain(text);
});
