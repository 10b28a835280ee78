import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { runCommand, say } from './run-command.mjs';

const PERL_MODULES = {
  Mojolicious: 'libmojolicious-perl',
  'Mojolicious::Plugin::OpenAPI': 'libmojolicious-plugin-openapi-perl',
  'LWP::UserAgent': 'libwww-perl',
  'Modern::Perl': 'libmodern-perl-perl',
  'Try::Tiny': 'libtry-tiny-perl',
  'Perl::Critic': 'libperl-critic-perl',
  'DBD::SQLite': 'libdbd-sqlite3-perl',
  CGI: 'libcgi-pm-perl',
  'Class::Inspector': 'libclass-inspector-perl',
  'Crypt::OpenSSL::RSA': 'libcrypt-openssl-rsa-perl',
  Template: 'libtemplate-perl',
};

/** What the plugin's own pages need in the demo (apps/koha-plugin, t/bin/plugin-page.pl). */
const PAGE_MODULES = ['Mojolicious', 'Modern::Perl', 'DBD::SQLite', 'CGI', 'Class::Inspector', 'Template'];

const HEADLESS_CHROMIUM = 'chromium-headless-shell';
const BROWSERS = [HEADLESS_CHROMIUM, 'chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/**
 * What a command may need of the machine: the Debian packages that bring what is `missing`, and those to `install` where that
 * may be done, if they are others.
 */
const NEEDS = {
  redis: { missing: () => (has('redis-server') || has('valkey-server') ? [] : ['redis-server']) },
  promtool: { missing: () => (has('promtool') ? [] : ['promtool']) },
  amtool: { missing: () => (has('amtool') ? [] : ['prometheus-alertmanager']) },
  kustomize: { missing: () => (has('kustomize') ? [] : ['kustomize']) },
  shells: { missing: () => ['zsh', 'fish'].filter((shell) => !has(shell)) },
  nginx: { missing: () => (has('nginx') || existsSync('/usr/sbin/nginx') ? [] : ['nginx-light']) },
  openssl: { missing: () => (has('openssl') ? [] : ['openssl']) },
  browser: {
    missing: () => (BROWSERS.some(has) ? [] : [HEADLESS_CHROMIUM]),
    // Beside another one too: without windows it takes half the processor time of a whole Chromium.
    install: () => (has(HEADLESS_CHROMIUM) ? [] : [HEADLESS_CHROMIUM]),
  },
  plugin: { missing: () => ['make', 'zip'].filter((tool) => !has(tool)) },
  perl: { missing: () => missingPerl() },
  'plugin-pages': { missing: () => missingPerl(PAGE_MODULES, ['perl']) },
  mariadb: { missing: missingMariaDb },
};

/** What all tests can use beside Redis. */
export const TESTED_WITH = [
  'perl',
  'mariadb',
  'plugin',
  'browser',
  'openssl',
  'promtool',
  'amtool',
  'shells',
  'kustomize',
];

/**
 * Checks that the machine has what is needed, and installs it from Debian's packages where it may. Returns the needs
 * that are still not met; each is reported in one line. Quiet when nothing is missing.
 */
export async function ensureSystemPackages(needs) {
  const packages = await packagesToInstall(needs);
  if (packages.length === 0) return [];
  if (process.getuid?.() === 0 && has('apt-get')) await aptInstall(packages);
  const unmet = [];
  for (const need of needs) {
    const left = await NEEDS[need].missing();
    if (left.length === 0) continue;
    say(
      `Not on this machine: ${need}. Install it, on Debian or Ubuntu: sudo apt-get install ${left.join(' ')}`,
    );
    unmet.push(need);
  }
  return unmet;
}

/** Whether the machine has what a need names, without installing anything. */
export const isMet = async (need) => (await NEEDS[need].missing()).length === 0;

async function packagesToInstall(needs) {
  const lists = await Promise.all(
    needs.map((need) => {
      const { missing, install = missing } = NEEDS[need];
      return install();
    }),
  );
  return [...new Set(lists.flat())];
}

async function aptInstall(packages) {
  say(`Installing ${packages.join(' ')}`);
  // RUNLEVEL=1: a packaged redis-server must not be started as a service of this machine.
  const env = { DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const apt = (...args) => runCommand('apt-get', args, { env });
  const install = ['install', '--yes', '--no-install-recommends'];
  await apt('update');
  if ((await apt(...install, ...packages)).code === 0) return;
  // One that this release does not have must not keep the others away.
  for (const name of packages) {
    const { code, output } = await apt(...install, name);
    if (code !== 0) say(output.split('\n').slice(-5).join('\n'));
  }
}

async function missingPerl(modules = Object.keys(PERL_MODULES), tools = ['perl', 'prove']) {
  if (!tools.every(has)) return ['perl', ...modules.map((module) => PERL_MODULES[module])];
  const checks = modules.map(async (module) => {
    const { code } = await runCommand('perl', [`-M${module}`, '-e', '1']);
    return code === 0 ? [] : [PERL_MODULES[module]];
  });
  return (await Promise.all(checks)).flat();
}

/** The server's program alone: the tests start one of their own, and no service of this machine is wanted. */
async function missingMariaDb() {
  const isThere = has('mariadbd') || existsSync('/usr/sbin/mariadbd');
  const { code } = await runCommand('perl', ['-MDBD::mysql', '-e', '1']);
  return [
    ...(isThere ? [] : ['mariadb-server-core', 'mariadb-client-core']),
    ...(code === 0 ? [] : ['libdbd-mysql-perl']),
  ];
}

/** Whether a program of that name is on the PATH. */
export function has(program) {
  return (process.env.PATH ?? '').split(delimiter).some((dir) => {
    try {
      accessSync(join(dir, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
