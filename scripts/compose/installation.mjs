import { createHmac, randomUUID } from 'node:crypto';
import { createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { runCommand } from '../run-command.mjs';

/**
 * How long a command may take, or the commands of a block together, in ms. Only one that hangs should: beside the other tests, on a
 * busy machine, a start of three workers has taken two minutes.
 */
export const COMMAND_WITHIN_MS = 300_000;

/** Without the lines of each container's progress, between which nobody finds why it failed. */
const QUIET_COMPOSE = ['compose', '--progress', 'quiet'];

/** One installation of docker-compose.yml with its demo profile, under a project name and ports of its own. */
export async function describeInstallation(engineEnv) {
  const project = `passport-test-${randomUUID().slice(0, 8)}`;
  const [receiver, dashboard, midland, riverside, lakeside, prometheus, grafana] = await freePorts(7);
  const env = {
    ...engineEnv,
    COMPOSE_PROJECT_NAME: project,
    RECEIVER_PUBLISH: String(receiver),
    DASHBOARD_PUBLISH: String(dashboard),
    MIDLAND_PUBLISH: String(midland),
    RIVERSIDE_PUBLISH: String(riverside),
    LAKESIDE_PUBLISH: String(lakeside),
    PROMETHEUS_PUBLISH: String(prometheus),
    GRAFANA_PUBLISH: String(grafana),
  };
  const docker = async (args, { timeoutMs = COMMAND_WITHIN_MS, mayFail = false } = {}) => {
    const { code, output } = await runCommand('docker', args, { env, timeoutMs });
    if (code !== 0 && !mayFail)
      throw new Error(`docker ${args.join(' ')} ended with ${code}\n${output.slice(-3000)}`);
    return output;
  };
  const compose = (args, options) => docker([...QUIET_COMPOSE, '--profile', 'demo', ...args], options);
  /** The same with Prometheus and Grafana. */
  const monitoring = (args, options) =>
    docker([...QUIET_COMPOSE, '--profile', 'demo', '--profile', 'monitoring', ...args], options);
  /** A file of a container, which has Node and no other program. */
  const readFile = (service, path) => {
    const print = `process.stdout.write(require('node:fs').readFileSync(${JSON.stringify(path)}))`;
    return compose(['exec', '-T', service, 'node', '-e', print]);
  };
  return {
    project,
    docker,
    env,
    compose,
    monitoring,
    readFile,
    riversideUrl: `http://127.0.0.1:${riverside}`,
    lakesideUrl: `http://127.0.0.1:${lakeside}`,
    midlandUrl: `http://127.0.0.1:${midland}`,
    dashboardUrl: `http://127.0.0.1:${dashboard}`,
    prometheusUrl: `http://127.0.0.1:${prometheus}`,
    grafanaUrl: `http://127.0.0.1:${grafana}`,
    /** `healthy`, `starting`, ... of each container that has a health check, by container. */
    async health() {
      const names = (await compose(['ps', '-a', '--format', '{{.Name}}'])).trim().split('\n');
      const format =
        '{{.Name}} {{if .State.Health}}{{.State.Health.Status}}{{else}}none{{end}} {{.State.Status}}';
      return (await docker(['inspect', '--format', format, ...names])).trim().split('\n');
    },
    ...buildDesk(receiver, () => readFile('receiver', '/var/lib/passport/riverside_webhook_secret')),
  };
}

/** Riverside's desk, from outside: signs with what `readSecret` gives at the first scan, or with the secret of `renew`. */
export function buildDesk(receiverPort, readSecret) {
  const url = `http://127.0.0.1:${receiverPort}/webhooks/riverside`;
  let secret;
  return {
    renew(value) {
      secret = value;
    },
    /**
     * Sends one scan; returns the status of the answer, 0 when there was none. Whoever sends it again gives the time of the scan: an
     * event whose body has changed is another one.
     */
    async send(id, data, scannedAt = new Date()) {
      secret ??= (await readSecret()).trim();
      return signedFetch('POST', url, { secret, id, body: scanBody(data, scannedAt) });
    },
    /** The state of an event, null when there is no answer now. */
    async state(id) {
      const answer = await signedFetch('GET', `${url}/${id}`, { secret, id, body: '' });
      return answer.status === 200 ? answer.json : null;
    },
  };
}

/** The body of a scan at riverside. */
export function scanBody(data, scannedAt) {
  const timestamp = scannedAt.toISOString().replace('Z', '+00:00');
  return JSON.stringify({
    type: 'patron.not_found',
    timestamp,
    data: { branch: 'MAIN', interface: 'staff', operator: null, ...data },
  });
}

/** The headers of a delivery now. */
export function signedHeaders(secret, id, body) {
  const seconds = Math.floor(Date.now() / 1_000);
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  const signature = createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64');
  return {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': String(seconds),
    'webhook-signature': `v1,${signature}`,
  };
}

async function signedFetch(method, url, { secret, id, body }) {
  const headers = signedHeaders(secret, id, body);
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

const ACKNOWLEDGED_WITHIN_MS = 120_000;

/** Sends until it is acknowledged, as a library's Koha would. */
export async function deliver(installation, id, data) {
  const scannedAt = new Date();
  const end = Date.now() + ACKNOWLEDGED_WITHIN_MS;
  for (;;) {
    const { status } = await installation.send(id, data, scannedAt);
    if (status === 202) return;
    if (Date.now() > end) throw new Error(`the event was never acknowledged; last answer ${status}`);
    await pause(300);
  }
}

/** Resolves with what `probe` gives once it gives something; says what it waited for when it never does. */
export async function until(what, probe, timeoutMs = 120_000) {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const value = await probe();
    if (value) return value;
    if (Date.now() > end) throw new Error(`waited ${timeoutMs / 1_000} s for ${what}`);
    await pause(400);
  }
}

/** Ports of 127.0.0.1 on which nothing listens. */
export async function freePorts(many) {
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
