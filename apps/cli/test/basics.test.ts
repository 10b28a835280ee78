import { randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { parseWebhookSecret } from '@passport/contract';
import { consortiumOf, jsonOf, passport } from './run-cli.ts';

const koha = {
  url: 'http://127.0.0.1:9',
  credentials: { clientId: 'an-id-of-a-key', clientSecret: 'planted-secret-7f3e' },
};
const env = consortiumOf([
  { library: 'riverside', ...koha },
  {
    library: 'midland',
    url: 'http://127.0.0.1:8',
    credentials: { clientId: 'another-id', clientSecret: 'planted-secret-90ab' },
  },
]);
/** Of a queue that no command reaches before it has read its arguments. */
const queue = {
  REDIS_URL: 'redis://127.0.0.1:9',
  PASSPORT_KEY: randomBytes(32).toString('base64'),
};

describe('wrong use ends with 2 and says how to use it', () => {
  test.each<[args: string[], expected: RegExp]>([
    [['cofnig'], /Did you mean config\?/],
    [['config', 'chek'], /Did you mean check\?/],
    [['doctor', '--jsn'], /unknown option '--jsn'/],
    [['explain', '--card', '-'], /required option '--at <library>' not specified/],
    [['explain', '--at', 'riverside'], /required option '--card <->' not specified/],
    [
      ['explain', '--at', 'nowhere', '--card', '-'],
      /no library "nowhere"; the configuration has riverside, midland/,
    ],
    [['explain', '--at', 'riverside', '--card', '-'], /standard input has no card on line 1/],
    [['send', '--at', 'riverside', '--card', '-', '--for', 'ever'], /not a duration such as 30s/],
    [['send', '--at', 'riverside', '--card', '-', '--receiver', 'localhost'], /not an http or https URL/],
    [['events', 'list', '--state', 'lost'], /Allowed choices are working, queued/],
    [['events', 'show'], /missing required argument 'event'/],
    [['events', 'retry', '--outcome', 'MISCONFIGURED'], /choose them with --outcome and --since/],
    [['events', 'retry', '--since', '2h'], /choose them with --outcome and --since/],
    [['copies', 'export', '--since', 'yesterday'], /not a date such as/],
    [['export'], /name either a patron/],
    [['export', '--patron', 'midland:1', '--library', 'midland'], /name either a patron/],
    [['erase'], /missing required argument 'homekey'/],
    [['stats', '--by', 'month,person'], /not a list of month, home, lending/],
    [['stats', '--since', '2026-13'], /not a month such as/],
    [['stats', '--csv', '--json'], /cannot be used with/],
    [['secret', 'new', '--key', '--webhook'], /cannot be used with/],
  ])('passport %j', async (args, expected) => {
    const { code, out, err } = await passport(args, { ...env, ...queue });
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(expected);
  });

  test('a card given as an argument is refused and not repeated', async () => {
    const { code, out, err } = await passport(
      ['explain', '--at', 'riverside', '--card', '21234000000017'],
      env,
    );
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(/standard input/);
    expect(err).not.toContain('21234000000017');
  });
});

test('what is no home key is refused and not repeated', async () => {
  for (const args of [
    ['export', '--patron', '21234000000017'],
    ['erase', '21234000000017'],
    ['erase', 'midland:0', '--apply'],
  ]) {
    const { code, out, err } = await passport(args, { ...env, ...queue });
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(/no home key such as midland:812/);
    expect(err).not.toMatch(/21234000000017|midland:0/);
  }
});

test('every command has help with examples, and --json', async () => {
  const commands = [
    'config check',
    'secret new',
    'status',
    'doctor',
    'explain',
    'send',
    'events list',
    'events show',
    'events retry',
    'events watch',
    'completion',
    'copies list',
    'copies adopt',
    'copies release',
    'copies rekey',
    'copies leave',
    'copies delete',
    'copies export',
    'stats',
    'export',
    'erase',
  ];
  for (const command of commands) {
    const { code, out } = await passport([...command.split(' '), '--help'], {});
    expect({ command, code }).toEqual({ command, code: 0 });
    expect(out).toMatch(/--json/);
    expect(out).toMatch(new RegExp(`Examples:\n {2}\\$ .*passport ${command}`));
  }
  expect((await passport(['--help'], {})).out).toMatch(
    /Exit codes: 0 success, 1 a finding or a failure, 2 wrong usage/,
  );
});

describe('config check', () => {
  test('of a right file is one line', async () => {
    const ran = await passport(['config', 'check'], env);
    expect(ran).toEqual({ code: 0, out: '', err: 'valid: 2 libraries, 2 agreements\n' });
  });

  test('prints with --print what holds, without secrets, and where they come from', async () => {
    const { code, out, err } = await passport(['config', 'check', '--print'], env);
    expect(code).toBe(0);
    expect(out).toContain('client_secret: "[secret from env RIVERSIDE_SECRET]"');
    expect(err).toBe('valid: 2 libraries, 2 agreements\n');
    expect(out + err).not.toContain('planted');
    const name = 'Mobile passport library';
    const named = { 'FILE test.yaml': env['FILE test.yaml']?.replace('Test Libraries', name) };
    const there = { ...env, ...named, PASSPORT_INSTALL: 'debian' };
    expect((await passport(['config', 'check', '--print'], there)).out).toContain(name);
  });

  test('as JSON it is one value on standard output', async () => {
    const ran = await passport(['config', 'check', '--json'], env);
    expect(jsonOf(ran)).toMatchObject({ ok: true, warnings: [], config: { consortium: 'Test Libraries' } });
    expect(ran.err).toBe('');
  });

  test('warns of what is valid and probably not meant', async () => {
    const { code, err } = await passport(
      ['config', 'check'],
      consortiumOf([{ library: 'riverside', ...koha }]),
    );
    expect(code).toBe(0);
    expect(err).toContain(
      'warning: libraries[0].webhook_secrets: no agreement has this library as its lending library',
    );
  });

  describe('says of users what the dashboard would say', () => {
    const RITA = {
      name: 'rita',
      role: 'viewer',
      libraries: ['riverside'],
      password: { env: 'RITA_PASSWORD' },
    };
    const withUsers = (...users: readonly object[]) => {
      const text = env['FILE test.yaml'] ?? '';
      return { ...env, ...queue, 'FILE test.yaml': JSON.stringify({ ...JSON.parse(text), users }) };
    };
    test.each([
      [
        'a password that is missing',
        {},
        /users\[0\]\.password \(line \d+\): the environment has no RITA_PASSWORD/,
      ],
      ['a short one', { RITA_PASSWORD: 'short' }, /users\[0\]\.password \(line \d+\): is shorter than/],
      [
        'the name of another login',
        { RITA_PASSWORD: 'hb7-riverside-only', DASHBOARD_USER: 'rita' },
        /users\[0\]\.name: is the same as DASHBOARD_USER/,
      ],
    ])('%s', async (_what, more, expected) => {
      for (const command of ['check', 'reload']) {
        const { code, err } = await passport(['config', command], { ...withUsers(RITA), ...more });
        expect({ command, code }).toEqual({ command, code: 1 });
        expect(err).toMatch(expected);
      }
    });

    test('no password where no proxy logs anybody in, as far as the environment of the dashboard is here', async () => {
      const { password: _none, ...user } = RITA;
      const here = await passport(['config', 'check'], { ...withUsers(user), DASHBOARD_USER: 'operator' });
      expect([here.code, here.err]).toEqual([1, expect.stringMatching(/users\[0\]\.password.*is missing/)]);
      const elsewhere = await passport(['config', 'check'], withUsers(user));
      expect([elsewhere.code, elsewhere.err]).toEqual([
        0,
        expect.stringContaining('warning: users: not compared with the logins of the dashboard'),
      ]);
    });
  });

  test('reports every problem, and ends with 1', async () => {
    const broken = consortiumOf([{ library: 'riverside', ...koha, change: { koha: {}, crds: [] } }]);
    const { code, out, err } = await passport(['config', 'check'], broken);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toMatch(/libraries\[0\]\.crds \(line \d+\): is not a known key, did you mean cards\?/);
    const ran = await passport(['config', 'check', '--json'], broken);
    expect(jsonOf(ran)).toMatchObject({
      ok: false,
      problems: expect.arrayContaining([expect.objectContaining({ path: 'libraries[0].koha.url' })]),
    });
  });

  test('checks the environment of a process with the file', async () => {
    const { code, err } = await passport(['config', 'check', '--process', 'worker'], env);
    expect(code).toBe(1);
    expect(err).toMatch(/PASSPORT_KEY: is missing/);
    expect(err).toMatch(/REDIS_URL: is missing/);
    const whole = {
      ...env,
      PASSPORT_KEY: Buffer.alloc(32, 'not made at random').toString('base64'),
      REDIS_URL: 'redis://localhost',
    };
    expect((await passport(['config', 'check', '--process', 'worker'], whole)).code).toBe(0);
  });
});

describe('secret new', () => {
  test('makes both kinds, each as the service takes it', async () => {
    const made = jsonOf(await passport(['secret', 'new', '--json'], {})) as Record<string, string>;
    expect(parseWebhookSecret(made['webhook_secret'] ?? '')).toHaveLength(32);
    expect(Buffer.from(made['passport_key'] ?? '', 'base64')).toHaveLength(32);
  });

  test('--webhook and --key print the bare value, ready for a file', async () => {
    expect((await passport(['secret', 'new', '--webhook'], {})).out).toMatch(/^whsec_[A-Za-z0-9+/]{43}=\n$/);
    expect((await passport(['secret', 'new', '--key'], {})).out).toMatch(/^[A-Za-z0-9+/]{43}=\n$/);
  });

  test('the text is a file of environment variables', async () => {
    const { out } = await passport(['secret', 'new'], {});
    expect(out.split('\n').filter((line) => line !== '' && !line.startsWith('#'))).toEqual([
      expect.stringMatching(/^WEBHOOK_SECRET=whsec_/),
      expect.stringMatching(/^PASSPORT_KEY=/),
    ]);
  });
});

test('colours are for terminals only, and never in JSON', async () => {
  const escape = '\u001B[';
  expect((await passport(['doctor'], env, { isTerminal: false })).out).not.toContain(escape);
  expect((await passport(['doctor'], env, { isTerminal: true })).out).toContain(escape);
  expect((await passport(['doctor', '--json'], env, { isTerminal: true })).out).not.toContain(escape);
});
