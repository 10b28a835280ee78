import { randomBytes, randomUUID } from 'node:crypto';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectRoot, runCommand } from '../run-command.mjs';
import { buildDesk, COMMAND_WITHIN_MS, freePorts, until } from './installation.mjs';
import { check } from './scans.mjs';

/** What a release's archive for compose contains (scripts/release/make-release.mjs). */
const RELEASED = ['docker-compose.yml', '.env.example', 'passport.example.yaml', 'deploy', 'LICENSE'];
/** Where the page has the name of a registry, this engine has the images. */
const REGISTRY = 'ghcr.io/${OWNER:?}';
const SERVICE_USER = 1000;
const isRoot = process.getuid?.() === 0;

/** Programs that the page's reader has: an editor, which puts what PAGE_EDITS has under the file's name, and sudo. */
const PROGRAMS = {
  nano: '#!/bin/sh\nset -eu\nfor file; do cat "$PAGE_EDITS/$(basename "$file")" >"$file"; done\n',
  // The real one would look for the editor elsewhere.
  sudo: isRoot
    ? '#!/bin/sh\nexec "$@"\n'
    : '#!/bin/sh\nexec /usr/bin/sudo -n env "PATH=$PATH" "PAGE_EDITS=$PAGE_EDITS" "$@"\n',
};

/**
 * A folder in which docs/install.md can be followed, with two Kohas in the network of its containers, and everything under a name of
 * its own. `engineEnv` leads to the container engine, in which the images of both targets are.
 */
export async function preparePage(engineEnv) {
  const name = `passport-page-${randomUUID().slice(0, 8)}`;
  const root = mkdtempSync(join(tmpdir(), `${name}-`));
  for (const folder of ['bin', 'edits', 'old', 'new', 'curl', 'koha']) mkdirSync(join(root, folder));
  chmodSync(root, 0o755);
  for (const [program, text] of Object.entries(PROGRAMS))
    writeFileSync(join(root, 'bin', program), text, { mode: 0o755 });
  writeFileSync(join(root, 'kohas.yml'), `networks: { default: { external: true, name: ${name} } }\n`);
  const [receiver, dashboard, midland, riverside] = await freePorts(4);
  const env = {
    ...engineEnv,
    COMPOSE_PROJECT_NAME: name,
    COMPOSE_FILE: `docker-compose.yml:${join(root, 'kohas.yml')}`,
    RECEIVER_PUBLISH: String(receiver),
    DASHBOARD_PUBLISH: String(dashboard),
    PAGE_EDITS: join(root, 'edits'),
    CURL_HOME: join(root, 'curl'),
    PATH: `${join(root, 'bin')}:${process.env.PATH}`,
  };
  let cwd = join(root, 'old');
  let mask = '022';
  const run = async (command, args, { timeoutMs = COMMAND_WITHIN_MS } = {}) => {
    const { code, output } = await runCommand(command, args, { cwd, env, timeoutMs });
    check(
      code === 0,
      `${command} ${args.join(' ').slice(0, 500)}\nended with ${code}\n${output.slice(-3_000)}`,
    );
    return output;
  };
  const docker = (...args) => run('docker', args);
  const kohaPorts = { midland, riverside };
  const page = {
    name,
    root,
    env,
    ports: { receiver, dashboard },
    docker,
    run,
    midlandUrl: `http://127.0.0.1:${midland}`,
    riversideUrl: `http://127.0.0.1:${riverside}`,
    dashboardUrl: `http://127.0.0.1:${dashboard}`,
    /** Runs a block as its reader would, each in a shell that begins with the folder and the umask that the last one ended with. */
    async follow(text) {
      const place = join(root, 'shell');
      const lines = [`umask ${mask}`, text.replaceAll(REGISTRY, 'localhost'), `{ umask; pwd; } >${place}`];
      const output = await run('sh', ['-eu', '-c', lines.join('\n')]);
      [mask, cwd] = readFileSync(place, 'utf8').trim().split('\n');
      return output;
    },
    /** Goes to another machine: an empty folder of that name, with a copy of what `keep` names of the present one. */
    async move(folder, keep) {
      const from = cwd;
      cwd = join(root, folder);
      mkdirSync(cwd, { recursive: true });
      await run('cp', ['-a', ...keep.map((path) => join(from, path)), cwd]);
    },
    /** What the editor puts into the file of that name when it is opened next. */
    edit: (file, text) => writeFileSync(join(root, 'edits', file), text),
    read: (path) => run('sudo', ['cat', path]),
    /** Removes a folder in which some files are those of the containers' user. */
    remove: (folder) => run('sudo', ['rm', '-rf', join(root, folder)]),
    /** Makes the archive of a version, in the folder where the page expects it. */
    release: (version, folder) =>
      run('tar', [
        '-czf',
        join(root, folder, `patron-passport-deploy-${version}.tar.gz`),
        '--exclude=deploy/etc/config',
        '--exclude=deploy/etc/secrets',
        `--transform=s,^,patron-passport-${version}/,`,
        `--directory=${projectRoot}`,
        ...RELEASED,
      ]),
    isStopped: false,
    async stop() {
      page.isStopped = true;
      const names = Object.keys(kohaPorts).map((id) => `${name}-${id}`);
      const quietly = (...args) => runCommand('docker', args, { cwd, env, timeoutMs: 120_000 });
      await quietly('compose', 'down', '-v', '--timeout', '5');
      await quietly('rm', '-f', ...names);
      await quietly('network', 'rm', name);
      await quietly('image', 'rm', 'localhost/patron-passport:1.0.0', 'localhost/patron-passport:1.1.0');
      cwd = projectRoot;
      await page.remove('');
    },
  };
  const secretFile = () => page.read('deploy/etc/secrets/webhook/riverside');
  Object.assign(page, buildDesk(receiver, secretFile));
  page.keys = await startKohas(page, kohaPorts);
  return page;
}

