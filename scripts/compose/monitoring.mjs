import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectRoot } from '../run-command.mjs';
import { until } from './installation.mjs';
import { check } from './scans.mjs';

/** The processes of the installation under test, as Prometheus finds them by their names. */
const TARGETS = { 'passport-receiver': 1, 'passport-worker': 3, 'passport-dashboard': 1 };
const SUBSTITUTE = 'localhost/passport-test-prometheus';
/** Debian's Prometheus where docker-compose.yml expects the published one: the same programs, configuration and command line. */
const DEBIANS = `FROM \${BASE}
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends prometheus && install -d -o 65534 -g 65534 /prometheus
`;

const read = (path) => readFileSync(join(projectRoot, path), 'utf8');

/**
 * Starts the profile `monitoring` beside an installation. Where the published image of Prometheus is not to be had, Debian's package takes its
 * place; Grafana is then left out. Resolves with `{ hasGrafana }`.
 */
export async function startMonitoring(installation) {
  const { docker, env, monitoring } = installation;
  const { services } = JSON.parse(await monitoring(['config', '--format', 'json']));
  const has = (name) =>
    docker(['pull', services[name].image], { timeoutMs: 120_000 }).then(
      () => true,
      () => false,
    );
  const [hasPrometheus, hasGrafana] = [await has('prometheus'), await has('grafana')];
  if (!hasPrometheus) {
    const folder = mkdtempSync(join(tmpdir(), 'passport-prometheus-'));
    writeFileSync(join(folder, 'Dockerfile'), DEBIANS.replace('${BASE}', env.NODE_IMAGE ?? 'node:24-slim'));
    await docker(['build', '--network', 'host', '-t', SUBSTITUTE, folder]);
    rmSync(folder, { recursive: true });
    env.PROMETHEUS_IMAGE = SUBSTITUTE;
  }
  await monitoring(['up', '-d', '--no-build', '--wait', 'prometheus', ...(hasGrafana ? ['grafana'] : [])]);
  return { hasGrafana };
}

/** Resolves once `findMissing` finds nothing; says what it found last when that never happens. */
async function untilNone(what, findMissing) {
  let missing = [];
  try {
    await until(what, async () => (missing = await findMissing()).length === 0);
  } catch (error) {
    throw new Error(`${error.message}; missing: ${missing.join('\n')}`);
  }
}

/** That Prometheus scrapes every process, evaluates every alert, and has data for every panel of the dashboard. */
export async function checkPrometheus({ prometheusUrl, compose }) {
  const query = async (path) => (await (await fetch(`${prometheusUrl}/api/v1/${path}`)).json()).data;
  await untilNone('every process to be scraped', async () => {
    const { activeTargets: targets } = await query('targets');
    const up = targets.filter(({ health }) => health === 'up').map(({ labels }) => labels.job);
    return Object.keys(TARGETS).filter((job) => up.filter((each) => each === job).length !== TARGETS[job]);
  });
  const alerts = read('deploy/prometheus/alerts.yml').matchAll(/^ *- alert: (\w+)$/gm);
  const wanted = Array.from(alerts, ([, name]) => name);
  check(wanted.length > 20, `there are ${wanted.length} alerts`);
  await untilNone('every alert to be evaluated', async () => {
    const rules = (await query('rules')).groups.flatMap((group) => group.rules);
    const good = rules.filter(({ health }) => health === 'ok').map(({ name }) => name);
    return wanted.filter((name) => !good.includes(name));
  });
  await checkPanels(query);
  const reach = `fetch('http://prometheus:9090/-/ready').then(({ status }) => console.log(status))`;
  const status = await compose(['exec', '-T', 'receiver', 'node', '-e', reach]);
  check(status.trim() === '200', `the address of Grafana's data source answers ${status}`);
}

async function checkPanels(query) {
  const board = JSON.parse(read('deploy/grafana/patron-passport.json'));
  const expressions = board.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  check(expressions.length > 30, `the dashboard has ${expressions.length} expressions`);
  await untilNone('every panel to have data', async () => {
    const answers = await Promise.all(
      expressions.map(async (expr) => {
        const text = expr.replaceAll('$library', '.*').replaceAll('$__rate_interval', '1m');
        const data = await query(`query?${new URLSearchParams({ query: text })}`);
        return (data?.result.length ?? 0) > 0 ? [] : [text];
      }),
    );
    return answers.flat();
  });
}

/** That Grafana has the data source and the dashboard, for whoever has the generated password and for nobody else. */
export async function checkGrafana({ grafanaUrl, compose }) {
  const show = ['run', '--rm', '-T', 'keys', 'node', 'deploy/docker/keys.mjs', 'show', 'grafana_password'];
  const password = (await compose(show)).trim().split('\n').at(-1);
  const get = (path, login) =>
    fetch(`${grafanaUrl}/api/${path}`, {
      headers: { authorization: `Basic ${Buffer.from(login).toString('base64')}` },
    });
  for (const path of ['dashboards/uid/patron-passport', 'datasources/uid/prometheus/health']) {
    const { status } = await get(path, `operator:${password}`);
    check(status === 200, `Grafana answers ${status} to ${path}`);
    const { status: other } = await get(path, 'admin:admin');
    check(other === 401, `Grafana answers ${other} to admin with the password admin`);
  }
}
