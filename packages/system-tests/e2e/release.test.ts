import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { findProgram } from '@passport/testkit';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const EPOCH = 1_795_000_000;
const LINE = 'Upgrade: rolling; rollback: safe.';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'passport-release-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function run(
  command: string,
  args: readonly string[],
  { cwd = ROOT, env = {} }: { cwd?: string; env?: Readonly<Record<string, string>> } = {},
) {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] ?? '', HOME: dir, ...env },
    maxBuffer: 1e8,
  });
  return { status, stdout, stderr };
}

describe('what keeps a commit from being published', () => {
  const SECTION = `## 1.2.3 - 2026-12-01\n\n${LINE}\n\n- **New**: a thing.\n\n## 1.0.0 - 2026-11-25\n\nFirst.\n`;
  const PLUGIN = 'apps/koha-plugin/Koha/Plugin/Org/PatronPassport.pm';
  let repository: string;
  const git = (...args: readonly string[]): void => {
    const identity = [
      '-c',
      'user.name=Test',
      '-c',
      'user.email=test@localhost',
      '-c',
      'commit.gpgsign=false',
    ];
    expect(run('git', [...identity, ...args], { cwd: repository })).toMatchObject({ status: 0 });
  };
  const write = (path: string, text: string): void => {
    mkdirSync(join(repository, path, '..'), { recursive: true });
    writeFileSync(join(repository, path), text);
  };
  const release = (args: readonly string[] = ['--check'], env: Readonly<Record<string, string>> = {}) =>
    run(process.execPath, ['scripts/release.mjs', ...args], { cwd: repository, env });
  const commit = (changelog: string, version = '1.2.3', ofWorker = version): void => {
    write('package.json', JSON.stringify({ version, workspaces: ['packages/*', 'apps/worker'] }));
    write('packages/queue/package.json', JSON.stringify({ version }));
    write('apps/worker/package.json', JSON.stringify({ version: ofWorker }));
    write(PLUGIN, `our $VERSION = '${version.replace(/-.*/, '')}';`);
    write('CHANGELOG.md', `# Changelog\n\n${changelog}`);
    git('add', '--all');
    git('commit', '--quiet', '--message', 'x', '--allow-empty');
  };

  beforeAll(() => {
    repository = join(dir, 'repository');
    cpSync(join(ROOT, 'scripts'), join(repository, 'scripts'), { recursive: true });
    git('init', '--quiet');
    commit(SECTION);
  });

  test('nothing, where version, changelog and commit fit together', () => {
    commit(`## Unreleased\n\n${SECTION}`);
    expect(release()).toEqual({ status: 0, stdout: '1.2.3 can be published\n', stderr: '' });
    commit(SECTION.replaceAll('1.2.3', '1.2.3-rc.1'), '1.2.3-rc.1');
    expect(release()).toMatchObject({ status: 0 });
  });

  test.each([
    ['no section of the version', SECTION, '1.3.0', 'no section "## 1.3.0 - YYYY-MM-DD"'],
    ['a section without a date', SECTION.replace(' - 2026-12-01', ''), '1.2.3', 'no section "## 1.2.3 '],
    ['a section without its line', SECTION.replace(LINE, ''), '1.2.3', 'has no line "Upgrade: '],
    ['no word for the way back', SECTION.replace('; rollback: safe', ''), '1.2.3', 'has no line "Upgrade: '],
    ['a word of its own', SECTION.replace('rolling', 'easy'), '1.2.3', 'has no line "Upgrade: '],
    ['the line in another section', `${SECTION.replace(LINE, '')}${LINE}\n`, '1.2.3', 'has no line'],
    ['entries left over', `## Unreleased\n\n- **More**.\n\n${SECTION}`, '1.2.3', '"Unreleased" has entries'],
    ['no version', SECTION, '1.2', 'package.json: "1.2" is no version of a release'],
  ])('%s', (_, changelog, version, reason) => {
    commit(changelog, version);
    const { status, stdout, stderr } = release();
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toContain(reason);
  });

  test('a changed file, a new one, and a package of another version, all said at once', () => {
    commit(SECTION, '1.2.3', '1.2.2');
    write('CHANGELOG.md', `# Changelog\n\n${SECTION.replace(LINE, '')}`);
    write(PLUGIN, "our $VERSION = '1.2.1';");
    write('left-over.txt', '');
    const { status, stderr } = release(['release']);
    expect(status).toBe(1);
    expect(stderr.trim().split('\n')).toEqual([
      expect.stringMatching(/^the checkout has changes: .*CHANGELOG\.md.*left-over\.txt/),
      'apps/worker/package.json: version 1.2.2 instead of 1.2.3',
      `${PLUGIN}: version 1.2.1 instead of 1.2.3`,
      expect.stringContaining('section 1.2.3 has no line'),
    ]);
    rmSync(join(repository, 'left-over.txt'));
  });

  test('a folder that holds something, and images without an engine, before anything is made', () => {
    commit(SECTION);
    const full = join(dir, 'full');
    mkdirSync(full);
    writeFileSync(join(full, 'older.deb'), '');
    const { status, stderr } = release([full], { PATH: programs({ docker: 'exit 1' }) });
    expect(status).toBe(1);
    expect(stderr).toContain(`${full} is not empty`);
    expect(stderr).toContain('the images cannot be built (--no-images leaves them out)');
    expect(readdirSync(full)).toEqual(['older.deb']);
    const offline = programs({ docker: 'case "$*" in *imagetools*) echo "no such host"; exit 1 ;; esac' });
    const to = join(dir, 'offline');
    const refused = release([to], { PATH: offline });
    expect(refused).toMatchObject({ status: 1, stdout: '' });
    expect(refused.stderr).toMatch(/^the registry gave no digest of node:24-slim, .*: no such host\n$/);
    expect(existsSync(to)).toBe(false);
    expect(release([full, '--no-images', '--only-images'])).toMatchObject({ status: 2 });
  });

  test('images that cannot be built end the command', () => {
    commit(SECTION);
    const args = [join(dir, 'no-images'), '--only-images'];
    const env = {
      PATH: programs({ docker: 'case "$*" in *bake*) echo broken; exit 1 ;; esac' }),
      NODE_IMAGE: `node:24-slim@sha256:${'a1'.repeat(32)}`,
    };
    const { status, stdout, stderr } = release(args, env);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toBe('broken\ndocker buildx bake did not succeed: the release is not complete\n');
  });

  test('the images are built of the version, the commit and one digest of their base', () => {
    commit(SECTION);
    const said = join(dir, 'said');
    const digest = `sha256:${'a1'.repeat(32)}`;
    const docker = `case "$*" in *imagetools*) echo ${digest} ;; *) { echo "$@"; env; } >>${said} ;; esac`;
    const to = join(dir, 'images');
    const args = [to, '--only-images', '--push', '--registry', 'ghcr.io/somebody'];
    expect(release(args, { PATH: programs({ docker }) })).toMatchObject({ status: 0, stdout: `${to}\n` });
    const log = readFileSync(said, 'utf8');
    expect(log).toContain(
      `buildx bake --file docker-bake.hcl --metadata-file ${join(to, 'images.json')} --push\n`,
    );
    const bake = readFileSync(join(ROOT, 'docker-bake.hcl'), 'utf8');
    const variables = [...bake.matchAll(/^variable "(\w+)"/gm)].map(([, name]) => name ?? '');
    const values = variables.map((name) => new RegExp(`^${name}=(.*)$`, 'm').exec(log)?.[1]);
    expect(Object.fromEntries(variables.map((name, at) => [name, values[at]]))).toEqual({
      REGISTRY: 'ghcr.io/somebody',
      VERSION: '1.2.3',
      REVISION: run('git', ['rev-parse', 'HEAD'], { cwd: repository }).stdout.trim(),
      CREATED: expect.stringMatching(/^20\d\d-.*Z$/),
      NODE_IMAGE: `node:24-slim@${digest}`,
    });
  });

  /** A PATH that begins with these programs, given as lines of a shell. */
  function programs(lines: Readonly<Record<string, string>>): string {
    const bin = mkdtempSync(join(dir, 'bin-'));
    for (const [name, line] of Object.entries(lines)) {
      writeFileSync(join(bin, name), `#!/bin/sh\n${line}\n`);
      chmodSync(join(bin, name), 0o755);
    }
    return `${bin}:${process.env['PATH'] ?? ''}`;
  }
});

