import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const SCRIPT = join(ROOT, 'deploy/koha-testing/koha-testing');

/**
 * Stands in for `docker compose`: writes down what it is asked for, has a folder for each Koha's container, and runs in it what would run
 * there, with the plugin's own code over the stand-ins of its tests (apps/koha-plugin/t/lib/Passport/Container.pm). `cli` is the
 * built command.
 */
const DOCKER = `#!/bin/bash
set -euo pipefail
printf '%s\\n' "$*" | sed -E 's/^compose .*compose\\.yml (.*)/\\1/' >>"$LAB/calls"
while [[ $1 != --file || $3 == --file ]]; do shift; done
shift 2
cd "$LAB"
case "$1" in
  down) rm -rf containers ;;
  up) for name; do case $name in home | lending) mkdir -p "containers/$name"; cp SIPconfig.xml "containers/$name"; touch "containers/$name/ktd_ready" ;; esac; done ;;
  exec)
    container=containers/$3
    case "$4" in
      test) [[ -e $container/ktd_ready ]] ;;
      sed) sed "\${@:5:$#-5}" "$container/SIPconfig.xml" ;;
      koha-shell)
        export PASSPORT_CONTAINER=$LAB/$container PERL5LIB=$ROOT/apps/koha-plugin/t/lib PERL5OPT=-MPassport::Container
        sh -c "\${7//\\/passport\\//$ROOT}" ;;
    esac ;;
  run)
    case "$5" in
      secret | config)
        if [[ $5 == config ]]; then sed "s#/etc/passport/#$KOHA_TESTING_DIR/etc/#" "$KOHA_TESTING_DIR/etc/config/passport.yaml" >passport.yaml; fi
        PASSPORT_CONFIG=$LAB/passport.yaml "$NODE" "$ROOT/apps/cli/bin/passport.js" "\${@:5}" ;;
      rehearse) echo '{"rehearsal":"of the real command"}' ;;
    esac ;;
esac
`;

/** What the image copies to its instance, as far as something of it is changed (`debian/templates/SIPconfig.xml`). */
const SIP_CONFIG = `<server-params
    min_servers='1'
    min_spare_servers='0' />
<service port="8023/tcp" transport="telnet" />
<service port="127.0.0.1:6001/tcp/IPv4" transport="RAW" protocol="SIP/2.00" />
<login id="term1" password="term1" institution="CPL" />
`;

let lab: string;
const at = (...parts: string[]): string => join(lab, ...parts);
const read = (...parts: string[]): string => readFileSync(at(...parts), 'utf8');
const env = (): NodeJS.ProcessEnv => ({
  ...process.env,
  PATH: `${at('bin')}:${process.env['PATH'] ?? ''}`,
  LAB: lab,
  ROOT,
  NODE: process.execPath,
  KOHA_TESTING_DIR: at('kept'),
  KOHA_REPOSITORY: at('koha.git'),
  KOHA_TESTING_DOCKER_REPOSITORY: at('ktd.git'),
});
const run = (command: string, args: readonly string[], cwd = lab) =>
  spawnSync(command, args, { env: env(), cwd, encoding: 'utf8' });
const koha = (...args: string[]) => run(SCRIPT, args);

/** A repository with a commit on each of these branches. */
function makeRepository(name: string, file: string, branches: readonly string[]): void {
  mkdirSync(dirname(at(name, file)), { recursive: true });
  const git = (...args: string[]) =>
    expect(
      run('git', ['-c', 'user.name=x', '-c', 'user.email=x@example.org', ...args], at(name)).status,
    ).toBe(0);
  git('init', '--quiet', '--initial-branch', branches[0] ?? 'main');
  for (const branch of branches) {
    git('checkout', '--quiet', '-B', branch);
    writeFileSync(at(name, file), `${branch}\n`);
    git('add', '.');
    git('commit', '--quiet', '--message', branch);
  }
}

