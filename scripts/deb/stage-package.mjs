import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, cpSync, lstatSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { projectRoot } from '../run-command.mjs';
import { buildManPages } from './man-pages.mjs';

const APPS = ['receiver', 'worker', 'dashboard', 'cli'];
const UNITS = ['receiver', 'worker@', 'dashboard', 'redis'].map((name) => `patron-passport-${name}.service`);
const HOME = 'usr/lib/patron-passport';
const DOC = 'usr/share/doc/patron-passport';
const DEBIAN = join(projectRoot, 'packaging/debian');
/** How audit lines are kept (docs/logs.md). */
const KEPT_LOGS = [
  'journald.conf',
  'passport-keep-audit',
  'patron-passport-audit.logrotate',
  'patron-passport-audit.service',
  'patron-passport-audit.timer',
];
const COMPLETIONS = {
  bash: 'usr/share/bash-completion/completions/passport',
  zsh: 'usr/share/zsh/vendor-completions/_passport',
  fish: 'usr/share/fish/vendor_completions.d/passport.fish',
};
const PROGRAMS =
  /^(?:DEBIAN\/(?:config|postinst|prerm|postrm)|usr\/bin\/.+|usr\/lib\/patron-passport\/queue-server)$/;

/**
 * Lays out in the folder `stage` what the package holds, from what the last build made. `epoch` (seconds) is the date of all that has one.
 */
export async function stagePackage(stage, { version, debianVersion, epoch }) {
  const copy = (from, to) => {
    mkdirSync(dirname(join(stage, to)), { recursive: true });
    cpSync(join(projectRoot, from), join(stage, to), { recursive: true });
  };
  const write = (to, content) => {
    mkdirSync(dirname(join(stage, to)), { recursive: true });
    writeFileSync(join(stage, to), content);
  };
  const own = (name, to) => copy(`packaging/debian/${name}`, to);

  for (const app of APPS) {
    for (const file of ['package.json', 'dist/main.js', 'dist/main.js.map'])
      copy(`apps/${app}/${file}`, `${HOME}/apps/${app}/${file}`);
  }
  copy('apps/receiver/dist/join', `${HOME}/apps/receiver/dist/join`);
  copy('apps/dashboard/assets', `${HOME}/apps/dashboard/assets`);
  copy('apps/dashboard/dist/runbook.html', `${HOME}/apps/dashboard/dist/runbook.html`);
  for (const part of ['package.json', 'dist'])
    copy(`node_modules/@bull-board/ui/${part}`, `${HOME}/node_modules/@bull-board/ui/${part}`);

  own('passport', 'usr/bin/passport');
  own('queue-server', `${HOME}/queue-server`);
  own('lintian-overrides', 'usr/share/lintian/overrides/patron-passport');
  for (const unit of UNITS) own(unit, `usr/lib/systemd/system/${unit}`);
  for (const name of ['environment', 'redis.conf']) own(name, `etc/patron-passport/${name}`);
  const date = new Date(epoch * 1_000);
  const manual = await buildManPages({ version, date: date.toISOString().slice(0, 10) });
  for (const { file, text } of manual) write(`usr/share/man/man1/${file}.gz`, compress(`${text}\n`));

  for (const [shell, file] of Object.entries(COMPLETIONS)) write(file, completion(shell));

  for (const name of readdirSync(join(projectRoot, 'docs')).filter((each) => each.endsWith('.md')))
    copy(`docs/${name}`, `${DOC}/${name}`);
  copy('passport.example.yaml', `${DOC}/examples/passport.yaml`);
  copy('deploy/prometheus/alerts.yml', `${DOC}/examples/alerts.yml`);
  copy('deploy/grafana/patron-passport.json', `${DOC}/examples/grafana.json`);
  for (const name of KEPT_LOGS) copy(`deploy/logging/${name}`, `${DOC}/examples/${name}`);
  write(`${DOC}/changelog.gz`, compress(readFileSync(join(projectRoot, 'CHANGELOG.md'))));
  write(`${DOC}/changelog.Debian.gz`, compress(debianChangelog(debianVersion, date)));
  write(`${DOC}/copyright`, copyright());

  const size = installedSize(stage);
  const control = readFileSync(join(DEBIAN, 'control'), 'utf8');
  write('DEBIAN/control', control.replace('@VERSION@', debianVersion).replace('@SIZE@', String(size)));
  for (const name of ['config', 'postinst', 'prerm', 'postrm', 'templates']) own(name, `DEBIAN/${name}`);
  const files = filesIn(stage).filter((file) => !file.startsWith('DEBIAN/'));
  const configuration = files.filter((file) => file.startsWith('etc/'));
  write('DEBIAN/conffiles', configuration.map((file) => `/${file}\n`).join(''));
  const summed = files.filter((file) => !configuration.includes(file));
  write('DEBIAN/md5sums', summed.map((file) => `${md5(join(stage, file))}  ${file}\n`).join(''));
  setModes(stage);
}