/** Starts the stand-in of each library, reachable by its id in the network; returns the API keys of the service's users. */
async function startKohas(page, ports) {
  await page.docker('network', 'create', page.name);
  const keys = {};
  for (const [id, port] of Object.entries(ports)) {
    const folder = join(page.root, 'koha', id);
    mkdirSync(folder);
    keys[id] = { client_id: randomUUID(), client_secret: randomBytes(24).toString('base64url') };
    const files = { ...keys[id], webhook_secret: `whsec_${randomBytes(32).toString('base64')}` };
    for (const [file, value] of Object.entries(files)) {
      const path = join(folder, `${id}_${file}`);
      writeFileSync(path, value);
      if (isRoot) chownSync(path, SERVICE_USER, SERVICE_USER);
    }
    const inside = id === 'midland' ? 8091 : 8092;
    const network = [
      '--network',
      page.name,
      '--network-alias',
      id,
      '--publish',
      `127.0.0.1:${port}:${inside}`,
    ];
    const image = ['localhost/patron-passport-demo', 'node', 'deploy/docker/double.mjs', id];
    const volume = ['--volume', `${folder}:/var/lib/passport:ro`];
    await page.docker('run', '--detach', '--name', `${page.name}-${id}`, ...network, ...volume, ...image);
  }
  for (const url of [page.midlandUrl, page.riversideUrl]) {
    await until('a stand-in to answer', () =>
      fetch(`${url}/api/v1/`).then(
        ({ ok }) => ok,
        () => false,
      ),
    );
  }
  return keys;
}

/** The present build as version 1.1.0. */
export async function buildNextImage(page) {
  const folder = join(page.root, 'next');
  const apps = ['receiver', 'worker', 'dashboard', 'cli'];
  mkdirSync(folder);
  for (const app of apps) {
    const manifest = JSON.parse(readFileSync(join(projectRoot, `apps/${app}/package.json`), 'utf8'));
    writeFileSync(join(folder, `${app}.json`), JSON.stringify({ ...manifest, version: '1.1.0' }));
  }
  const copies = apps.map((app) => `COPY ${app}.json apps/${app}/package.json\n`).join('');
  writeFileSync(join(folder, 'Dockerfile'), `FROM localhost/patron-passport:1.0.0\n${copies}`);
  await page.docker('build', '-t', 'localhost/patron-passport:1.1.0', folder);
}