beforeEach(() => {
  lab = mkdtempSync(join(tmpdir(), 'passport-koha-testing-'));
  mkdirSync(at('bin'));
  writeFileSync(at('bin/docker'), DOCKER);
  chmodSync(at('bin/docker'), 0o755);
  writeFileSync(at('SIPconfig.xml'), SIP_CONFIG);
  makeRepository('koha.git', 'Koha.pm', ['main', '24.11.x', '25.11.x', '26.05.x', '26.05.x-security']);
  makeRepository('ktd.git', 'env/defaults.env', ['main']);
});
afterEach(() => rmSync(lab, { recursive: true, force: true }));

const calls = (): string[] => read('calls').trim().split('\n');
const keyOf = (library: string): string[] =>
  ['client_id', 'client_secret'].map((name) => read('kept/etc/secrets/koha', `${library}_${name}`));
/** What the plugin of that Koha has stored, as its own code reads it. */
function settingsOf(library: string): unknown {
  const program = `unshift @INC, $C4::Context::CONFIG{pluginsdir}; require Koha::Plugin::Org::PatronPassport;
    my $settings = Koha::Plugin::Org::PatronPassport->running->settings;
    print join "\\n", @{$settings}{qw(library receiver_url secret service_user)}`;
  const { stdout, stderr } = spawnSync('perl', ['-e', program], {
    env: {
      ...env(),
      PASSPORT_CONTAINER: at('containers', library),
      PERL5LIB: join(ROOT, 'apps/koha-plugin/t/lib'),
      PERL5OPT: '-MPassport::Container',
    },
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  return stdout.split('\n');
}

describe('two Kohas by one script, on what answers like their containers', () => {
  test('it sets both up with the service, repeats nothing that is done, and begins anew where it has to', () => {
    const { status, stderr } = koha('up', 'oldstable');
    expect({ status, stderr }).toEqual({
      status: 0,
      stderr: expect.stringContaining('25.11.x') as unknown as string,
    });
    for (const library of ['home', 'lending']) {
      expect(read('kept/koha', library, 'Koha.pm')).toBe('25.11.x\n');
      expect(keyOf(library)).toEqual([expect.stringMatching(/^\S+$/), expect.stringMatching(/^\S+$/)]);
      const secret = read('kept/etc/secrets/webhook', library).trim();
      expect(settingsOf(library)).toEqual([library, 'http://receiver:8080', secret, '2']);
    }
    expect(keyOf('home')).not.toEqual(keyOf('lending'));
    const sip = SIP_CONFIG.replace("min_servers='1'", "min_servers='1' ipv='4'").replace(
      '127.0.0.1:6001/tcp/IPv4',
      '6001/tcp',
    );
    expect(read('containers/lending/SIPconfig.xml')).toBe(sip);
    expect(read('kept/env')).toContain('KOHA_IMAGE=25.11\n');
    expect(statSync(at('kept')).mode & 0o777).toBe(0o700);
    const order = [
      'up --detach --wait --wait-timeout 3600 home',
      'config check',
      'receiver worker',
      'doctor',
    ];
    const places = order.map((part) => calls().findIndex((call) => call.includes(part)));
    expect(places).toEqual([...places].sort((one, other) => one - other));
    expect(places).not.toContain(-1);
    // What a worker of Koha has loaded stays loaded: it is restarted after the plugin was installed.
    const setUp = calls().findIndex((call) => call.includes('exec -T lending koha-shell'));
    expect(calls()[setUp + 2]).toMatch(
      /exec -T lending sh -c .*koha-plack --restart .*koha-worker --restart/,
    );

    // Again, with a key that is on this machine no more: that one is replaced, and all else is as it was.
    const before = [keyOf('home'), keyOf('lending'), settingsOf('home'), settingsOf('lending')];
    rmSync(at('kept/etc/secrets/koha/home_client_id'));
    rmSync(at('calls'));
    expect(koha('up', 'oldstable')).toMatchObject({ status: 0 });
    expect(keyOf('home')).not.toEqual(before[0]);
    expect([keyOf('lending'), settingsOf('home'), settingsOf('lending')]).toEqual(before.slice(1));
    expect(read('containers/lending/SIPconfig.xml')).toBe(sip);
    expect(calls().filter((call) => /^(?:down|up .*lending)/.test(call))).toEqual([]);

    // One that was stopped would refuse its own database.
    rmSync(at('containers/lending/ktd_ready'));
    expect(koha('up', 'oldstable')).toMatchObject({ status: 0 });
    expect(keyOf('lending')).not.toEqual(before[1]);
    expect(koha('up', 'stable')).toMatchObject({ status: 0 });
    expect(read('kept/koha/home/Koha.pm')).toBe('26.05.x\n');
    expect(calls().filter((call) => call.startsWith('down --volumes'))).toHaveLength(2);

    expect(koha('rehearse')).toMatchObject({ status: 0 });
    expect(readdirSync(at('kept/reports'))).toEqual(['rehearsal.json']);
    expect(calls().at(-1)).toMatch(/cli rehearse .*--sip lending:6001 --sip-user term1/);
    expect(koha('down')).toMatchObject({ status: 0 });
    expect(existsSync(at('containers'))).toBe(false);
  });

  test('what fails in a Koha ends the script there, and the service is not started', () => {
    mkdirSync(at('kept/etc/secrets/webhook'), { recursive: true });
    writeFileSync(at('kept/etc/secrets/webhook/home'), 'no secret');
    const { status, stderr } = koha('up');
    expect({ stderr }).toMatchObject({
      stderr: expect.stringContaining('refuses its settings: secret') as unknown as string,
    });
    expect(status).not.toBe(0);
    expect(calls().filter((call) => call.includes('receiver worker'))).toEqual([]);
  });

  test('a release that is none, and a command that is none, start nothing', () => {
    expect(koha('up', 'newest')).toMatchObject({
      status: 1,
      stderr: 'koha-testing: no release of Koha: newest (main, stable, oldstable, or one such as 24.11)\n',
    });
    expect(koha()).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('koha-testing up') as unknown as string,
    });
    expect(existsSync(at('calls'))).toBe(false);
    expect(existsSync(at('kept/koha'))).toBe(false);
  });
});

