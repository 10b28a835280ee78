import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../run-command.mjs';
import { ensureSystemPackages } from '../system-packages.mjs';
import { buildConsortium, rotateKohaKey, setPluginSecret } from './page-consortium.mjs';
import { buildNextImage, preparePage } from './page-installation.mjs';
import { deliverThroughProxy, startProxy } from './page-proxy.mjs';
import { readBlocks } from './read-page.mjs';
import { allCopied, check, keepScanning, patrons, sendAll } from './scans.mjs';

/** The status of the dashboard's first page with this password. */
async function login(page, password) {
  const authorization = `Basic ${Buffer.from(`operator:${password}`).toString('base64')}`;
  return (await fetch(page.dashboardUrl, { headers: { authorization }, redirect: 'manual' })).status;
}

/** The words of a command's output that could be a generated password: the last line. */
const lastLine = (output) => output.trim().split('\n').at(-1).trim();

/**
 * Follows the section of docs/install.md about compose from nothing, block by block, on the engine that `engineEnv` leads to, and checks
 * after each subsection what its reader expects. `step` reports each.
 */
export async function followPage(step, engineEnv) {
  const guide = readFileSync(join(projectRoot, 'docs/install.md'), 'utf8');
  const blocks = readBlocks(guide, 'With docker compose').filter(({ notRun }) => notRun === null);
  const followed = new Set();
  let page;
  await step('docs/install.md: its reader has a machine, and two Kohas', async () => {
    page = await preparePage(engineEnv);
  });
  /** The blocks of a subsection, each as a function that follows it. */
  const at = (heading) =>
    blocks
      .filter((block) => block.heading === heading)
      .map((block) => async () => {
        followed.add(block);
        return page.follow(block.text);
      });
  const all = async (heading) => {
    let output = '';
    for (const follow of at(heading)) output += await follow();
    return output;
  };
  try {
    await page.docker('tag', 'localhost/patron-passport', 'localhost/patron-passport:1.0.0');
    await install({ page, step, at, all });
    await operate({ page, step, at, all });
    await moveAndUpgrade({ page, step, at, all });
    await step('docs/install.md: every block was run, or says why not', async () => {
      const left = blocks.filter((block) => !followed.has(block)).map(({ text }) => text);
      check(left.length === 0, `not run: ${left.join('\n')}`);
    });
  } catch (error) {
    const options = { timeoutMs: 60_000 };
    const logs = await page
      .run('docker', ['compose', 'logs', '--no-color', '--tail', '10'], options)
      .catch(String);
    throw new Error(`${error.message}\n${logs.slice(-6_000)}`);
  } finally {
    await page.stop();
  }
}

async function install({ page, step, at, all }) {
  await step('docs/install.md: from the archive to the first start', async () => {
    await page.release('1.0.0', 'old');
    await all('Prepare');
    page.edit('passport.yaml', buildConsortium());
    for (const [id, key] of Object.entries(page.keys))
      for (const [name, value] of Object.entries(key)) page.edit(`${id}_${name}`, `${value}\n`);
    await all('Configuration and secrets');
    const [start, diagnose] = at('First start');
    const status = await start();
    check((status.match(/^ *worker /gm) ?? []).length === 3, `not three workers:\n${status}`);
    for (const id of ['midland', 'riverside'])
      await setPluginSecret(page, id, await page.read(`deploy/etc/secrets/webhook/${id}`));
    const found = await diagnose();
    check(found.includes('0 faults'), `doctor found something:\n${found}`);
  });
  await step('docs/install.md: the first login', async () => {
    page.password = lastLine(await all('First login'));
    check((await login(page, page.password)) === 200, 'the printed password is not the dashboard’s');
    check((await login(page, 'another password')) === 401, 'another password is, too');
  });
  await step('docs/install.md: nginx with TLS in front', async () => {
    const unmet = await ensureSystemPackages(['nginx', 'openssl']);
    check(unmet.length === 0, `not on this machine: ${unmet.join(' ')}`);
    const [sign, look] = at('The TLS proxy');
    await sign();
    const stopProxy = await startProxy(page, (await page.run('pwd', [])).trim());
    try {
      const codes = (await look()).trim().split(/\s+/);
      check(codes.join() === '415,200,401', `receiver and dashboard answered ${codes}`);
      const secret = (await page.read('deploy/etc/secrets/webhook/riverside')).trim();
      const [card] = await patrons(page, 1);
      const status = await deliverThroughProxy(page, secret, card);
      check(status === '202', `an event through the proxy was answered ${status}`);
    } finally {
      await stopProxy();
    }
  });
}

