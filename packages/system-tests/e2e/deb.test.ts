import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { findProgram } from '@passport/testkit';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const EPOCH = 1_795_000_000;
const PROCESSES = ['receiver', 'worker@', 'dashboard'] as const;
const UNITS = [...PROCESSES, 'redis'];

const isDebian = findProgram('dpkg-deb') !== null;
const describeDebian = isDebian ? describe : describe.skip;
const note = isDebian ? '' : ' (skipped: dpkg-deb is not on this machine)';

const run = (command: string, args: readonly string[]) => {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd: ROOT,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] },
    maxBuffer: 1e8,
  });
  return { status, stdout, stderr };
};

/** Packs what was built, as `npm run package:deb` does after the build. That it has the same bytes wherever: release.test.ts. */
function pack(folder: string): string {
  const code = `const { makePackage } = await import('./scripts/deb/make-package.mjs');
    console.log(await makePackage(${JSON.stringify(folder)}, ${EPOCH}, { level: 0 }));`;
  const { stdout, stderr } = run(process.execPath, ['--input-type=module', '--eval', code]);
  if (stdout === '') throw new Error(stderr);
  return stdout.trim();
}

describeDebian(`the Debian package${note}`, () => {
  let dir: string;
  let deb: string;
  const tree = () => join(dir, 'tree');
  const read = (path: string): string => readFileSync(join(tree(), path), 'utf8');
  const unit = (name: string): string => read(`usr/lib/systemd/system/patron-passport-${name}.service`);
  const valuesOf = (name: string, key: string): readonly string[] =>
    Array.from(unit(name).matchAll(new RegExp(`^${key}=(.*)$`, 'gm')), ([, value]) => value ?? '');

  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'passport-deb-test-'));
    deb = pack(join(dir, 'one'));
    mkdirSync(tree());
    expect(run('dpkg-deb', ['--raw-extract', deb, tree()])).toMatchObject({ status: 0, stderr: '' });
  }, 120_000);
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  test('holds the processes, the command, its manual, units, settings and documents, and nothing else', () => {
    const { stdout } = run('dpkg-deb', ['--contents', deb]);
    const entries = stdout
      .trim()
      .split('\n')
      .map((line) => /^(\S+) (\S+) +\d+ \S+ \S+ \.(\/.*)$/.exec(line)?.slice(1) ?? [line]);
    const modes = new Set(entries.map(([mode = '', owner = '']) => `${mode} ${owner}`));
    expect([...modes].toSorted()).toEqual([
      '-rw-r--r-- root/root',
      '-rwxr-xr-x root/root',
      'drwxr-xr-x root/root',
    ]);
    const programs = entries.filter(([mode = '']) => mode.startsWith('-rwx')).map(([, , path]) => path);
    expect(programs).toEqual(['/usr/bin/passport', '/usr/lib/patron-passport/queue-server']);
    const files = entries.filter(([mode = '']) => mode.startsWith('-')).map(([, , path = '']) => path);
    const bundles = [
      ...['receiver', 'worker', 'dashboard', 'cli'].map((app) => `${app}/dist/main.js`),
      'dashboard/dist/runbook.html',
      'receiver/dist/join/guide.html',
    ].map((file) => `/usr/lib/patron-passport/apps/${file}`);
    const units = UNITS.map((name) => `/usr/lib/systemd/system/patron-passport-${name}.service`);
    expect(files).toEqual(expect.arrayContaining([...bundles, ...units]));
    const known = [
      /^\/etc\/patron-passport\/(?:environment|redis\.conf)$/,
      /^\/usr\/bin\/passport$/,
      /^\/usr\/lib\/patron-passport\/(?:queue-server|apps\/\w+\/(?:package\.json|dist\/main\.js(?:\.map)?))$/,
      /^\/usr\/lib\/patron-passport\/apps\/(?:dashboard\/dist\/runbook\.html|receiver\/dist\/join\/(?:guide\.html|patron-passport-[\d.]+\.kpz))$/,
      /^\/usr\/lib\/patron-passport\/(?:apps\/dashboard\/assets|node_modules\/@bull-board\/ui)\//,
      /^\/usr\/lib\/systemd\/system\/patron-passport-/,
      /^\/usr\/share\/lintian\/overrides\/patron-passport$/,
      /^\/usr\/share\/(?:bash-completion\/completions\/passport|zsh\/vendor-completions\/_passport|fish\/vendor_completions\.d\/passport\.fish)$/,
      /^\/usr\/share\/man\/man1\/passport[\w-]*\.1\.gz$/,
      /^\/usr\/share\/doc\/patron-passport\/(?:copyright|changelog(?:\.Debian)?\.gz|[\w-]+\.md|examples\/[\w-]+(?:\.\w+)?)$/,
    ];
    expect(files.filter((file) => !known.some((pattern) => pattern.test(file)))).toEqual([]);
  });

  test('says what it needs, what is configuration, and the sum of each other file', () => {
    const { engines } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      engines: { node: string };
    };
    const control = read('DEBIAN/control');
    expect(control).toContain(`nodejs (>= ${engines.node.replace('>=', '')})`);
    expect(control).toMatch(/^Depends: .*redis-server \([^)]*\) \| valkey-server/m);
    expect(control).not.toMatch(/@[A-Z]+@/);
    expect(read('DEBIAN/conffiles')).toBe(
      '/etc/patron-passport/environment\n/etc/patron-passport/redis.conf\n',
    );
    const sums = read('DEBIAN/md5sums').trim().split('\n');
    expect(sums.length).toBeGreaterThan(30);
    for (const line of sums) {
      const [sum, file = ''] = line.split('  ');
      const actual = createHash('md5')
        .update(readFileSync(join(tree(), file)))
        .digest('hex');
      expect({ file, sum }).toEqual({ file, sum: actual });
    }
  });

  test('names the licence of each bundled library', () => {
    const copyright = read('usr/share/doc/patron-passport/copyright');
    for (const name of ['bullmq', 'fastify', '@bull-board/ui', 'got', 'commander'])
      expect(copyright).toMatch(new RegExp(`^${name} \\S+ \\(MIT\\)$`, 'm'));
  });

  test('gives each process the secrets that it uses and no others', () => {
    const held = Object.fromEntries(
      UNITS.map((name) => [name, valuesOf(name, 'LoadCredential').map((value) => value.split(':')[0])]),
    );
    expect(held).toEqual({
      receiver: ['redis_url', 'passport_key', 'webhook.env', 'notify.env'],
      'worker@': ['redis_url', 'passport_key', 'koha.env', 'notify.env'],
      dashboard: ['redis_url', 'dashboard_password', 'dashboard_viewer_password', 'users.env'],
      redis: ['redis_auth.conf'],
    });
    const secrets = '/etc/patron-passport/secrets/';
    for (const name of UNITS) {
      for (const credential of valuesOf(name, 'LoadCredential'))
        expect(credential).toMatch(new RegExp(`^([\\w.]+):${secrets}\\1$`));
      expect(unit(name).replaceAll(/^LoadCredential=.*$/gm, '')).not.toContain(secrets);
    }
  });

  test.each(UNITS)('runs %s as a user of its own that can write nothing else, within limits', (name) => {
    const hardened = {
      DynamicUser: 'yes',
      ProtectSystem: 'strict',
      ProtectHome: 'yes',
      PrivateDevices: 'yes',
      NoNewPrivileges: 'yes',
      CapabilityBoundingSet: '',
      LimitCORE: '0',
      UMask: '0077',
    };
    for (const [key, value] of Object.entries(hardened))
      expect({ key, values: valuesOf(name, key) }).toEqual({ key, values: [value] });
    expect(valuesOf(name, 'User')).toEqual([`patron-passport-${name.replace('@', '')}`]);
    expect(valuesOf(name, 'MemoryMax')[0]).toMatch(/^\d+M$/);
    expect(Number(valuesOf(name, 'TasksMax')[0])).toBeLessThanOrEqual(128);
  });

  test('lets dashboard and Redis speak to this machine alone: they call nobody, and their clients are here', () => {
    const allowed = Object.fromEntries(
      UNITS.map((name) => [name, [valuesOf(name, 'IPAddressDeny'), valuesOf(name, 'IPAddressAllow')]]),
    );
    expect(allowed).toEqual({
      // Endpoints that are notified, and traces, go anywhere; so do calls to Kohas.
      receiver: [[], []],
      'worker@': [[], []],
      dashboard: [['any'], ['localhost']],
      redis: [['any'], ['localhost']],
    });
    expect(read('etc/patron-passport/redis.conf')).toMatch(/^bind 127\.0\.0\.1(?: |$)/m);
  });

  test.each(PROCESSES)(
    'has every line of the %s in the journal, under the name that audit lines are found by',
    (name) => {
      expect(valuesOf(name, 'SyslogIdentifier')).toEqual(['patron-passport']);
      expect(valuesOf(name, 'LogRateLimitIntervalSec')).toEqual(['0']);
    },
  );

  test.each(PROCESSES)('bounds the heap of the %s below its memory, and watches and drains it', (name) => {
    const [command = ''] = valuesOf(name, 'ExecStart');
    const heap = Number(/--max-old-space-size=(\d+)/.exec(command)?.[1]);
    expect(Number.parseInt(valuesOf(name, 'MemoryMax')[0] ?? '', 10) - heap).toBeGreaterThanOrEqual(128);
    expect(valuesOf(name, 'Type')).toEqual(['notify']);
    expect(Number(valuesOf(name, 'WatchdogSec')[0])).toBeGreaterThanOrEqual(30);
    // SHUTDOWN_GRACE is 25 s, and each thing that is closed has another second.
    expect(Number(valuesOf(name, 'TimeoutStopSec')[0])).toBeGreaterThanOrEqual(40);
    expect(valuesOf(name, 'KillMode')).toEqual(['mixed']);
    expect(valuesOf(name, 'ExecReload')).toEqual(["/usr/bin/sh -c 'kill -HUP $MAINPID'"]);
  });

  const systemdTest = findProgram('systemd-analyze') === null ? test.skip : test;
  systemdTest('has units that systemd understands', () => {
    // What the package depends on, so that the commands of the units are there.
    for (const program of ['node', 'sh']) {
      writeFileSync(join(tree(), 'usr/bin', program), '#!/bin/sh\n');
      chmodSync(join(tree(), 'usr/bin', program), 0o755);
    }
    const files = UNITS.map((name) => `patron-passport-${name.replace('@', '@1')}.service`);
    const args = ['verify', '--man=no', '--recursive-errors=no', `--root=${tree()}`, ...files];
    expect(run('systemd-analyze', args)).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  test.each(['DEBIAN/config', 'DEBIAN/postinst', 'DEBIAN/prerm', 'DEBIAN/postrm', 'usr/bin/passport'])(
    '%s is a shell script',
    (script) => {
      expect(run('sh', ['-n', join(tree(), script)])).toEqual({ status: 0, stdout: '', stderr: '' });
    },
  );

  test.each([
    ['bash-completion/completions/passport', 'complete -o default -F _passport passport'],
    ['zsh/vendor-completions/_passport', '#compdef passport'],
    ['fish/vendor_completions.d/passport.fish', 'complete -c passport -e'],
  ])('completes the commands in %s', (file, start) => {
    const script = read(`usr/share/${file}`);
    // The script asks the command that is installed, whose answers apps/cli tests.
    for (const text of [start, 'passport __complete']) expect(script).toContain(text);
  });

  test('has a page of the manual for each command', () => {
    const pages = readdirSync(join(tree(), 'usr/share/man/man1')).map((name) => name.replace('.1.gz', ''));
    expect(pages).toEqual(expect.arrayContaining(['passport', 'passport-doctor', 'passport-events-retry']));
    const page = gunzipSync(readFileSync(join(tree(), 'usr/share/man/man1/passport-send.1.gz'))).toString();
    expect(page).toMatch(/^\.TH PASSPORT\\-SEND 1 2026-11-18 "Patron Passport \S+"$/m);
    for (const text of ['.SH EXAMPLES', '\\fB\\-\\-wait\\fR', '.SH EXIT STATUS'])
      expect(page).toContain(text);
    expect(existsSync(join(tree(), 'usr/share/man/man1/passport-events.1.gz'))).toBe(false);
  });
});
