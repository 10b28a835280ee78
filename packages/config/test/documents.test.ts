import { readFileSync, readdirSync } from 'node:fs';
import { basename } from 'node:path';
import { expect, test } from '@jest/globals';
import { parse as parseYaml } from 'yaml';
import {
  configurationReference,
  configWarnings,
  effectiveConfig,
  parseConsortium,
  renderEffectiveConfig,
} from '../src/index.ts';
import { isSection, keysOf, type Section } from '../src/keys/key.ts';
import { librarySchema } from '../src/schema/library-schema.ts';
import { VARIABLES } from '../src/environment/environment-variables.ts';
import { type Draft, at, filesOf, parse, validEnvironment, validFile } from './valid-file.ts';

const read = (name: string) => readFileSync(new URL(`../../../${name}`, import.meta.url), 'utf8');

/** Names of the variables that a file of `NAME=value` lines sets. */
const namesIn = (text: string) => [...text.matchAll(/^([A-Z_]+)=/gm)].map(([, name]) => name ?? '');

test('docs/configuration.md is what the schema says (npm run docs -w @passport/config)', () => {
  const page = read('docs/configuration.md');
  const [introduction = ''] = page.split('\n## The file\n');
  expect(introduction).toContain('\n## Card patterns\n');
  expect(page).toBe(configurationReference(introduction));
});

test('the example is right, once the variables of .env.example are filled in', () => {
  const filled = Object.fromEntries(
    namesIn(read('.env.example')).map((name) => [
      name,
      name.endsWith('WEBHOOK_SECRET')
        ? `whsec_${Buffer.from(name.padEnd(30, '.')).toString('base64')}`
        : `filled-in-${name}`,
    ]),
  );
  const files = filesOf({ '/run/secrets/riverside_client_secret': 'filled-in-file' });
  const consortium = parseConsortium(read('passport.example.yaml'), filled, files);
  expect(consortium.agreements.all().map(({ home, lending }) => `${home}>${lending}`)).toEqual([
    'riverside>midland',
    'lakeside>midland',
    'midland>riverside',
    'lakeside>riverside',
  ]);
  expect(configWarnings(consortium)).toEqual([]);
});

test('.env.example names every variable of the servers, and no secret', () => {
  const text = read('.env.example');
  const servers = Object.values(VARIABLES).filter(({ readBy }) => readBy.some((name) => name !== 'cli'));
  const rare = ['RECEIVER_HOST', 'DASHBOARD_HOST', 'ADMIN_HOST'];
  expect(namesIn(text)).toEqual(
    expect.arrayContaining(servers.map(({ name }) => name).filter((name) => !rare.includes(name))),
  );
  expect(text).not.toMatch(/^[A-Z_]*(?:KEY|PASSWORD|SECRET|USER|CLIENT_ID)=.+/m);
});

test('docker-compose.yml lets .env say where the dashboard is behind a proxy', () => {
  const compose = parseYaml(read('docker-compose.yml'), { merge: true }) as {
    services: Record<string, { environment: Record<string, string> }>;
  };
  const given = compose.services['dashboard']?.environment ?? {};
  expect(given).toMatchObject({
    TRUST_PROXY: '${TRUST_PROXY:-false}',
    DASHBOARD_BASE_PATH: '${DASHBOARD_BASE_PATH:-}',
  });
});

test('docker-compose.yml gives away nothing that a break-in could use', () => {
  const { services } = parseYaml(read('docker-compose.yml'), { merge: true }) as {
    services: Record<string, Record<string, unknown>>;
  };
  for (const [name, service] of Object.entries(services)) {
    expect({ name, ...service }).toMatchObject({
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
      pids_limit: expect.any(Number),
      mem_limit: expect.any(String),
      logging: { options: { 'max-size': '50m', 'max-file': '20' } },
    });
    for (const port of (service['ports'] ?? []) as string[]) expect(port).toMatch(/^127\.0\.0\.1:/);
  }
});

test('docker-compose.yml lets .env say how many workers every start keeps', () => {
  const { services } = parseYaml(read('docker-compose.yml'), { merge: true }) as {
    services: Record<string, { scale?: string }>;
  };
  expect(services['worker']?.scale).toBe('${WORKER_REPLICAS:-1}');
});

test('docker-compose.yml starts images of others in a version that .env can replace', () => {
  const { services } = parseYaml(read('docker-compose.yml'), { merge: true }) as {
    services: Record<string, { image: string; profiles?: readonly string[] }>;
  };
  for (const name of ['redis', 'prometheus', 'grafana'])
    expect(services[name]?.image).toMatch(/^\$\{[A-Z]+_IMAGE:-[\w/]+:v?\d[\w.-]*\}$/);
  for (const name of ['prometheus', 'grafana']) expect(services[name]?.profiles).toEqual(['monitoring']);
});