async function operate({ page, step, at, all }) {
  const stop = keepScanning(page);
  await step('docs/install.md: a change of the configuration', async () => {
    page.edit('passport.yaml', buildConsortium({ name: 'Midland City Library' }));
    await all('Change the configuration');
    const [card] = await patrons(page, 1);
    await sendAll(page, [card]);
    await allCopied(page, [card]);
    const { message } = await page.state(`compose_${card}`);
    check(message.includes('Midland City Library'), `the old name is used: ${message}`);
  });
  await step('docs/install.md: each secret is rotated, under load', async () => {
    const [addSecret, dropSecret, changeKey, addPassportKey, dropPassportKey, renewPassword] =
      at('Rotate the secrets');
    const name = 'Midland City Library';
    const former = await page.read('deploy/etc/secrets/webhook/riverside');
    page.edit('passport.yaml', buildConsortium({ name, secrets: ['riverside', 'riverside-2'] }));
    await addSecret();
    const present = await page.read('deploy/etc/secrets/webhook/riverside-2');
    await setPluginSecret(page, 'riverside', present);
    page.renew(present.trim());
    page.edit('passport.yaml', buildConsortium({ name, secrets: ['riverside-2'] }));
    await dropSecret();
    page.renew(former.trim());
    const { status } = await page.send('compose_former', { cardnumber: '21234000000001' });
    page.renew(present.trim());
    check(status === 401, `the former secret is answered ${status}`);
    await rotateKohaKey(page, changeKey);
    const key = (await page.follow(SHOW_KEY)).trim();
    await addPassportKey();
    await dropPassportKey();
    check(lastLine(await page.follow(SHOW_KEY)) !== lastLine(key), 'PASSPORT_KEY is the old one');
    await renewPassword();
    check((await login(page, page.password)) === 401, 'the old password is still the dashboard’s');
    await allCopied(page, await stop());
  });
}
const SHOW_KEY = 'docker compose run --rm -T keys node deploy/docker/keys.mjs show passport_key';

async function moveAndUpgrade({ page, step, at, all }) {
  const ended = await patrons(page, 10);
  const unfinished = await patrons(page, 5);
  await step('docs/install.md: back up, lose the machine, restore on another', async () => {
    await sendAll(page, ended);
    await allCopied(page, ended);
    await page.docker('compose', 'stop', 'worker');
    await sendAll(page, unfinished);
    const states = () => Promise.all(ended.map((card) => page.state(`compose_${card}`)));
    const before = { states: await states(), receipts: await receipts(page) };
    check(before.receipts.length > ended.length, `there are ${before.receipts.length} receipts`);
    await all('Back up');
    await page.docker('compose', 'down', '-v');
    await page.move('new', ['../patron-passport-deploy-1.0.0.tar.gz', 'backup']);
    await page.remove('old');
    const [unpack] = at('Prepare');
    await unpack();
    await page.run('mv', ['../backup', '.']);
    await all('Restore');
    await allCopied(page, unfinished);
    check(JSON.stringify(await states()) === JSON.stringify(before.states), 'events have changed');
    const after = await receipts(page);
    const lost = before.receipts.filter((line) => !after.includes(line));
    check(lost.length === 0, `${lost.length} receipts are lost`);
    check(after.length === before.receipts.length + unfinished.length, 'copies have no receipt, or two');
  });
  await step('docs/install.md: an upgrade under load keeps three workers, and loses nothing', async () => {
    await page.release('1.1.0', 'new');
    await buildNextImage(page);
    const settings = await page.read('.env');
    page.edit('.env', settings.replace('patron-passport:1.0.0', 'patron-passport:1.1.0'));
    const stop = keepScanning(page);
    const output = await all('Upgrade and scale');
    // Prometheus reads it as a user of its own, whatever the reader's umask was.
    const mode = await page.run('stat', ['--format=%a', 'deploy/prometheus/prometheus.yml']);
    check(mode.trim() === '644', `files of the release have the mode ${mode}`);
    const lines = await page.docker('compose', 'ps', '--format', '{{.Service}} {{.Image}} {{.State}}');
    const workers = lines.split('\n').filter((line) => line.startsWith('worker '));
    check(workers.length === 3, `the workers are:\n${lines}`);
    check(
      workers.every((line) => line.includes(':1.1.0 running')),
      `the workers are:\n${lines}`,
    );
    check(
      !/\b1\.0\.0\b/.test(output.slice(output.lastIndexOf('worker '))),
      `an old process is live:\n${output}`,
    );
    await allCopied(page, await stop());
  });
}

async function receipts(page) {
  const output = await page.docker('compose', 'run', '--rm', '-T', 'cli', 'copies', 'export');
  return output.split('\n').filter((line) => /^\d{4}-\d\d-\d\dT/.test(line));
}
