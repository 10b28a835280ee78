// `npm run test:compose`: docker-compose.yml on a real container engine, from outside. Where there is no engine it says
// so and counts one skipped test.
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describeInstallation, until } from './compose/installation.mjs';
import { findEngine } from './compose/engine.mjs';
import { followPage } from './compose/follow-page.mjs';
import { checkGrafana, checkPrometheus, startMonitoring } from './compose/monitoring.mjs';
import { allCopied, check, patrons, sendAll } from './compose/scans.mjs';
import { runCommand, say } from './run-command.mjs';
import { counts, endSteps, step } from './steps.mjs';

/** Of this checkout: taken away at the end. */
const CONFIG = 'deploy/etc/config/passport.yaml';
const HEALTHY_WITHIN_MS = 240_000;
/** Node itself has 125 MB. */
const LARGEST_IMAGE_BYTES = 170_000_000;

function skip(name) {
  counts.skipped += 1;
  say(`skipped ${name}`);
}

/** Cards that the stand-ins have again after every start: plainly eligible patrons of midland's, and of no other library. */
async function seededCards({ midlandUrl, lakesideUrl }, many) {
  const read = async (url) => (await (await fetch(`${url}/_double/state`)).json()).patrons;
  const elsewhere = new Set((await read(lakesideUrl)).map(({ cardnumber }) => cardnumber));
  const isPlain = (row) =>
    /^21234\d{9}$/.test(row.cardnumber) &&
    !elsewhere.has(row.cardnumber) &&
    row.category_id !== 'STAFF' &&
    row.expiry_date < '2099' && // not one of the patrons that this test made
    row.expiry_date > new Date().toISOString() &&
    ![row.restricted, row.patron_card_lost, row.incorrect_address, row.account_balance > 0].some(Boolean);
  return (await read(midlandUrl))
    .filter(isPlain)
    .slice(0, many)
    .map(({ cardnumber }) => cardnumber);
}

/** Paths below a folder of a container, which has no shell, but for those that match `except`. */
async function listFiles(compose, service, folder, except = /^$/) {
  const list = `
    const { readdirSync } = require('node:fs');
    const except = ${except};
    const walk = (at) => {
      let entries = [];
      try { entries = readdirSync(${JSON.stringify(folder)} + '/' + at, { withFileTypes: true }); } catch {}
      return entries.flatMap((entry) => {
        const path = at + entry.name;
        if (except.test(path + '/')) return [];
        return entry.isDirectory() ? walk(path + '/') : [path];
      });
    };
    console.log(walk('').join('\\n'));`;
  return (await compose(['exec', '-T', service, 'node', '-e', list])).trim().split('\n');
}

