import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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

test('npm says in a clone why an installation failed', () => {
  copyFileSync(join(ROOT, '.npmrc'), join(dir, '.npmrc'));
  const dependencies = { gone: 'file:./not-there.tgz' };
  writeFileSync(join(dir, 'package.json'), JSON.stringify({ name: 'x', version: '1.0.0', dependencies }));

  const { status, stderr } = run('npm', 'install');

  expect(status).not.toBe(0);
  expect(stderr).toContain('not-there.tgz');
});

test('the passport command tells its version', () => {
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