test.each(['receiver', 'worker', 'dashboard'])(
  'docker-compose.yml bounds the heap of the %s well below its memory',
  (name) => {
    const { services } = parseYaml(read('docker-compose.yml'), { merge: true }) as {
      services: Record<string, { command: string[]; mem_limit: string }>;
    };
    const { command = [], mem_limit: limit } = services[name] ?? {};
    const heap = command.map((flag) => /^--max-old-space-size=(\d+)$/.exec(flag)?.[1]).find(Boolean);
    expect(Number.parseInt(limit ?? '', 10) - Number(heap)).toBeGreaterThanOrEqual(128);
  },
);

test('docker-compose.yml gives each process the secrets that it uses and no others', () => {
  const { services } = parseYaml(read('docker-compose.yml'), { merge: true }) as {
    services: Record<string, { volumes: string[]; environment?: Record<string, string> }>;
  };
  const seenBy = (...names: string[]) =>
    Object.fromEntries(names.map((name) => [name, services[name]?.volumes]));
  expect(seenBy('receiver', 'worker', 'dashboard', 'redis', 'prometheus', 'grafana')).toEqual({
    receiver: [
      'keys-receiver:/var/lib/passport:ro',
      './deploy/etc/config:/etc/passport/config:ro',
      './deploy/etc/secrets/webhook:/etc/passport/secrets/webhook:ro',
      './deploy/etc/secrets/notify:/etc/passport/secrets/notify:ro',
    ],
    worker: [
      'keys-worker:/var/lib/passport:ro',
      './deploy/etc/config:/etc/passport/config:ro',
      './deploy/etc/secrets/koha:/etc/passport/secrets/koha:ro',
      './deploy/etc/secrets/notify:/etc/passport/secrets/notify:ro',
    ],
    dashboard: [
      'keys-dashboard:/var/lib/passport:ro',
      './deploy/etc/config:/etc/passport/config:ro',
      './deploy/etc/secrets/dashboard:/etc/passport/secrets/dashboard:ro',
    ],
    redis: ['redis:/data', 'keys-redis:/var/lib/passport:ro'],
    prometheus: ['./deploy/prometheus:/etc/prometheus:ro', 'prometheus:/prometheus'],
    grafana: [
      'keys-grafana:/var/lib/passport:ro',
      './deploy/grafana:/etc/patron-passport:ro',
      'grafana:/var/lib/grafana',
    ],
  });
  expect(services['dashboard']?.environment).toMatchObject({ PASSPORT_KEY_FILE: '' });
  // The command alone may write there: it accepts libraries.
  expect(services['cli']?.volumes).toEqual(['keys:/var/lib/passport:ro', './deploy/etc:/etc/passport']);
  expect(services['cli']?.environment).toMatchObject({ PASSPORT_SECRETS: '/etc/passport/secrets' });
});

/** The valid file with something else than its default for each key that is printed in another way than it is kept. */
function fullFile() {
  const file = validFile();
  Object.assign(at(file, 'libraries', 0), {
    cards: ['^21234\\d{9}$', { scanned: '^(\\d{8})\\d$', number: '21234$1', check_digit: 'mod10' }],
    share: { categories: { only: ['AD'] }, opt_out_attribute: 'NOSHARE' },
    refresh: { sweep: '02:30', at_scan: true, restricted: 'apply' },
    owed: { read: '03:05' },
    windows: [
      { at: '02:05', for: '90m', days: ['sun'], as: 'home', reason: 'backup' },
      { from: '2026-12-24T18:00:00+01:00', until: '2026-12-27T06:00:00+01:00', reason: 'move' },
    ],
  });
  Object.assign(at(file, 'libraries', 0, 'copy'), {
    category: { by_home_category: { AD: 'PT-A' }, otherwise: 'PT' },
    branch: { fixed: 'MAIN' },
    set: { lang: 'fr' },
    expiry: { days: 30 },
    consent: 'ask',
    consent_text: { id: 'v1', text: { en: 'May we?', de: 'Dürfen wir?' } },
    consent_within: '1m',
  });
  Object.assign(at(file, 'libraries', 1, 'copy'), {
    expiry: 'category',
    consent: 'ask',
    consent_text: { id: 'v2', text: 'May we?' },
  });
  file['agreements'] = [
    { home: 'riverside', lending: 'midland', fields: ['surname'], recourse: { block_home_over: 19.99 } },
    { home: 'midland', lending: 'riverside', categories: { except: ['ST'] } },
  ];
  file['public'] = { receiver: 'https://passport.example.org', dashboard: 'http://localhost:3002/passport' };
  file['users'] = [{ name: 'rita', role: 'viewer', libraries: ['riverside'] }];
  file['notify'] = [
    { name: 'ops', url: 'https://ops.example.org', secret: { env: 'MIDLAND_WEBHOOK_SECRET' } },
  ];
  return file;
}

