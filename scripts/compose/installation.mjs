import { createHmac, randomUUID } from 'node:crypto';
import { createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { runCommand } from '../run-command.mjs';

/** One installation of docker-compose.yml with its demo profile, under a project name and ports of its own. */
export async function describeInstallation(engineEnv) {
  const project = `passport-test-${randomUUID().slice(0, 8)}`;
  const [receiver, dashboard, midland, riverside, lakeside] = await freePorts(5);
  const env = {
    ...engineEnv,
    COMPOSE_PROJECT_NAME: project,
    RECEIVER_PUBLISH: String(receiver),
    DASHBOARD_PUBLISH: String(dashboard),
    MIDLAND_PUBLISH: String(midland),
    RIVERSIDE_PUBLISH: String(riverside),
    LAKESIDE_PUBLISH: String(lakeside),
  };
  const docker = async (args, { timeoutMs = 240_000, mayFail = false } = {}) => {
    const { code, output } = await runCommand('docker', args, { env, timeoutMs });
    if (code !== 0 && !mayFail)
      throw new Error(`docker ${args.join(' ')} ended with ${code}\n${output.slice(-3000)}`);
    return output;
  };
  const compose = (args, options) => docker(['compose', '--profile', 'demo', ...args], options);
  /** A file of a container, which has Node and no other program. */
  const readFile = (service, path) => {
    const print = `process.stdout.write(require('node:fs').readFileSync(${JSON.stringify(path)}))`;
    return compose(['exec', '-T', service, 'node', '-e', print]);
  };
  let secret;

  return {
    project,
    docker,
    compose,
    readFile,
    riversideUrl: `http://127.0.0.1:${riverside}`,
    lakesideUrl: `http://127.0.0.1:${lakeside}`,
    midlandUrl: `http://127.0.0.1:${midland}`,
    dashboardUrl: `http://127.0.0.1:${dashboard}`,
    /** `healthy`, `starting`, ... of each container that has a health check, by container. */
    async health() {
      const names = (await compose(['ps', '-a', '--format', '{{.Name}}'])).trim().split('\n');
      const format =
        '{{.Name}} {{if .State.Health}}{{.State.Health.Status}}{{else}}none{{end}} {{.State.Status}}';
      return (await docker(['inspect', '--format', format, ...names])).trim().split('\n');
    },
    /**
     * Sends one scan at riverside from outside; returns the status of the answer, 0 when there was none. Whoever sends it again gives
     * the time of the scan: an event whose body has changed is another one.
     */
    async send(id, data, scannedAt = new Date()) {
      secret ??= (await readFile('receiver', '/var/lib/passport/riverside_webhook_secret')).trim();
      const url = `http://127.0.0.1:${receiver}/webhooks/riverside`;
      const timestamp = scannedAt.toISOString().replace('Z', '+00:00');
      const body = JSON.stringify({
        type: 'patron.not_found',
        timestamp,
        data: { branch: 'MAIN', interface: 'staff', operator: null, ...data },
      });
      return signedFetch('POST', url, { secret, id, body });
    },
    /** The state of an event, null when there is no answer now. */
    async state(id) {
      const answer = await signedFetch('GET', `http://127.0.0.1:${receiver}/webhooks/riverside/${id}`, {
        secret,
        id,
        body: '',
      });
      return answer.status === 200 ? answer.json : null;
    },
  };
}

async function signedFetch(method, url, { secret, id, body }) {
  const seconds = Math.floor(Date.now() / 1_000);
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  const signature = createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64');
  const headers = {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': String(seconds),
    'webhook-signature': `v1,${signature}`,
  };
  try {
    const response = await fetch(url, {
      method,
      headers,
      signal: AbortSignal.timeout(10_000),
      ...(method === 'POST' ? { body } : {}),
    });
    return { status: response.status, json: await response.json() };
  } catch {
    return { status: 0, json: null };
  }
}

/** Sends until it is acknowledged, as a library's Koha would. */
export async function deliver(installation, id, data, timeoutMs = 60_000) {
  const scannedAt = new Date();
  const end = Date.now() + timeoutMs;
  for (;;) {
    const { status } = await installation.send(id, data, scannedAt);
    if (status === 202) return;
    if (Date.now() > end) throw new Error(`the event was never acknowledged; last answer ${status}`);
    await pause(300);
  }
}

/** Resolves with what `probe` gives once it gives something; says what it waited for when it never does. */
export async function until(what, probe, timeoutMs = 60_000) {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const value = await probe();
    if (value) return value;
    if (Date.now() > end) throw new Error(`waited ${timeoutMs / 1_000} s for ${what}`);
    await pause(400);
  }
}

async function freePorts(many) {
  const servers = await Promise.all(
    Array.from(
      { length: many },
      () =>
        new Promise((resolve) => {
          const server = createServer().listen(0, '127.0.0.1', () => resolve(server));
        }),
    ),
  );
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