/** As the command itself prints it. */
function completion(shell) {
  const program = join(projectRoot, 'apps/cli/dist/main.js');
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, 'completion', shell], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`passport completion ${shell}: ${stderr}`);
  return stdout;
}

/** Without the name and the time of the file. */
const compress = (content) => gzipSync(content, { level: 9 });

const md5 = (path) => createHash('md5').update(readFileSync(path)).digest('hex');

/** Paths of all files below a folder, sorted by bytes. */
function filesIn(folder) {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => lstatSync(join(folder, name)).isFile())
    .toSorted((left, right) => (left < right ? -1 : 1));
}

/** As dpkg-gencontrol counts: files in whole KiB, anything else as one. */
function installedSize(stage) {
  return readdirSync(stage, { recursive: true, encoding: 'utf8' })
    .map((name) => lstatSync(join(stage, name)))
    .reduce((sum, stat) => sum + (stat.isFile() ? Math.ceil(stat.size / 1_024) : 1), 0);
}

/** Whatever the umask of whoever builds. */
function setModes(stage) {
  for (const name of readdirSync(stage, { recursive: true, encoding: 'utf8' })) {
    const path = join(stage, name);
    chmodSync(path, lstatSync(path).isDirectory() || PROGRAMS.test(name) ? 0o755 : 0o644);
  }
  chmodSync(stage, 0o755);
}

function debianChangelog(version, date) {
  const maintainer = /^Maintainer: (.+)$/m.exec(readFileSync(join(DEBIAN, 'control'), 'utf8'))[1];
  const when = date.toUTCString().replace('GMT', '+0000');
  return `patron-passport (${version}) unstable; urgency=medium\n\n  * See changelog.gz.\n\n -- ${maintainer}  ${when}\n`;
}

/** Our licence, and that of each library that is bundled, with its text. */
function copyright() {
  const own = readFileSync(join(DEBIAN, 'copyright'), 'utf8');
  const separator = `${'-'.repeat(80)}\n`;
  const lists = APPS.map((app) => readFileSync(join(projectRoot, `apps/${app}/dist/LICENSES.txt`), 'utf8'));
  const entries = [...new Set(lists.flatMap((list) => list.split(separator).map(withoutCommonLicenses)))];
  const sorted = entries.toSorted((left, right) => (left < right ? -1 : 1));
  const comment =
    'Comment: libraries that are bundled into the programs, each with its licence, follow this line.\n';
  return `${own}${comment}\n${sorted.map((entry) => `${separator}${entry}`).join('')}`;
}

/** Debian has the text of the Apache License on every machine, and wants no other copy. */
const withoutCommonLicenses = (entry) =>
  entry
    .replaceAll('\r', '')
    .replace(
      /^ *Apache License\n *Version 2\.0, January 2004\n[^]*?(?:END OF TERMS AND CONDITIONS\n|$)/m,
      'The text of the Apache License, version 2.0, is in /usr/share/common-licenses/Apache-2.0.\n',
    );

/** Packs a staged folder. The same folder gives the same bytes wherever xz is the same. */
export function packDeb(stage, file, { epoch, level }) {
  const args = ['--root-owner-group', '-Zxz', `-z${level}`, '--threads-max=1', '--build', stage, file];
  const env = { ...process.env, SOURCE_DATE_EPOCH: String(epoch) };
  const { status, stderr, error } = spawnSync('dpkg-deb', args, { env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`dpkg-deb: ${error?.message ?? stderr}`);
}