/** What is printed of a library as it was written. */
const plain = ({ copy, cards = [], share = {}, refresh = 'off', owed = 'off' }: Draft) => {
  return { copy, cards, share, refresh, owed };
};

test.each([
  ['short', validFile()],
  ['full', fullFile()],
])('the effective configuration of a %s file is itself a file, but for the secrets', (_, file) => {
  const consortium = parse(file);
  const shown: unknown = parseYaml(renderEffectiveConfig(consortium));
  expect(shown).toEqual(effectiveConfig(consortium));
  expect(shown).toMatchObject({ libraries: (file['libraries'] as Draft[]).map(plain) });
  const again = JSON.stringify(shown).replaceAll(/"\[secret from env (\w+)\]"/g, '{"env":"$1"}');
  expect(effectiveConfig(parse(again, validEnvironment()))).toEqual(effectiveConfig(consortium));
});

test('the effective configuration has every key of a library, but for what allows its address', () => {
  const { libraries } = effectiveConfig(parse(validFile()));
  const [shown] = libraries as Record<string, Record<string, unknown>>[];
  const keysIn = (section: Section) => keysOf(section).map(([, name]) => name);
  // Of a library that requests consent there are two more.
  const left = ['allow_http', 'consent_text', 'consent_within'];
  expect(Object.keys(shown ?? {})).toEqual(keysIn(librarySchema));
  const sections = keysOf(librarySchema).flatMap(([, name, schema]) =>
    isSection(schema) ? [{ name, keys: keysIn(schema).filter((key) => !left.includes(key)) }] : [],
  );
  expect(sections.map(({ name }) => name)).toEqual([
    'koha',
    'limits',
    'share',
    'copy',
    'eligibility',
    'retry',
  ]);
  for (const { name, keys } of sections) expect(Object.keys(shown?.[name] ?? {})).toEqual(keys);
});

/** Every file of the repository that is not made from another. */
function filesBelow(folder: string): string[] {
  return readdirSync(new URL(`../../../${folder}`, import.meta.url), { withFileTypes: true }).flatMap(
    (entry) => {
      if (['node_modules', 'dist', '.git', '.turbo', '.demo'].includes(entry.name)) return [];
      const path = `${folder}${entry.name}`;
      return entry.isDirectory() ? filesBelow(`${path}/`) : [path];
    },
  );
}

test('a decision that names a file of the repository names one that is there', () => {
  const files = filesBelow('');
  const names = new Set(files.map((path) => basename(path)));
  const missing = files
    .filter((path) => path.startsWith('docs/decisions/'))
    .flatMap((decision) => {
      const quoted = [...read(decision).matchAll(/`([^`\n]+)`/g)].flatMap(([, text = '']) => text.split(' '));
      const named = quoted.filter((text) => /^[\w./@-]+\.(?:ts|mjs|pm|sh)$/.test(text));
      return named.filter((name) => !names.has(basename(name))).map((name) => `${decision}: ${name}`);
    });
  expect(missing).toEqual([]);
});

test('nothing but .ci/run knows a folder beside the repository', () => {
  const [, folder = ''] = /\bPASSPORT_CI_SHARED:-(\.\.\/\w+)\}/.exec(read('.ci/run')) ?? [];
  expect(folder).not.toBe('');
  const text = filesBelow('').filter((path) =>
    /\.(?:ts|mjs|js|json|ya?ml|md|sh|pm|t)$|Dockerfile$/.test(path),
  );
  expect(text.filter((path) => read(path).includes(`${folder}/`))).toEqual([]);
});

test('the Dockerfile copies the manifest of everything that the service is made of, and nothing else', () => {
  const APPS = ['receiver', 'worker', 'dashboard', 'cli'].map((name) => `apps/${name}`);
  const needed = new Set(APPS);
  for (const folder of needed) {
    const { dependencies = {} } = JSON.parse(read(`${folder}/package.json`)) as {
      dependencies?: Readonly<Record<string, string>>;
    };
    for (const name of Object.keys(dependencies))
      if (name.startsWith('@passport/')) needed.add(name.replace('@passport/', 'packages/'));
  }
  const [, stage = ''] = /AS manifests\n(.*?)\nFROM /s.exec(read('Dockerfile')) ?? [];
  const copied = [...stage.matchAll(/^COPY (\S+)\/package\.json /gm)].map(([, folder]) => folder);
  expect(new Set(copied)).toEqual(needed);
});
