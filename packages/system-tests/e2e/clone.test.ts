import { spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'passport-clone-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const run = (command: string, ...args: readonly string[]) => {
  const { PATH, HOME } = process.env;
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd: dir,
    encoding: 'utf8',
    env: { PATH, HOME },
  });
  return { status, stdout, stderr };
};

test('a command in a clone says why its installation failed', () => {
  cpSync(join(ROOT, 'scripts'), join(dir, 'scripts'), { recursive: true });
  copyFileSync(join(ROOT, '.npmrc'), join(dir, '.npmrc'));
  const dependencies = { gone: 'file:./not-there.tgz' };
  const manifest = { name: 'x', version: '1.0.0', engines: { node: '>=20.19' }, dependencies };
  writeFileSync(join(dir, 'package.json'), JSON.stringify(manifest));
  const root = { ...manifest, resolved: '' };
  const gone = { version: '1.0.0', resolved: 'file:not-there.tgz' };
  const lock = { lockfileVersion: 3, packages: { '': root, 'node_modules/gone': gone } };
  writeFileSync(join(dir, 'package-lock.json'), JSON.stringify(lock));

  const { status, stderr } = run(process.execPath, 'scripts/set-up.mjs');

  expect(status).toBe(1);
  expect(stderr).toContain('not-there.tgz');
  expect(stderr).toContain('npm ci did not succeed.');
});

test('a command in a clone says why its build failed', () => {
  cpSync(join(ROOT, 'scripts'), join(dir, 'scripts'), { recursive: true });
  writeFileSync(join(dir, 'package.json'), JSON.stringify({ name: 'x', engines: { node: '>=20.19' } }));
  mkdirSync(join(dir, 'node_modules/.bin'), { recursive: true });
  for (const name of ['package-lock.json', 'node_modules/.package-lock.json'])
    writeFileSync(join(dir, name), JSON.stringify({ packages: {} }));
  const turbo = join(dir, 'node_modules/.bin/turbo');
  writeFileSync(turbo, '#!/bin/sh\necho "src/main.ts(1,1): error TS1"\nexit 2\n', { mode: 0o755 });
  const command = "import { setUp } from './scripts/set-up.mjs'; await setUp({ build: true });";

  const { status, stderr } = run(process.execPath, '--input-type=module', '--eval', command);

  expect(status).toBe(1);
  expect(stderr).toContain('src/main.ts(1,1): error TS1');
  expect(stderr).toMatch(/The build failed after \d+ s\.\n$/);
});

test('npm prints nothing but what a script prints: standard output belongs to reports', () => {
  copyFileSync(join(ROOT, '.npmrc'), join(dir, '.npmrc'));
  const scripts = { report: 'node -p "JSON.stringify({})"' };
  writeFileSync(join(dir, 'package.json'), JSON.stringify({ name: 'x', version: '1.0.0', scripts }));
  expect(run('npm', 'run', 'report')).toEqual({ status: 0, stdout: '{}\n', stderr: '' });
});

test('the passport command prints its version', () => {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  expect(run(process.execPath, join(ROOT, 'apps/cli/bin/passport.js'), '--version')).toEqual({
    status: 0,
    stdout: `Patron Passport ${version}\n`,
    stderr: '',
  });
});

describe('the types are those of the oldest Node that is promised', () => {
  const errorsOf = (code: string): string => {
    const name = 'probe.ts';
    writeFileSync(join(dir, name), `${code}\nexport {};\n`);
    writeFileSync(join(dir, 'package.json'), '{"type":"module"}');
    const compilerOptions = {
      composite: false,
      noEmit: true,
      typeRoots: [join(ROOT, 'node_modules/@types')],
    };
    const config = { extends: join(ROOT, 'tsconfig.base.json'), compilerOptions, files: [name] };
    writeFileSync(join(dir, 'tsconfig.json'), JSON.stringify(config));
    return run(join(ROOT, 'node_modules/.bin/tsc'), '--project', dir).stdout;
  };

  test.each([
    ['Promise.withResolvers', 'Promise.withResolvers();'],
    ['Promise.try', 'Promise.try(() => 1);'],
    ['Object.groupBy', 'Object.groupBy([1], String);'],
    ['Map.groupBy', 'Map.groupBy([1], String);'],
    ['Array.fromAsync', 'await Array.fromAsync([1]);'],
    ['iterator helpers', 'new Map().values().map(String);'],
    ['set methods', 'new Set([1]).union(new Set([2]));'],
    ['DisposableStack', 'new DisposableStack();'],
    ['node:sqlite', "import 'node:sqlite';"],
  ])('%s, which it lacks, does not compile', (_what, code) => {
    expect(errorsOf(code)).toMatch(/probe\.ts\(1,\d+\): error/);
  });

  test('what it has compiles', () => {
    expect(errorsOf("'text'.isWellFormed(); [1].toSorted(); fetch('http://127.0.0.1');")).toBe('');
  });
});