interface Service {
  readonly image?: string;
  readonly networks?: unknown;
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}
const services = (file: string): Readonly<Record<string, Service>> =>
  (parse(readFileSync(join(ROOT, file), 'utf8'), { merge: true }) as { services: Record<string, Service> })
    .services;

describe('its compose file', () => {
  const ours = services('deploy/koha-testing/compose.yml');
  const product = services('docker-compose.yml');

  test('gives each Koha a database and a cache of its own, under the names that are written into the image', () => {
    for (const library of ['home', 'lending']) {
      expect(ours[library]?.networks).toEqual(['default', library]);
      expect(ours[`${library}-db`]?.networks).toEqual({ [library]: { aliases: ['db'] } });
      expect(ours[`${library}-memcached`]?.networks).toEqual({ [library]: { aliases: ['memcached'] } });
    }
  });

  test('changes only mounts of the service that are there, and publishes nothing beyond this machine', () => {
    const mounted = (service: Service | undefined) =>
      (service?.volumes ?? []).map((volume) => volume.split(':').find((part) => /^\/[a-z]/.test(part)));
    for (const [name, service] of Object.entries(ours)) {
      if (product[name] !== undefined)
        expect(mounted(product[name])).toEqual(expect.arrayContaining(mounted(service)));
      for (const port of service.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:/);
    }
  });

  test('gives the rehearsal the password of the image’s SIP account', () => {
    expect(ours['cli']?.environment).toEqual({ PASSPORT_SIP_PASSWORD: 'term1' });
  });

  test('every file that it mounts of this repository is there', () => {
    const own = Object.values(ours).flatMap(({ volumes = [] }) =>
      volumes.filter((volume) => volume.startsWith('./')),
    );
    expect(own.length).toBeGreaterThan(0);
    for (const volume of own) expect(existsSync(join(ROOT, volume.split(':')[0] ?? ''))).toBe(true);
  });
});
