// `npm run test:deb`: the Debian package where it is meant to be, a bare Debian 13 with systemd as process 1: installed,
// configured from the example, scanned with, upgraded during scans, removed and purged. As root on Debian, with a network.
import { createHash, randomBytes } from 'node:crypto';
import { cpSync, existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { aptInTree, boot, makeTree, must, until } from './deb/machine.mjs';
import { makePackage } from './deb/make-package.mjs';
import { projectRoot, say } from './run-command.mjs';
import { setUp } from './set-up.mjs';
import { counts, endSteps, step } from './steps.mjs';
import { has } from './system-packages.mjs';

const LAB = '/var/tmp/passport-test-deb';
const EPOCH = 1_795_000_000;
const PROCESSES = ['receiver', 'dashboard', 'worker@1', 'worker@2'].map((name) => `patron-passport-${name}`);
const ALL = ['patron-passport-redis', ...PROCESSES];

function check(condition, text) {
  if (!condition) throw new Error(text);
}

async function run(root) {
  const packages = await builds();
  await step('a bare Debian 13 installs it with what it needs', async () => {
    await makeTree(root, join(LAB, 'archives'));
    for (const file of Object.values(packages)) cpSync(file, join(root, 'root', file.split('/').at(-1)));
    await aptInTree(root, 'update');
    const plan = await aptInTree(root, 'install', '--simulate', '/root/patron-passport_1.deb');
    check(/^Inst nodejs /m.test(plan) && /^Inst redis-server /m.test(plan), plan);
    // What is there without it, for the comparison at the end.
    await aptInTree(root, 'install', '--no-install-recommends', 'nodejs', 'redis-server');
    before = filesOf(root);
    await aptInTree(root, 'install', '--no-install-recommends', '/root/patron-passport_1.deb');
  });
  const machine = await boot(root);
  let doubles;
  try {
    doubles = await startDoubles(machine);
    await configureAndServe(machine, doubles.libraries);
    await watchAndUpgrade(machine, doubles.libraries);
    await removeAndPurge(machine, root);
  } catch (error) {
    say((await machine.run('journalctl --no-pager --lines 40 || true')).slice(-8_000));
    throw error;
  } finally {
    doubles?.stop();
    await machine.stop();
  }
}
let before;

/** The package twice, of two builds in two places; and the next version of it. */
async function builds() {
  const hash = (file) => createHash('sha256').update(readFileSync(file)).digest('hex');
  const first = await makePackage(join(LAB, 'out'), EPOCH);
  await step('two builds in two places have the same bytes', async () => {
    const other = join(LAB, 'elsewhere');
    rmSync(other, { recursive: true, force: true });
    const isSource = (path) =>
      path.includes('/node_modules/') || !/\/(?:\.git|dist|\.turbo|\.demo)$/.test(path);
    cpSync(projectRoot, other, { recursive: true, filter: isSource, verbatimSymlinks: true });
    for (const app of ['receiver', 'worker', 'dashboard', 'cli'])
      await must('node', ['../../scripts/bundle.mjs'], { cwd: join(other, 'apps', app) });
    await must('node', ['../../scripts/make-join-files.mjs'], { cwd: join(other, 'apps/receiver') });
    const code = `const { makePackage } = await import('./scripts/deb/make-package.mjs'); console.log(await makePackage('out', ${EPOCH}));`;
    const env = { TZ: 'Pacific/Auckland' };
    const built = await must('node', ['--input-type=module', '--eval', code], { cwd: other, env });
    check(hash(join(other, built.trim())) === hash(first), 'they differ');
    rmSync(other, { recursive: true, force: true });
  });
  await step('lintian finds no error and no warning', async () => {
    const found = await must('lintian', ['--allow-root', '--fail-on', 'error,warning', first]);
    check(!/^[EW]:/m.test(found), found);
  });
  const files = { now: join(LAB, 'patron-passport_1.deb'), next: join(LAB, 'patron-passport_2.deb') };
  cpSync(first, files.now);
  cpSync(await makePackage(join(LAB, 'out'), EPOCH, { revision: 2 }), files.next);
  return files;
}

async function startDoubles(machine) {
  const code = `import { startKohaDouble } from '@passport/koha-double';
    for (const [library, port] of [['midland', 8091], ['riverside', 8092]]) {
      const { url, credentials } = await startKohaDouble({ library, port, seed: library });
      const { clientId: client_id, clientSecret: client_secret } = credentials;
      console.log(JSON.stringify({ library, url, client_id, client_secret }));
    }`;
  const child = machine.beside(process.execPath, ['--input-type=module', '--eval', code], {
    cwd: projectRoot,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (output += text));
  const lines = await until('the stand-ins for Koha', () => {
    const all = output.trim().split('\n');
    return all.length === 2 ? all : null;
  });
  return { libraries: lines.map((line) => JSON.parse(line)), stop: () => child.kill() };
}

/** Cards of midland's plainly eligible patrons. */
async function cardsOf(machine) {
  const script = `const { patrons } = await (await fetch('http://127.0.0.1:8091/_double/state')).json();
    const good = patrons.filter((row) => /^21234\\d{9}$/.test(row.cardnumber) && row.category_id !== 'STAFF' && !row.restricted &&
      !row.patron_card_lost && !row.incorrect_address && !(row.account_balance > 0) && row.expiry_date > new Date().toISOString());
    console.log(JSON.stringify(good.map((row) => row.cardnumber)));`;
  return JSON.parse(await machine.run(`node --input-type=module -e "$(cat <<'END'\n${script}\nEND\n)"`));
}

async function configureAndServe(machine, libraries) {
  await step('configured from the example, all services are up', async () => {
    const example = machine.read('usr/share/doc/patron-passport/examples/passport.yaml');
    const [midland, riverside] = libraries;
    const yaml = example
      .replace('https://staff.midland.example.org', midland.url)
      .replace('https://koha.riverside.example.org', riverside.url)
      .replace('{ file: /run/secrets/riverside_client_secret }', '{ env: RIVERSIDE_CLIENT_SECRET }');
    machine.write('etc/patron-passport/passport.yaml', yaml);
    const secret = () => `whsec_${randomBytes(32).toString('base64')}`;
    const keys = [...libraries, { library: 'lakeside', client_id: 'lakeside-key', client_secret: secret() }];
    const kohaLines = keys.map(({ library, client_id: id, client_secret: value }) => {
      const name = library.toUpperCase();
      return `${name}_CLIENT_ID=${id}\n${name}_CLIENT_SECRET=${value}\n`;
    });
    const folder = 'etc/patron-passport/secrets';
    const append = (name, text) =>
      machine.write(`${folder}/${name}`, machine.read(`${folder}/${name}`) + text);
    append('koha.env', kohaLines.join(''));
    append('webhook.env', `MIDLAND_WEBHOOK_SECRET=${secret()}\nRIVERSIDE_WEBHOOK_SECRET=${secret()}\n`);
    await machine.run('passport config check');
    await machine.run(`systemctl enable --now ${ALL.join(' ')}`);
    for (const port of [9464, 9465, 9471, 9472])
      await machine.run(
        `node -e "fetch('http://127.0.0.1:${port}/readyz').then((r) => process.exit(r.ok ? 0 : 1))"`,
      );
  });
  await step('a scan is served', async () => {
    const [card] = await cardsOf(machine);
    const shown = await machine.run(`echo ${card} | passport send --at riverside --card - --wait`);
    check(shown.includes('COPIED'), shown);
  });
  await step('a changed passport.yaml is taken over without a restart', async () => {
    const path = 'etc/patron-passport/passport.yaml';
    machine.write(path, machine.read(path).replace('Riverside County Library', 'Riverside Libraries'));
    const shown = await machine.run('passport config reload');
    check(shown.match(/^\S.*$/gm)?.length >= 4, shown);
    await machine.run(
      `systemctl reload ${PROCESSES.join(' ')} && systemctl is-active ${PROCESSES.join(' ')}`,
    );
  });
  await step('each process sees its own secrets alone, and not as root', async () => {
    for (const [unit, foreign] of [
      ['patron-passport-receiver', 'koha.env'],
      ['patron-passport-worker@1', 'webhook.env'],
      ['patron-passport-dashboard', 'passport_key'],
    ]) {
      const pid = (await machine.run(`systemctl show --property MainPID --value ${unit}`)).trim();
      const credentials = await machine.run(`ls /proc/${pid}/root/run/credentials/${unit}.service`);
      check(!credentials.includes(foreign), `${unit} holds ${credentials}`);
      check(!/^Uid:\s+0\b/m.test(await machine.run(`cat /proc/${pid}/status`)), `${unit} runs as root`);
    }
    const levels = await machine.run('systemd-analyze security --no-pager');
    for (const [, name, level] of levels.matchAll(/^(patron-passport-\S+)\s+([\d.]+)/gm))
      check(Number(level) < 2, `${name} has exposure ${level}`);
  });
}

async function watchAndUpgrade(machine, [, riverside]) {
  await step('a worker whose event loop hangs is killed and replaced', async () => {
    const unit = 'patron-passport-worker@2';
    await machine.run(
      `mkdir -p /run/systemd/system/${unit}.service.d && printf '[Service]\\nWatchdogSec=4\\n' > /run/systemd/system/${unit}.service.d/test.conf &&
       systemctl daemon-reload && systemctl restart ${unit}`,
    );
    const main = async () => (await machine.run(`systemctl show --property MainPID --value ${unit}`)).trim();
    const first = await main();
    const beats = async () =>
      machine.run(`systemctl show --property WatchdogTimestampMonotonic --value ${unit}`);
    const start = await beats();
    await until('a report to the watchdog', async () => (await beats()) !== start);
    check((await main()) === first, 'a worker that runs was killed');
    await machine.run(`kill -STOP ${first}`);
    await until('another worker', async () => !['0', first].includes(await main()));
    await machine.run(`rm -r /run/systemd/system/${unit}.service.d && systemctl daemon-reload`);
    await until(
      'it to work',
      async () => (await machine.run(`systemctl is-active ${unit} || true`)).trim() === 'active',
    );
  });
  await step('an upgrade during scans replaces each process, and no scan is lost', async () => {
    const mains = async () =>
      (await machine.run(`systemctl show --property MainPID --value ${ALL.join(' ')}`)).match(/\d+/g);
    const old = await mains();
    const cards = (await cardsOf(machine)).slice(1, 21);
    machine.write('root/cards', `${cards.join('\n')}\n`);
    // Sends until it is acknowledged, as the plugin does.
    machine.write(
      'root/scan',
      'while read -r card; do until echo "$card" | passport send --at riverside --card -; do sleep 0.1; done; done </root/cards\necho >/root/sent\n',
    );
    await machine.run('sh /root/scan >/dev/null 2>/root/refused </dev/null &');
    await machine.apt('install', '/root/patron-passport_2.deb');
    check(!existsSync(join(LAB, 'tree/root/sent')), 'the scans ended before the upgrade');
    await until(
      'all scans to be accepted',
      () => machine.run('test -e /root/sent && echo yes || true'),
      300_000,
    );
    await until('a copy of each', async () => {
      const state = `fetch('${riverside.url}/_double/state').then((r) => r.json()).then((s) => console.log(JSON.stringify(s.patrons.map((p) => p.cardnumber))))`;
      const there = JSON.parse(await machine.run(`node -e "${state}"`));
      return cards.every((card) => there.filter((each) => each === card).length === 1);
    });
    const fresh = await mains();
    check(fresh[0] === old[0], 'the queue was restarted');
    const kept = fresh.slice(1).filter((pid) => pid === '0' || old.includes(pid));
    check(kept.length === 0, `not replaced: ${kept}`);
    const log = await machine.run('journalctl --no-pager --output cat -u "patron-passport-worker@*"');
    check(!/"reason":"SIGTERM","code":1/.test(log), 'a worker did not drain');
    check((await machine.run('passport events list --state failed --json')).includes('[]'), 'a scan failed');
  });
}

async function removeAndPurge(machine, root) {
  const left = () => filesOf(root).filter((file) => !before.includes(file) && !isRuntime(file));
  const kept = [
    'etc/patron-passport',
    'etc/patron-passport/secrets',
    'etc/patron-passport/secrets/passport_key',
    'var/lib/patron-passport-redis',
    'var/lib/private/patron-passport-redis',
  ];
  await step('removal stops everything and keeps configuration and data', async () => {
    await machine.apt('remove', 'patron-passport');
    const active = await machine.run(
      'systemctl list-units --plain --no-legend --state=active "patron-passport*"',
    );
    check(active.trim() === '', active);
    const files = left();
    for (const file of [...kept, 'etc/patron-passport/passport.yaml'])
      check(files.includes(file), `${file} is gone`);
  });
  await step('a purge that nobody answers leaves the queue and its key, and nothing else', async () => {
    await machine.apt('purge', 'patron-passport');
    const unexpected = left().filter(
      (file) => !kept.includes(file) && !file.startsWith('var/lib/private/patron-passport-redis/'),
    );
    check(unexpected.length === 0, `left: ${unexpected}`);
    check(
      kept.every((file) => left().includes(file)),
      `kept: ${left()}`,
    );
  });
  await step('a purge that may delete the data leaves nothing', async () => {
    await machine.apt('install', '/root/patron-passport_2.deb');
    await machine.run(
      'echo patron-passport patron-passport/purge-data boolean true | debconf-set-selections',
    );
    await machine.apt('purge', 'patron-passport');
    check(left().length === 0, `left: ${left()}`);
  });
}

/** What a running Debian writes by itself, and this test. */
const isRuntime = (file) =>
  /^(?:root|var\/log|var\/cache|var\/lib\/(?:apt|dpkg|systemd)|var\/tmp|(?:etc|var)\/\.updated|etc\/machine-id|etc\/\.pwd\.lock)(?:\/|$)|^var\/lib\/private$|^etc\/systemd\/system\/\S+\.wants$/.test(
    file,
  );

/** All paths of a tree, but what is no file of it. */
function filesOf(root) {
  const walk = (at) =>
    readdirSync(join(root, at), { withFileTypes: true }).flatMap((entry) => {
      const path = at === '' ? entry.name : `${at}/${entry.name}`;
      if (/^(?:proc|sys|dev|run|tmp)$/.test(path)) return [];
      return entry.isDirectory() ? [path, ...walk(path)] : [path];
    });
  return walk('');
}

const needs = ['debootstrap', 'lintian', 'unshare', 'nsenter', 'dpkg-deb', 'ip'].filter(
  (program) => !has(program),
);
if (process.getuid?.() !== 0 || needs.length > 0) {
  counts.skipped += 1;
  say(`skipped  the Debian package: ${needs.length > 0 ? `not here: ${needs.join(', ')}` : 'needs root'}`);
} else {
  await setUp({ build: true });
  const root = join(LAB, 'tree');
  rmSync(root, { recursive: true, force: true });
  try {
    await run(root);
  } catch (error) {
    // Those of a step are counted.
    if (counts.failed === 0) say(error instanceof Error ? error.stack : String(error));
    counts.failed = Math.max(1, counts.failed);
  }
  rmSync(root, { recursive: true, force: true });
}
endSteps();