async function run(installation) {
  const { compose, docker, project } = installation;
  await step('up --build --scale worker=3 is healthy, all nine containers of it', async () => {
    await compose(['build', 'receiver', 'demo-consortium'], { timeoutMs: 600_000 });
    const started = Date.now();
    await compose(['up', '-d', '--scale', 'worker=3']);
    const wanted = /-(redis|receiver|worker|dashboard|midland|riverside|lakeside)-\d+ /;
    await until(
      'every container to be healthy',
      async () => {
        const lines = (await installation.health()).filter((line) => wanted.test(line));
        return lines.length === 9 && lines.every((line) => line.includes(' healthy '));
      },
      HEALTHY_WITHIN_MS - (Date.now() - started),
    );
  });
  await step('the compose file of two real Kohas is one, over this one', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'passport-kohas-'));
    // What it takes from a checkout of koha-testing-docker; docs/real-koha.md
    mkdirSync(join(folder, 'koha-testing-docker/env'), { recursive: true });
    writeFileSync(
      join(folder, 'koha-testing-docker/env/defaults.env'),
      'KOHA_USER=koha\nDOCKER_BINARY=$(which docker)\n',
    );
    const files = ['docker-compose.yml', 'deploy/koha-testing/compose.yml'].flatMap((file) => [
      '--file',
      file,
    ]);
    const { code, output } = await runCommand(
      'docker',
      ['compose', '--project-directory', '.', ...files, 'config', '--quiet'],
      {
        env: { ...engine.env, KOHA_TESTING_DIR: folder },
      },
    );
    rmSync(folder, { recursive: true });
    check(code === 0, output);
  });
  let hasGrafana = false;
  await step('the profile monitoring starts beside the demo', async () => {
    ({ hasGrafana } = await startMonitoring(installation));
  });
  await step('events sent from outside are shared by the three workers', async () => {
    const cards = await patrons(installation, 60);
    await sendAll(installation, cards);
    await allCopied(installation, cards);
    for (const index of [1, 2, 3]) {
      const log = await compose(['logs', '--no-color', '--index', String(index), 'worker']);
      check(log.includes('"outcome":"COPIED"'), `worker ${index} copied nobody`);
    }
  });
  await step('Prometheus scrapes every process, has every alert, and data for every panel', async () => {
    await checkPrometheus(installation);
  });
  if (hasGrafana)
    await step('Grafana has data source and dashboard, and its own password', () =>
      checkGrafana(installation),
    );
  else skip('Grafana with its data source and dashboard: its image is not to be had here');
  await installation.monitoring(['rm', '-sf', 'prometheus', 'grafana']);
  await step('a worker and Redis killed in the middle lose nothing', async () => {
    const cards = await patrons(installation, 80);
    const sending = sendAll(installation, cards);
    await docker(['kill', `${project}-worker-2`]);
    await compose(['kill', 'redis']);
    await compose(['up', '-d', '--no-build', '--scale', 'worker=3']);
    await sending;
    await allCopied(installation, cards);
  });
  await step('down and up keep the queue', async () => {
    const cards = await seededCards(installation, 10);
    await compose(['stop', 'worker']);
    await sendAll(installation, cards);
    await compose(['down']);
    await compose(['up', '-d', '--no-build', '--scale', 'worker=3']);
    await allCopied(installation, cards);
  });
  await step(
    'what an editor puts in the place of the configuration is taken over, by reload and restart',
    async () => {
      const put = (text) => {
        writeFileSync(`${CONFIG}.new`, text);
        renameSync(`${CONFIG}.new`, CONFIG);
      };
      const demo = JSON.parse(await installation.readFile('worker', '/var/lib/passport/passport.yaml'));
      const without = (id) => ({
        ...demo,
        libraries: demo.libraries.map((each) => (each.id === id ? { ...each, enabled: false } : each)),
      });
      const answer = async (id) => (await installation.send(id, { cardnumber: '21234000000001' })).status;
      put(JSON.stringify(demo));
      await compose(['up', '-d', '--no-build', '--scale', 'worker=3']); // links each volume to the file
      put('consortium: [');
      const wrong = await compose(['run', '--rm', 'cli', 'config', 'reload'], { mayFail: true });
      check(wrong.includes('YAML'), `a wrong file was not refused: ${wrong}`);
      check(!/building|\[internal\]/i.test(wrong), `a command built the image: ${wrong}`);
      check((await answer('compose_before')) === 202, 'a wrong file changed something');
      put(JSON.stringify(without('riverside')));
      const printed = await compose(['run', '--rm', 'cli', 'config', 'reload']);
      check((await answer('compose_after')) === 401, `a revoked library is accepted after ${printed}`);
      put(JSON.stringify(demo));
      await compose(['restart', 'receiver']);
      await until(
        'the receiver to have the file that is there now',
        async () => (await answer('compose_back')) === 202,
      );
    },
  );
  await step(
    'the product’s image holds the product, not its stand-ins, demo, tests, sources or compiler',
    async () => {
      const [product, demo] = await Promise.all([
        listFiles(compose, 'receiver', '/app'),
        listFiles(compose, 'midland', '/app'),
      ]);
      const isExtra = (path) =>
        /(?:^|\/)(?:koha-double|testkit|demo|bench|system-tests|koha-plugin|typescript|jest)(?:\/|$)/.test(
          path,
        ) ||
        (!path.startsWith('node_modules/') && /(?:^|\/)(?:src|test)(?:\/|$)/.test(path));
      check(demo.includes('packages/koha-double/dist/index.js'), 'the demo’s image has no stand-in');
      check(product.includes('apps/worker/dist/main.js'), 'the product’s image has no worker');
      check(!product.some(isExtra), `the product’s image holds ${product.filter(isExtra).slice(0, 10)}`);
    },
  );
  await step('the product’s image has Node and no other program, and says what it is', async () => {
    const held = await listFiles(compose, 'receiver', '/', /^(?:proc|sys|app|var\/lib\/passport)\//);
    const programs = held.filter((path) => /(?:^|\/)s?bin\/[^/]+$/.test(path));
    check(programs.join() === 'usr/local/bin/node', `it has the programs ${programs.slice(0, 10)}`);
    const [container] = JSON.parse(await docker(['inspect', `${project}-receiver-1`]));
    const [{ Size: size, Config: config }] = JSON.parse(
      await docker(['image', 'inspect', container.Image.replace(/^sha256:/, '')]),
    );
    check(config.User === '1000:1000', `it runs as ${config.User}`);
    check(
      config.Labels['org.opencontainers.image.licenses'] === 'GPL-3.0-or-later',
      `its labels are ${JSON.stringify(config.Labels)}`,
    );
    say(`        ${(size / 1e6).toFixed(0)} MB`);
    check(size < LARGEST_IMAGE_BYTES, `it has ${size} bytes`);
  });
  await step('nothing is published beyond this machine, and the dashboard wants a login', async () => {
    const config = JSON.parse(await installation.monitoring(['config', '--format', 'json']));
    const wide = Object.entries(config.services).flatMap(([name, { ports = [] }]) =>
      ports.filter(({ host_ip: host }) => host !== '127.0.0.1').map(() => name),
    );
    check(wide.length === 0, `published to everybody: ${wide.join(', ')}`);
    const { status } = await fetch(installation.dashboardUrl);
    check(status === 401, `the dashboard answered ${status} without a login`);
  });
  await step(
    'receiver and dashboard hold no key of a Koha, and each process no more than it uses',
    async () => {
      const filesOf = async (service) => {
        if (service === 'redis')
          return (await compose(['exec', '-T', 'redis', 'ls', '/var/lib/passport'])).trim().split(/\s+/);
        const folders = ['/var/lib/passport', '/etc/passport/secrets'];
        const lists = await Promise.all(folders.map((folder) => listFiles(compose, service, folder)));
        return lists
          .flat()
          .map((path) => path.split('/').at(-1))
          .filter(Boolean);
      };
      const held = Object.fromEntries(
        await Promise.all(
          ['receiver', 'worker', 'dashboard', 'redis'].map(async (name) => [name, await filesOf(name)]),
        ),
      );
      const isKohas = (name) => /_client_(?:id|secret)$/.test(name);
      check(held.worker.some(isKohas), `the worker has no API keys: ${held.worker}`);
      check(!held.worker.some((name) => /webhook/.test(name)), `the worker has ${held.worker}`);
      for (const name of ['receiver', 'dashboard', 'redis'])
        check(!held[name].some(isKohas), `${name} has ${held[name]}`);
      check(!held.dashboard.includes('passport_key'), `the dashboard has ${held.dashboard}`);
      check(
        held.redis.every((name) => name.startsWith('redis')),
        `redis has ${held.redis}`,
      );
    },
  );
}

const engine = await findEngine();
if (existsSync(CONFIG)) {
  counts.failed += 1;
  say(`FAILED  compose: ${CONFIG} is somebody's, and this test needs a file of its own there`);
  await engine?.stop();
} else if (engine === null) {
  counts.skipped += 1;
  say('skipped  compose: there is no container engine on this machine, and MAKE_CONTAINER_ENGINE is not set');
} else {
  const installation = await describeInstallation(engine.env);
  mkdirSync(dirname(CONFIG), { recursive: true }); // else the engine makes it, as root
  try {
    await run(installation);
  } catch {
    const ask = (...args) => installation.monitoring(args, { mayFail: true });
    say(await ask('ps', '-a', '--format', 'table {{.Name}}\t{{.Status}}'));
    say((await ask('logs', '--no-color', '--tail', '15')).slice(-6_000));
  } finally {
    await installation.monitoring(['down', '-v', '--timeout', '5'], { mayFail: true });
    rmSync(CONFIG, { force: true });
  }
  // With the images that were built above.
  try {
    if (counts.failed === 0) await followPage(step, engine.env);
  } catch (error) {
    say(String(error));
  }
  await engine.stop();
}
endSteps();
