import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { parseRedisUrl } from '@passport/contract';
import { stringify } from 'yaml';
import {
  cliConfig,
  dashboardConfig,
  doctorConfig,
  loadConsortium,
  receiverConfig,
  rehearsalConfig,
  senderConfig,
  tryConfig,
  workerConfig,
  type Consortium,
} from '../src/index.ts';
import { errorOf, filesOf, validEnvironment, validFile } from './valid-file.ts';

const KEY = Buffer.from('0123456789abcdef0123456789abcdef').toString('base64');
const OTHER_KEY = Buffer.from('fedcba9876543210fedcba9876543210').toString('base64');
const REDIS_FORMS = 'redis://, rediss://, redis+sentinel://h1:p,h2:p/name or redis+cluster://h1:p,h2:p';

const environment = (changes: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({
  ...validEnvironment(),
  PASSPORT_KEY: KEY,
  REDIS_URL: 'redis://127.0.0.1:6379',
  DASHBOARD_USER: 'otto',
  DASHBOARD_PASSWORD: 'hb7-look-and-retry',
  ...changes,
});
const files = filesOf({
  'passport.yaml': stringify(validFile()),
  '/etc/broken.yaml': 'consortium: X\nlibraries: []\nagreements: some',
  '/run/secrets/key': `${OTHER_KEY}\n`,
  '/run/secrets/redis': 'rediss://:p4ss-w0rd@redis:6380/2\n',
});
const problemsOf = (act: () => unknown) =>
  errorOf(act).problems.map(({ path, problem }) => `${path} ${problem}`);

test.each([
  [
    'where Kohas reach it, as the file says',
    'https://passport.example.org/',
    undefined,
    'https://passport.example.org',
  ],
  [
    'that the environment names',
    'https://passport.example.org',
    'http://receiver:8080',
    'http://receiver:8080',
  ],
  ['of this machine, where nothing is said', undefined, undefined, 'http://127.0.0.1:8080'],
])('doctor examines the receiver %s', (_, receiver, PASSPORT_RECEIVER, receiverUrl) => {
  const text = stringify({ ...validFile(), ...(receiver === undefined ? {} : { public: { receiver } }) });
  const config = doctorConfig(environment({ PASSPORT_RECEIVER }), filesOf({ 'passport.yaml': text }));
  expect(config).toMatchObject({ receiverUrl });
});

test('the file is named by its hash, as sha256sum says it', () => {
  const text = stringify(validFile());
  const hash = createHash('sha256').update(text).digest('hex');
  expect(workerConfig(environment(), files).fileHash).toBe(hash.slice(0, 12));
});

test('a wrong configuration that is tried is refused with its problems, and a right one is read', () => {
  const wrong = tryConfig(() => receiverConfig(environment({ PASSPORT_CONFIG: '/etc/broken.yaml' }), files));
  expect(wrong).toEqual({
    kind: 'refused',
    problems: [expect.stringMatching(/^agreements \(line 3\): /)],
  });
  expect(tryConfig(() => receiverConfig(environment(), files))).toMatchObject({
    kind: 'read',
    config: { port: 8080 },
  });
  const bug = () => {
    throw new TypeError('of ours');
  };
  expect(() => tryConfig(bug)).toThrow('of ours');
});

test('each variable is looked up once, because Node goes through all of them for each', () => {
  const looks = new Map<string, number>();
  const counted = new Proxy(environment(), {
    get(all, name: string) {
      looks.set(name, (looks.get(name) ?? 0) + 1);
      return all[name];
    },
  });
  workerConfig(counted, files);
  expect(Math.max(...looks.values())).toBe(1);
});

test('what is not set has its default', () => {
  expect(receiverConfig(environment(), files)).toMatchObject({
    port: 8080,
    host: '0.0.0.0',
    adminPort: 9464,
    adminHost: '127.0.0.1',
    trustProxy: false,
    minReplicas: 0,
    shutdownGraceMs: 25_000,
    logLevel: 'info',
    otlpEndpoint: null,
  });
  expect(workerConfig(environment(), files).concurrency).toBe(50);
  expect(dashboardConfig(environment(), files)).toMatchObject({ port: 8081, basePath: '', viewer: null });
  expect(senderConfig(environment(), files).receiverUrl).toBe('http://127.0.0.1:8080');
});

test('an empty variable counts as not set', () => {
  const env = environment({
    RECEIVER_PORT: '',
    LOG_LEVEL: '',
    OTEL_EXPORTER_OTLP_ENDPOINT: '',
    PASSPORT_KEY_FILE: '',
  });
  expect(receiverConfig(env, files)).toMatchObject({ port: 8080, logLevel: 'info', otlpEndpoint: null });
});

test('each secret may be in a file that NAME_FILE names', () => {
  const env = environment({ PASSPORT_KEY_FILE: '/run/secrets/key', REDIS_URL_FILE: '/run/secrets/redis' });
  delete env['PASSPORT_KEY'];
  delete env['REDIS_URL'];
  const { keys, redisUrl } = workerConfig(env, files);
  expect(keys.map((key) => key.reveal().toString())).toEqual(['fedcba9876543210fedcba9876543210']);
  expect(redisUrl.reveal()).toBe('rediss://:p4ss-w0rd@redis:6380/2');
});

test('several keys keep their order: the first encrypts', () => {
  const { keys } = workerConfig(environment({ PASSPORT_KEY: `${KEY}, ${OTHER_KEY}` }), files);
  expect(keys.map((key) => key.reveal().toString('base64'))).toEqual([KEY, OTHER_KEY]);
});

describe('a variable that is wrong', () => {
  test.each<[name: string, value: string, problem: string]>([
    ['PASSPORT_KEY', 'short', 'key 1 is not base64'],
    ['PASSPORT_KEY', `${KEY},c2hvcnQ=`, 'key 2 has 5 bytes'],
    ['PASSPORT_KEY', `${KEY},${KEY}`, 'key 2 is the same as one before it'],
    ['PASSPORT_KEY', `${KEY},`, 'key 2 has 0 bytes'],
    ['PASSPORT_KEY', Buffer.alloc(32).toString('base64'), 'key 1 was not made at random'],
    ['PASSPORT_KEY', Buffer.alloc(32, 0xff).toString('base64'), 'key 1 was not made at random'],
    ['PASSPORT_KEY', Buffer.alloc(32, 'abcdefg').toString('base64'), 'key 1 was not made at random'],
    [
      'PASSPORT_KEY',
      `${KEY},${Buffer.from(Array.from({ length: 32 }, (_, index) => index)).toString('base64')}`,
      'key 2 was not made at random',
    ],
    ['REDIS_URL', 'localhost:6379', `is none of ${REDIS_FORMS}`],
    ['REDIS_URL', 'redis+sentinel://one:26379,two:26379', 'names no master: redis+sentinel://h1:p,h2:p/name'],
    ['RECEIVER_PORT', '80a', 'is not a whole number'],
    ['RECEIVER_PORT', '70000', 'is out of bounds'],
    ['RECEIVER_PORT', '9464', undefined as never],
    ['REDIS_MIN_REPLICAS', '-1', 'is not a whole number'],
    ['TRUST_PROXY', 'yes', 'names no proxy that can be trusted'],
    ['TRUST_PROXY', '10.0.0.0/33', 'names no proxy that can be trusted'],
    ['SHUTDOWN_GRACE', '25', 'is not a duration'],
    ['SHUTDOWN_GRACE', '1h', 'is 1h, out of bounds'],
    ['LOG_LEVEL', 'loud', 'is no level'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4318', 'is no http or https URL'],
  ])('%s=%s', (name, value, problem) => {
    const wanted = value === '9464' ? 'ADMIN_PORT is the same as RECEIVER_PORT' : `${name} ${problem}`;
    expect(problemsOf(() => receiverConfig(environment({ [name]: value }), files))).toEqual([wanted]);
  });

  test.each(['term|1', 'term1\rterm2', 'term1\nterm2'])('PASSPORT_SIP_PASSWORD=%j', (value) => {
    const env = environment({ PASSPORT_SIP_PASSWORD: value });
    const problem = 'PASSPORT_SIP_PASSWORD has a | or a line break, which ends a field of SIP';
    expect(problemsOf(() => rehearsalConfig(env, files))).toEqual([problem]);
  });

  test.each<[NodeJS.ProcessEnv, string]>([
    [{ DASHBOARD_PASSWORD: 'password1' }, 'DASHBOARD_PASSWORD is a sample secret that everybody knows'],
    [{ DASHBOARD_PASSWORD: 'k3pt' }, 'DASHBOARD_PASSWORD is shorter than 12 characters'],
    [{ DASHBOARD_PASSWORD: 'hb7-look-an' }, 'DASHBOARD_PASSWORD is shorter than 12 characters'],
    [{ DASHBOARD_PASSWORD: 'k3k3k3k3k3k3k3' }, 'DASHBOARD_PASSWORD repeats a few characters'],
    [{ DASHBOARD_USER: 'hb7-look-and-retry' }, 'DASHBOARD_PASSWORD is the same as the user name'],
    [{ DASHBOARD_USER: 'a:b' }, 'DASHBOARD_USER is no user name'],
    [{ DASHBOARD_VIEWER_USER: 'vera' }, 'DASHBOARD_VIEWER_PASSWORD is missing'],
    [{ DASHBOARD_VIEWER_PASSWORD: 'hb7-only-look' }, 'DASHBOARD_VIEWER_USER is missing'],
    [
      { DASHBOARD_VIEWER_USER: 'otto', DASHBOARD_VIEWER_PASSWORD: 'hb7-only-look' },
      'DASHBOARD_VIEWER_USER is the same as DASHBOARD_USER',
    ],
    [{ DASHBOARD_BASE_PATH: 'passport' }, 'DASHBOARD_BASE_PATH is no path'],
  ])('of the dashboard: %j', (changes, problem) => {
    expect(problemsOf(() => dashboardConfig(environment(changes), files))).toEqual([problem]);
  });
});

test('T-22 a sample password is refused whatever its case and trailing digits', () => {
  for (const password of ['Passport2026', 'CHANGE-ME', 'koha koha', '12345678', 'xxxxxxxxxx', '<password>']) {
    const act = () => dashboardConfig(environment({ DASHBOARD_PASSWORD: password }), files);
    expect(problemsOf(act)).toEqual(['DASHBOARD_PASSWORD is a sample secret that everybody knows']);
  }
});

test('variables that compose hands on empty are as if not set', () => {
  const empty = { TRUST_PROXY: '', DASHBOARD_BASE_PATH: '' };
  expect(dashboardConfig(environment(empty), files)).toMatchObject({ trustProxy: false, basePath: '' });
});

test.each([
  ['true', true],
  ['2', 2],
  ['10.0.0.0/8,loopback', '10.0.0.0/8,loopback'],
  ['fd00::/8', 'fd00::/8'],
])('TRUST_PROXY=%s', (text, value) => {
  expect(receiverConfig(environment({ TRUST_PROXY: text }), files).trustProxy).toBe(value);
});

describe('a Redis URL is accepted here exactly when the connection understands it', () => {
  test.each([
    'redis://127.0.0.1:6379',
    'redis://user:p%40ss@redis.example.org/3',
    'redis://user:pass word@redis',
    'rediss://:secret@redis:6380',
    'redis+sentinel://:pw@one:26379,two:26379,three/passport?db=1&tls=1',
    'redis+sentinel://one, two/passport',
    'redis+cluster://one:7000,two:7001',
    'redis://[::1]:6379',
    'REDIS://redis',
    'redis://rédis',
  ])('%s is taken', (url) => {
    expect(parseRedisUrl(url)).toMatchObject({ kind: expect.any(String) });
    expect(cliConfig(environment({ REDIS_URL: url }), files).redisUrl.reveal()).toBe(url);
  });

  test.each([
    ['redis://user@redis', 'has a user but no password: write user:password@ or :password@'],
    ['redis://:p%zz@redis', 'has a password that is not percent-encoded: write % as %25'],
    ['redis://redis:0', 'the port of host 1 is not 1-65535'],
    ['redis://redis:99999', 'the port of host 1 is not 1-65535'],
    ['redis://redis/12345', 'the database is not a number'],
    ['redis://redis?ssl=1', 'has an option other than db, tls, sentinel_password'],
    ['redis+cluster://one,two?tls=yes', 'tls is neither 0 nor 1'],
    ['redis+cluster://one,two?db=1', 'a cluster has no database number'],
  ])('%s is refused', (url, problem) => {
    expect(() => parseRedisUrl(url)).toThrow(problem);
    const act = () => cliConfig(environment({ REDIS_URL: url }), files);
    expect(problemsOf(act)).toEqual([`REDIS_URL ${problem}`]);
  });
});

describe('a process reads only the secrets of libraries that it uses', () => {
  const env = (...without: string[]): NodeJS.ProcessEnv =>
    Object.fromEntries(
      Object.entries(environment()).filter(([name]) => !without.some((part) => name.endsWith(part))),
    );
  const KOHA = ['_CLIENT_ID', '_CLIENT_SECRET'];
  const WEBHOOK = ['_WEBHOOK_SECRET'];
  const secretsOf = ({ consortium }: { consortium: Consortium }) => ({
    koha: consortium.libraries.map(({ koha }) => koha.clientSecret.reveal()),
    webhook: consortium.libraries.flatMap(({ webhookSecrets }) =>
      webhookSecrets.map((each) => each.reveal()),
    ),
  });
  const all = { consortium: loadConsortium(validEnvironment(), files) };

  test('the receiver needs no API key of any Koha, and holds none', () => {
    const config = receiverConfig(env(...KOHA), files);
    expect(secretsOf(config)).toEqual({ koha: ['', '', ''], webhook: secretsOf(all).webhook });
    expect(secretsOf(receiverConfig(env(), files)).koha).toEqual(['', '', '']);
  });

  test('a worker needs no webhook secret', () => {
    expect(secretsOf(workerConfig(env(...WEBHOOK), files))).toEqual({
      koha: secretsOf(all).koha,
      webhook: ['', ''],
    });
  });

  test('the dashboard needs none of both, and no key', () => {
    const config = dashboardConfig(env(...KOHA, ...WEBHOOK, 'PASSPORT_KEY'), files);
    expect(secretsOf(config)).toEqual({ koha: ['', '', ''], webhook: ['', ''] });
    expect(config).not.toHaveProperty('keys');
  });

  test('what it uses is still missed', () => {
    expect(problemsOf(() => receiverConfig(env(...WEBHOOK), files))).toHaveLength(2);
    expect(problemsOf(() => workerConfig(env(...KOHA), files))).toHaveLength(6);
  });
});

test('secrets that no reload renews are counted: those of variables, and copies that systemd made', () => {
  const copies = '/run/credentials/patron-passport-worker@1.service';
  const file = stringify(validFile())
    .replace('env: MIDLAND_CLIENT_SECRET', 'file: /etc/passport/midland')
    .replace('env: RIVERSIDE_CLIENT_SECRET', `file: ${copies}/riverside`);
  const texts = filesOf({
    'passport.yaml': file,
    '/etc/passport/midland': 'a-secret-of-midland-2f7',
    [`${copies}/riverside`]: 'a-secret-of-riverside-9c1',
  });
  const counted = (more: NodeJS.ProcessEnv) => workerConfig(environment(more), texts).fixedSecrets;
  const ofVariables = workerConfig(environment(), files).fixedSecrets;
  expect(ofVariables).toBeGreaterThan(2);
  expect(counted({})).toBe(ofVariables - 2);
  expect(counted({ CREDENTIALS_DIRECTORY: copies })).toBe(ofVariables - 1);
});

describe('users of the file', () => {
  const RITA = { name: 'rita', role: 'viewer', libraries: ['riverside'], password: { env: 'RITA_PASSWORD' } };
  const withUsers = (...users: unknown[]) =>
    filesOf({ 'passport.yaml': stringify({ ...validFile(), users }) });
  const password = { RITA_PASSWORD: 'hb7-riverside-only' };

  test('are read with their role, libraries and password', () => {
    const { users } = dashboardConfig(environment(password), withUsers(RITA)).consortium;
    expect(users).toEqual([
      { name: 'rita', role: 'viewer', libraries: ['riverside'], password: expect.anything() },
    ]);
    expect(users[0]?.password?.reveal()).toBe('hb7-riverside-only');
  });

  test('have passwords that the dashboard alone needs and holds', () => {
    for (const read of [workerConfig, receiverConfig, cliConfig, loadConsortium]) {
      const config = read(environment(), withUsers(RITA));
      const { users } = 'consortium' in config ? config.consortium : config;
      expect(users.map((user) => user.password?.reveal())).toEqual(['']);
    }
    expect(problemsOf(() => dashboardConfig(environment(), withUsers(RITA)))).toEqual([
      'users[0].password the environment has no RITA_PASSWORD',
    ]);
  });

  test.each([
    ['hb7-rita', 'is shorter than 12 characters'],
    ['password2026', 'is a sample secret that everybody knows'],
  ])('cannot have the password %s', (weak, problem) => {
    const act = () => dashboardConfig(environment({ RITA_PASSWORD: weak }), withUsers(RITA));
    expect(problemsOf(act)).toEqual([`users[0].password ${problem}`]);
  });

  describe('without a password', () => {
    const SSO = { name: 'rita', role: 'viewer', libraries: ['riverside'] };
    const PROXY = {
      DASHBOARD_PROXY_USER_HEADER: 'X-Forwarded-User',
      DASHBOARD_PROXY_FROM: '10.0.0.5,loopback',
    };

    test('are logged in by a proxy', () => {
      const config = dashboardConfig(environment(PROXY), withUsers(SSO));
      expect(config.proxyLogin).toEqual({ header: 'x-forwarded-user', from: '10.0.0.5,loopback' });
      expect(config.consortium.users[0]?.password).toBeNull();
    });

    test('need one, for they could not log in', () => {
      expect(dashboardConfig(environment(), files).proxyLogin).toBeNull();
      expect(problemsOf(() => dashboardConfig(environment(), withUsers(SSO)))).toEqual([
        'users[0].password is missing',
      ]);
    });

    test.each<[NodeJS.ProcessEnv, string]>([
      [{ DASHBOARD_PROXY_FROM: '' }, 'DASHBOARD_PROXY_FROM is missing'],
      [{ DASHBOARD_PROXY_USER_HEADER: '' }, 'DASHBOARD_PROXY_USER_HEADER is missing'],
      [{ DASHBOARD_PROXY_FROM: 'true' }, 'DASHBOARD_PROXY_FROM names no proxy'],
      [{ DASHBOARD_PROXY_FROM: '10.0.0.0/33' }, 'DASHBOARD_PROXY_FROM names no proxy'],
      [{ DASHBOARD_PROXY_FROM: '1' }, 'DASHBOARD_PROXY_FROM names no proxy'],
      [{ DASHBOARD_PROXY_USER_HEADER: 'X User' }, 'DASHBOARD_PROXY_USER_HEADER is no name of a header'],
    ])('and with %j the proxy is refused', (change, problem) => {
      const act = () => dashboardConfig(environment({ ...PROXY, ...change }), withUsers(SSO));
      expect(problemsOf(act)).toEqual([problem]);
    });
  });

  test('have names that no login of the environment has', () => {
    const env = environment({
      ...password,
      DASHBOARD_VIEWER_USER: 'vera',
      DASHBOARD_VIEWER_PASSWORD: 'hb7-only-look',
    });
    const users = withUsers({ ...RITA, name: 'vera' }, { ...RITA, name: 'otto' });
    expect(problemsOf(() => dashboardConfig(env, users))).toEqual([
      'users[0].name is the same as DASHBOARD_VIEWER_USER',
      'users[1].name is the same as DASHBOARD_USER',
    ]);
  });
});

test('everything wrong with file and environment is reported in one error', () => {
  const env = { PASSPORT_CONFIG: '/etc/broken.yaml', REDIS_URI: 'redis://x', ADMIN_PORT: 'x' };
  expect(problemsOf(() => workerConfig(env, files))).toEqual([
    'agreements does not fit',
    'PASSPORT_KEY is missing',
    'REDIS_URL is missing; the environment has REDIS_URI, was that meant?',
    'ADMIN_PORT is not a whole number',
  ]);
});

test('a file that is not there is reported beside the environment', () => {
  const act = () => cliConfig({ PASSPORT_CONFIG: '/etc/none.yaml', REDIS_URL: 'redis://x' }, files);
  expect(problemsOf(act)).toEqual(['PASSPORT_CONFIG the file /etc/none.yaml cannot be read (ENOENT)']);
});

test('a command that needs the file alone requires nothing else', () => {
  expect(loadConsortium(validEnvironment(), files).name).toBe('Prairie Libraries');
});

test('the message has one line for each problem, with place, line and what is allowed', () => {
  const env = { PASSPORT_CONFIG: '/etc/broken.yaml' };
  expect(errorOf(() => loadConsortium(env, files)).message.split('\n')).toEqual([
    'The configuration has 1 problem:',
    '  agreements (line 3): does not fit; all, or a list of {home, lending, fields, categories, recourse}',
  ]);
});
