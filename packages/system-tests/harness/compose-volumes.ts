import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from '@jest/globals';

const SCRIPTS = new URL('../../../deploy/docker/', import.meta.url);
/** As in the image. Root may write what is only readable, so for root the scripts run as another user. */
const USER = 1000;
const isRoot = process.getuid?.() === 0;
const who = isRoot ? { uid: USER, gid: USER } : {};

export const canRun = spawnSync(process.execPath, ['--version'], { ...who, cwd: '/' }).status === 0;
export const why = canRun ? '' : ` (skipped: user ${USER} cannot run Node on this machine)`;

export const PROCESSES = ['receiver', 'worker', 'dashboard', 'redis', 'grafana'] as const;
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
/** A path in the folders that are volumes in compose. */
export const at = (...parts: string[]): string => join(root, ...parts);

/** Gives a file or folder to the user that the scripts run as. */
export function own(...parts: string[]): void {
  if (isRoot) chownSync(at(...parts), USER, USER);
}

/** Gives each test of a file new volumes, and the scripts beside them as the image has them. */
export function useVolumes(): void {
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'passport-keys-'));
    for (const folder of FOLDERS) mkdirSync(at(folder));
    for (const name of ['make-keys.mjs', 'make-consortium.mjs', 'share-keys.mjs', 'keys.mjs']) {
      copyFileSync(new URL(name, SCRIPTS), at(name));
      chmodSync(at(name), 0o644);
    }
    for (const path of ['', ...FOLDERS]) own(path);
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));
}

/** Runs a script as compose does: in a process of its own. */
export function runScript(script: string, args: readonly string[], input = '') {
  const env = { PATH: process.env['PATH'], KEYS_PLACE: at('place'), KEYS_PLACES: at('of') };
  const options = { ...who, cwd: root, env, input };
  const { status, stdout, stderr } = spawnSync(process.execPath, [at(script), ...args], options);
  return { status, out: stdout.toString().trim(), error: stderr.toString().trim() };
}

export const makeKeys = () =>
  runScript('make-keys.mjs', [at('place'), at('etc'), at('data'), at('of'), at('grafana-data')]);