test('the changelog says of what is not published yet how it is installed', () => {
  const changelog = readFileSync(join(ROOT, 'CHANGELOG.md'), 'utf8');
  const [, newest = ''] = changelog.split(/^## .+$/m);
  expect(newest).toMatch(/^Upgrade: (?:rolling|drained); rollback: (?:safe|drained|not safe)\b/m);
});

const canPack = findProgram('dpkg-deb') !== null && findProgram('perl') !== null;
const describeFiles = canPack ? describe : describe.skip;
const note = canPack ? '' : ' (skipped: dpkg-deb or perl is not on this machine)';

describeFiles(`the files of a version${note}`, () => {
  let folder: string;
  /** As the command makes them of the last build; not compressed, which takes longer than everything else. */
  const make = (to: string, umask: string, env: Readonly<Record<string, string>>): void => {
    const section = { body: `${LINE}\n\n- **New**: a thing.` };
    const options = { folder: to, version: '1.2.3', section, revision: 'HEAD', epoch: EPOCH, level: 0 };
    const code = `process.umask(${umask});
      const { makeRelease } = await import('./scripts/release/make-release.mjs');
      const { writeSums } = await import('./scripts/release/sums.mjs');
      await makeRelease(${JSON.stringify(options)});
      writeSums(${JSON.stringify(to)});`;
    const made = run(process.execPath, ['--input-type=module', '--eval', code], { env });
    expect(made).toMatchObject({ status: 0, stderr: '' });
  };
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8');

  beforeAll(() => {
    folder = join(dir, 'one');
    make(folder, '0o022', { TZ: 'UTC' });
  }, 120_000);

  test('are these, and their sums are right', () => {
    const names = readdirSync(folder).map((name) => name.replace(/\d+\.\d+\.\d+/, 'VERSION'));
    expect(names.toSorted()).toEqual([
      'CHANGELOG.md',
      'NOTES.md',
      'SHA256SUMS',
      'alerts.yml',
      'grafana.json',
      'passport.example.yaml',
      'patron-passport-VERSION.cdx.json',
      'patron-passport-VERSION.kpz',
      'patron-passport-VERSION.spdx.json',
      'patron-passport-deploy-VERSION.tar.gz',
      'patron-passport_VERSION-1_all.deb',
    ]);
    const sums = run('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd: folder });
    expect(sums).toMatchObject({ status: 0, stderr: '' });
    expect(sums.stdout.trim().split('\n')).toHaveLength(readdirSync(folder).length - 1);
  });

  test('have the same bytes whoever makes them, and where', () => {
    const elsewhere = join(dir, 'elsewhere');
    mkdirSync(elsewhere);
    make(join(dir, 'two'), '0o077', { TZ: 'Pacific/Auckland', TMPDIR: elsewhere, LANG: 'C' });
    expect(readFileSync(join(dir, 'two/SHA256SUMS'), 'utf8')).toBe(read('SHA256SUMS'));
  }, 120_000);

  test('say how the version is installed, and left again', () => {
    expect(read('NOTES.md')).toMatch(/^# Patron Passport 1\.2\.3\n\nRolling: .* is safe with events/);
    expect(read('NOTES.md')).toContain('- **New**: a thing.');
  });

  test('bring what runs the images, and nothing of anybody', () => {
    const archive = join(folder, 'patron-passport-deploy-1.2.3.tar.gz');
    const names = run('tar', ['--list', '--gzip', '--file', archive]).stdout.trim().split('\n');
    const start = 'patron-passport-1.2.3/';
    for (const name of ['docker-compose.yml', '.env.example', 'deploy/kubernetes/base/kustomization.yaml'])
      expect(names).toContain(`${start}${name}`);
    expect(names.filter((name) => !name.startsWith(start))).toEqual([]);
    expect(names.map((name) => basename(name))).not.toContain('passport.yaml');
  });
});
