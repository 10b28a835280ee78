import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { parse } from 'yaml';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const read = (path: string): Promise<string> => readFile(join(ROOT, path), 'utf8');
const GRAFANA = 'deploy/grafana';

interface Compose {
  readonly services: Readonly<
    Record<string, { volumes: string[]; environment: Record<string, string>; command: string[] }>
  >;
}
const { services } = parse(await read('docker-compose.yml'), { merge: true }) as Compose;
/** Where Grafana has this folder. */
const [, mounted = ''] =
  services['grafana']?.volumes.map((text) => /^\.\/deploy\/grafana:([^:]+):ro$/.exec(text)).find(Boolean) ??
  [];
const environment = services['grafana']?.environment ?? {};

test('Grafana provisions from the folder that it has, and begins with the dashboard', async () => {
  expect(environment['GF_PATHS_PROVISIONING']).toBe(`${mounted}/provisioning`);
  expect(environment['GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH']).toBe(`${mounted}/patron-passport.json`);
  expect(await readdir(join(ROOT, GRAFANA, 'provisioning'))).toEqual(['dashboards', 'datasources']);
  expect(parse(await read(`${GRAFANA}/provisioning/dashboards/patron-passport.yml`))).toEqual({
    apiVersion: 1,
    providers: [
      {
        name: 'Patron Passport',
        type: 'file',
        disableDeletion: true,
        allowUiUpdates: false,
        updateIntervalSeconds: 60,
        options: { path: mounted },
      },
    ],
  });
  const boards = (await readdir(join(ROOT, GRAFANA), { recursive: true })).filter((name) =>
    name.endsWith('.json'),
  );
  expect(boards).toEqual(['patron-passport.json']);
});

test('its data source is the Prometheus beside it, the default one, with the interval of the scrapes', async () => {
  const { global: settings } = parse(await read('deploy/prometheus/prometheus.yml')) as {
    global: { scrape_interval: string };
  };
  expect(parse(await read(`${GRAFANA}/provisioning/datasources/prometheus.yml`))).toEqual({
    apiVersion: 1,
    datasources: [
      {
        name: 'Prometheus',
        uid: 'prometheus',
        type: 'prometheus',
        access: 'proxy',
        url: 'http://prometheus:9090',
        isDefault: true,
        editable: false,
        jsonData: {
          httpMethod: 'POST',
          prometheusType: 'Prometheus',
          timeInterval: settings.scrape_interval,
        },
      },
    ],
  });
});

test('its password is the generated one, and it calls nobody but Prometheus', () => {
  expect(environment['GF_SECURITY_ADMIN_PASSWORD__FILE']).toBe('/var/lib/passport/grafana_password');
  expect(Object.keys(environment).filter((name) => /PASSWORD(?!__FILE)|SECRET/.test(name))).toEqual([]);
  // On a read-only file system, the installer of plugins would remove those that the image has, and fail to replace them.
  expect(environment).toMatchObject({
    GF_PLUGINS_PREINSTALL_DISABLED: 'true',
    GF_ANALYTICS_REPORTING_ENABLED: 'false',
    GF_ANALYTICS_CHECK_FOR_UPDATES: 'false',
    GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES: 'false',
  });
});

test('Prometheus reads the scrape configuration and the alert rules of the repository', async () => {
  expect(services['prometheus']?.volumes).toContain('./deploy/prometheus:/etc/prometheus:ro');
  expect(services['prometheus']?.command).toContain('--config.file=/etc/prometheus/prometheus.yml');
  const { scrape_configs: jobs } = parse(await read('deploy/prometheus/prometheus.yml')) as {
    scrape_configs: { dns_sd_configs: { names: string[] }[] }[];
  };
  const names = jobs.flatMap(({ dns_sd_configs: found }) => found.flatMap((each) => each.names));
  expect(names.filter((name) => !(name in services))).toEqual([]);
});
