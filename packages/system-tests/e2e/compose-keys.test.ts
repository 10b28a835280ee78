import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';

const SCRIPTS = new URL('../../../deploy/docker/', import.meta.url);
/** As in the image. Root may write what is only readable, so for root the scripts run as another user. */
const USER = 1000;
const isRoot = process.getuid?.() === 0;
const who = isRoot ? { uid: USER, gid: USER } : {};

const canRun = spawnSync(process.execPath, ['--version'], { ...who, cwd: '/' }).status === 0;
const scriptTest = canRun ? test : test.skip;
const why = canRun ? '' : ` (skipped: user ${USER} cannot run Node on this machine)`;

const PROCESSES = ['receiver', 'worker', 'dashboard', 'redis', 'grafana'] as const;
const FOLDERS = [
  'place',
  'etc',
  join('etc', 'config'),
  'data',
  'grafana-data',
  'of',
  ...PROCESSES.map((name) => join('of', name)),
];

let root: string;
const at = (...parts: string[]): string => join(root, ...parts);
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'passport-keys-'));
  for (const folder of FOLDERS) mkdirSync(at(folder));
  for (const name of ['make-keys.mjs', 'make-consortium.mjs', 'share-keys.mjs']) {
    copyFileSync(new URL(name, SCRIPTS), at(name));
    chmodSync(at(name), 0o644);
  }
  if (isRoot) for (const path of ['', ...FOLDERS]) chownSync(at(path), USER, USER);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** One start, as compose makes it: the script in a process of its own, with the folders that are volumes there. */
function start(script: 'make-keys.mjs' | 'make-consortium.mjs'): void {
  const paths = [at('place'), ...(script === 'make-keys.mjs' ? [at('etc'), at('data')] : []), at('of')];
  if (script === 'make-keys.mjs') paths.push(at('grafana-data'));
  const { status, stderr } = spawnSync(process.execPath, [at(script), ...paths], { ...who, cwd: root });
  expect({ status, stderr: stderr.toString() }).toEqual({ status: 0, stderr: '' });
}

const FORMER = ['etc', 'passport.yaml'] as const;
const OWN = ['etc', 'config', 'passport.yaml'] as const;

function own(text: string, mode: number, place: typeof FORMER | typeof OWN = OWN): void {
  const path = at(...place);
  rmSync(path, { force: true });
  writeFileSync(path, text);
  if (isRoot) chownSync(path, USER, USER);
  chmodSync(path, mode);
}
const used = () => readFileSync(at('place', 'passport.yaml'), 'utf8');
const modeOf = (name: string) => (statSync(at('place', name)).mode & 0o777).toString(8);

scriptTest(`an operator's own configuration takes the place of the demo's${why}`, () => {
  start('make-keys.mjs');
  start('make-consortium.mjs');
  expect(used()).toContain('Prairie Libraries');
  own('consortium: Ours', 0o644);
  start('make-keys.mjs');
  start('make-consortium.mjs');
  expect(used()).toBe('consortium: Ours');
});

const usedBy = (name: (typeof PROCESSES)[number]) => readFileSync(at('of', name, 'passport.yaml'), 'utf8');

scriptTest(
  `every process has what an editor has put in the place of the configuration, without a start${why}`,
  () => {
    own('consortium: First', 0o644);
    start('make-keys.mjs');
    own('consortium: Second', 0o644); // another file of that name, as an editor leaves it
    expect(['receiver', 'worker', 'dashboard'].map((name) => usedBy(name as 'worker'))).toEqual(
      Array.from({ length: 3 }, () => 'consortium: Second'),
    );
    expect(used()).toBe('consortium: Second');
  },
);

scriptTest(
  `an operator's configuration that is taken away leaves nothing that could not be read${why}`,
  () => {
    own('consortium: Ours', 0o644);
    start('make-keys.mjs');
    rmSync(at(...OWN));
    start('make-keys.mjs');
    start('make-consortium.mjs');
    expect(used()).toContain('Prairie Libraries');
  },
);

scriptTest(`a configuration where versions up to 1.0 had it is taken over at each start${why}`, () => {
  for (const text of ['consortium: First', 'consortium: Second']) {
    own(text, 0o400, FORMER);
    start('make-keys.mjs');
    expect(used()).toBe(text);
  }
  expect(modeOf('passport.yaml')).toBe('400');
});

scriptTest(`a demo whose first start was cut short is made by the next${why}`, () => {
  start('make-consortium.mjs');
  rmSync(at('place', 'passport.yaml'));
  start('make-consortium.mjs');
  expect(used()).toContain('Prairie Libraries');
});

scriptTest(`keys that are there are never changed${why}`, () => {
  start('make-keys.mjs');
  const names = ['passport_key', 'redis_password', 'redis_url', 'redis.conf', 'dashboard_password'];
  const before = names.map((name) => readFileSync(at('place', name), 'utf8'));
  start('make-keys.mjs');
  expect(names.map((name) => readFileSync(at('place', name), 'utf8'))).toEqual(before);
  expect(names.map(modeOf)).toEqual(names.map(() => '400'));
});

const filesOf = (name: (typeof PROCESSES)[number]): string[] => readdirSync(at('of', name)).toSorted();

scriptTest(`each process gets a copy of what it uses and of nothing else${why}`, () => {
  start('make-keys.mjs');
  start('make-consortium.mjs');
  const common = ['passport.yaml', 'passport_key', 'redis_url'];
  const libraries = ['lakeside', 'midland', 'riverside'];
  const kohas = libraries.flatMap((id) => [`${id}_client_id`, `${id}_client_secret`]);
  expect(Object.fromEntries(PROCESSES.map((name) => [name, filesOf(name)]))).toEqual({
    receiver: [...common, ...libraries.map((id) => `${id}_webhook_secret`)].toSorted(),
    worker: [...common, ...kohas].toSorted(),
    dashboard: ['dashboard_password', 'dashboard_viewer_password', 'passport.yaml', 'redis_url'],
    redis: ['redis.conf', 'redis_password'],
    grafana: ['grafana_password'],
  });
  expect(statSync(at('of', 'worker', 'midland_client_secret')).mode & 0o777).toBe(0o400);
  expect(readFileSync(at('of', 'receiver', 'passport_key'))).toEqual(
    readFileSync(at('place', 'passport_key')),
  );
});

scriptTest(`what a process uses no longer is taken away at the next start${why}`, () => {
  start('make-keys.mjs');
  const old = at('of', 'dashboard', 'midland_client_secret');
  writeFileSync(old, 'from a release that shared all');
  if (isRoot) chownSync(old, USER, USER);
  start('make-keys.mjs');
  expect(filesOf('dashboard')).not.toContain('midland_client_secret');
});
