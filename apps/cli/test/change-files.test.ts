import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { changeFiles, type FileChange } from '../src/connect/change-files.ts';

let folder: string;
const at = (name: string): string => join(folder, name);
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'passport-files-'));
  writeFileSync(at('koha.env'), 'A=1\n', { mode: 0o640 });
  writeFileSync(at('passport.yaml'), 'libraries: []\n');
});
afterEach(() => rmSync(folder, { recursive: true }));

const changes = () => [
  { path: at('secrets/koha/midland'), before: null, after: 'secret\n' },
  { path: at('koha.env'), before: 'A=1\n', after: 'A=1\nB=2\n' },
  { path: at('passport.yaml'), before: 'libraries: []\n', after: 'libraries: [{}]\n' },
];

/** As where passport.yaml is a mount of its own. */
function isMounted(from: string, to: string): void {
  if (to === at('passport.yaml')) throw Object.assign(new Error('busy'), { code: 'EBUSY' });
  renameSync(from, to);
}

test('where the last file cannot take its place, those before it are as they were', () => {
  expect(() => changeFiles(changes(), isMounted)).toThrow(/passport\.yaml cannot be written \(EBUSY\)/);
  expect(readFileSync(at('koha.env'), 'utf8')).toBe('A=1\n');
  expect(statSync(at('koha.env')).mode & 0o777).toBe(0o640);
  expect(readdirSync(at('secrets/koha'))).toEqual([]);
  expect(readdirSync(folder).toSorted()).toEqual(['koha.env', 'passport.yaml', 'secrets']);
});

test('another command is kept out until everything is put back', () => {
  const kept: boolean[] = [];
  const looks = (from: string, to: string): void => {
    kept.push(existsSync(at('passport.yaml.new')));
    isMounted(from, to);
  };
  expect(() => changeFiles(changes(), looks)).toThrow(/EBUSY/);
  expect(kept).toEqual([true, true, true, true]);
});

test('what another command has made beside a file stays', () => {
  const interrupted = (from: string, to: string): void => {
    if (to === at('passport.yaml')) writeFileSync(at('koha.env.new'), 'theirs');
    isMounted(from, to);
  };
  expect(() => changeFiles(changes(), interrupted)).toThrow(/koha\.env has been changed, and could not be/);
  expect(readFileSync(at('koha.env.new'), 'utf8')).toBe('theirs');
});

/** `changeFiles` in a process whose files can have 512 bytes, as on a disk that is nearly full: what it throws. */
function changeWithLittleRoom(wanted: readonly FileChange[]): string {
  const bundle = at('change.mjs');
  const root = join(import.meta.dirname, '../../..');
  const entry = join(root, 'apps/cli/src/connect/change-files.ts');
  const how = ['--bundle', '--platform=node', '--format=esm', '--log-level=warning'];
  execFileSync(join(root, 'node_modules/.bin/esbuild'), [entry, ...how, `--outfile=${bundle}`]);
  const script = `import { changeFiles } from ${JSON.stringify(bundle)};
    try { changeFiles(${JSON.stringify(wanted)}); } catch (error) { process.stdout.write(error.message); }`;
  const run = 'trap \'\' XFSZ; ulimit -f 1; exec "$@"';
  const args = ['-c', run, 'sh', process.execPath, '--input-type=module', '--eval', script];
  const said = execFileSync('sh', args, { encoding: 'utf8' });
  rmSync(bundle);
  return said;
}

test('of a file that cannot be written to its end nothing stays', () => {
  const [secret] = changes();
  const broken = { path: at('koha.env'), before: 'A=1\n', after: `A=1\n${'B=2\n'.repeat(1_000)}` };
  const said = changeWithLittleRoom(secret === undefined ? [] : [broken, secret]);
  expect(said).toBe(`${at('koha.env')} cannot be written (EFBIG)`);
  expect(readFileSync(at('koha.env'), 'utf8')).toBe('A=1\n');
  expect(readdirSync(folder).toSorted()).toEqual(['koha.env', 'passport.yaml', 'secrets']);
  expect(readdirSync(at('secrets/koha'))).toEqual([]);
});

test('what cannot be put back either is named', () => {
  let moved = 0;
  const breaks = (from: string, to: string): void => {
    moved += 1;
    if (moved > 2) throw Object.assign(new Error('read-only'), { code: 'EROFS' });
    renameSync(from, to);
  };
  const before = at('koha.env');
  expect(() => changeFiles(changes(), breaks)).toThrow(
    `${at('passport.yaml')} cannot be written (EROFS); ${before} has been changed, and could not be put back: take out what is new there`,
  );
  expect(readdirSync(at('secrets/koha'))).toEqual([]);
});

test('all are written, with the mode that they had, and new ones for their owner alone', () => {
  changeFiles(changes());
  expect(readFileSync(at('passport.yaml'), 'utf8')).toBe('libraries: [{}]\n');
  expect(statSync(at('koha.env')).mode & 0o777).toBe(0o640);
  expect(statSync(at('secrets/koha/midland')).mode & 0o777).toBe(0o600);
});
