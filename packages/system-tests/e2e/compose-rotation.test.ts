import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';

const SCRIPTS = new URL('../../../deploy/docker/', import.meta.url);
/** As in the image; for root, the scripts run as another user. */
const USER = 1000;
const isRoot = process.getuid?.() === 0;
const who = isRoot ? { uid: USER, gid: USER } : {};
const canRun = spawnSync(process.execPath, ['--version'], { ...who, cwd: '/' }).status === 0;
const scriptTest = canRun ? test : test.skip;
const why = canRun ? '' : ` (skipped: user ${USER} cannot run Node on this machine)`;

const PROCESSES = ['receiver', 'worker', 'dashboard', 'redis', 'grafana'];
const FOLDERS = ['place', 'etc', 'data', 'grafana-data', 'of', ...PROCESSES.map((name) => join('of', name))];

let root: string;
const at = (...parts: string[]): string => join(root, ...parts);

function run(script: string, args: readonly string[], input = '') {
  const env = { PATH: process.env['PATH'], KEYS_PLACE: at('place'), KEYS_PLACES: at('of') };
  const { status, stdout, stderr } = spawnSync(process.execPath, [at(script), ...args], {
    ...who,
    cwd: root,
    env,
    input,
  });
  return { status, out: stdout.toString().trim(), error: stderr.toString().trim() };
}
const keys = (...args: string[]) => run('keys.mjs', args);
const start = () => run('make-keys.mjs', [at('place'), at('etc'), at('data'), at('of'), at('grafana-data')]);

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'passport-rotation-'));
  for (const folder of FOLDERS) mkdirSync(at(folder));
  for (const name of ['make-keys.mjs', 'share-keys.mjs', 'keys.mjs']) {
    copyFileSync(new URL(name, SCRIPTS), at(name));
    chmodSync(at(name), 0o644);
  }
  if (isRoot) for (const path of ['', ...FOLDERS]) chownSync(at(path), USER, USER);
  expect(start()).toMatchObject({ status: 0, error: '' });
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const keyOf = (name: string): string => readFileSync(at('of', name, 'passport_key'), 'utf8');

scriptTest(
  `PASSPORT_KEY is rotated so that every process can decrypt with both keys in between${why}`,
  () => {
    const [old] = keyOf('worker').split(',');
    expect(keys('rotate', 'add').status).toBe(0);
    const [first, added = ''] = keyOf('worker').split(',');
    expect(first).toBe(old);
    expect(Buffer.from(added, 'base64')).toHaveLength(32);
    expect(keys('rotate', 'promote').status).toBe(0);
    expect(keyOf('receiver')).toBe(`${added},${old}`);
    // Whoever pastes the commands twice does not go back.
    expect(keys('rotate', 'promote').status).toBe(0);
    expect(keyOf('receiver')).toBe(`${added},${old}`);
    expect(keys('rotate', 'drop').status).toBe(0);
    expect([keyOf('receiver'), keyOf('worker')]).toEqual([added, added]);
    expect(statSync(at('place', 'passport_key')).mode & 0o777).toBe(0o400);
  },
);

scriptTest(`a step of a rotation that is not due changes nothing, and says what is${why}`, () => {
  const before = keyOf('worker');
  for (const step of ['promote', 'drop']) {
    const { status, error } = keys('rotate', step);
    expect({ status, error }).toEqual({ status: 1, error: 'there is only one key: run rotate add first' });
  }
  keys('rotate', 'add');
  const added = keyOf('worker');
  expect(keys('rotate', 'add')).toMatchObject({
    status: 1,
    error: expect.stringContaining('two keys already'),
  });
  expect(keys('rotate', 'drop')).toMatchObject({
    status: 1,
    error: 'the old key still encrypts: run rotate promote first',
  });
  expect(keyOf('worker')).toBe(added);
  expect(added.startsWith(`${before},`)).toBe(true);
});

scriptTest(`the dashboard has its new password at once, and a start keeps it${why}`, () => {
  const before = keys('show', 'dashboard_password').out;
  const { out } = keys('renew', 'dashboard_password');
  expect(out).not.toBe(before);
  start();
  expect(keys('show', 'dashboard_password').out).toBe(out);
  expect(readFileSync(at('of', 'dashboard', 'dashboard_password'), 'utf8')).toBe(out);
});

scriptTest(`what was exported makes another installation one with the same secrets${why}`, () => {
  const { out: saved } = keys('export');
  const names = Object.keys(JSON.parse(saved) as object);
  expect(names).toEqual([
    'passport_key',
    'redis_password',
    'redis_url',
    'dashboard_password',
    'dashboard_viewer_password',
    'grafana_password',
  ]);
  rmSync(at('place'), { recursive: true });
  mkdirSync(at('place'));
  if (isRoot) chownSync(at('place'), USER, USER);
  expect(run('keys.mjs', ['import'], saved)).toMatchObject({ status: 0, error: '' });
  start();
  expect(keys('export').out).toBe(saved);
  const { redis_password: password } = JSON.parse(saved) as { redis_password: string };
  expect(readFileSync(at('of', 'redis', 'redis.conf'), 'utf8')).toContain(`requirepass ${password}\n`);
});

scriptTest.each([
  ['no JSON', 'passport_key', 'what is to be imported is no JSON'],
  ['a list', '[]', 'what is to be imported is no object of secrets'],
  ['an unknown name', '{"../x":"y"}', 'what is to be imported has an unknown name: "../x"'],
  ['a number', '{"passport_key":"a","redis_url":1}', 'redis_url: what is to be imported has no text there'],
  ['no key', '{"redis_url":"redis://redis"}', 'passport_key: what is to be imported has no key there'],
])(`a backup that is %s is refused, and changes nothing${why}`, (_, input, message) => {
  const before = keys('export').out;
  const { status, error } = run('keys.mjs', ['import'], input);
  expect({ status, error }).toEqual({ status: 1, error: message });
  expect(keys('export').out).toBe(before);
});

scriptTest.each([
  [[]],
  [['show']],
  [['show', 'passport.yaml']],
  [['renew', 'redis_password']],
  [['rotate', 'all']],
  [['export', 'passport_key']],
])(`wrong usage is answered with the commands: %j${why}`, (args) => {
  expect(keys(...args)).toMatchObject({
    status: 2,
    out: '',
    error: expect.stringContaining('Usage: keys.mjs'),
  });
});
