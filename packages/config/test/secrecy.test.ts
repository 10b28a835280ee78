import { inspect } from 'node:util';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { effectiveConfig, renderEffectiveConfig, Secret, workerConfig } from '../src/index.ts';
import { type Draft, at, errorOf, filesOf, parse, validEnvironment, validFile } from './valid-file.ts';

/** Every way in which a value usually gets printed. */
const printed = (value: unknown) =>
  [
    inspect(value, { depth: 20, showHidden: true }),
    JSON.stringify(value),
    String(value),
    value instanceof Error ? `${value.message} ${value.stack} ${inspect(value.cause)}` : '',
  ].join('\n');

test('T-22 a secret does not print, however it is tried', () => {
  const secret = new Secret('planted-7f3e9a');
  const tries = [
    printed(secret),
    printed({ deep: [secret] }),
    `a ${secret as unknown as string}`,
    JSON.stringify(Object.assign({}, secret)),
    inspect(Object.entries(secret)),
    inspect(structuredClone(secret)),
    Object.getOwnPropertyNames(secret).join(),
  ];
  expect(tries.join('\n')).not.toContain('planted');
  expect(secret.reveal()).toBe('planted-7f3e9a');
});

test('T-22 the configuration that is shown holds no secret, and says where each comes from', () => {
  const consortium = parse(validFile());
  const shown = [
    printed(consortium),
    printed(effectiveConfig(consortium)),
    renderEffectiveConfig(consortium),
  ].join('\n');
  for (const secret of Object.values(validEnvironment())) expect(shown).not.toContain(secret);
  expect(shown).toContain('[secret from env MIDLAND_CLIENT_SECRET]');
});

const secretText = fc
  .string({ minLength: 6, maxLength: 40, unit: 'grapheme-ascii' })
  .map((text) => text.replaceAll(/[\s"\\]/g, '#'))
  // Words of the messages themselves would be found in them, secret or not.
  .map((text) => `Zq${text}9x`);

const misplacements: readonly ((file: Draft, env: NodeJS.ProcessEnv, secret: string) => void)[] = [
  (_, env, secret) => (env['MIDLAND_CLIENT_SECRET'] = secret),
  (_, env, secret) => (env['MIDLAND_WEBHOOK_SECRET'] = secret),
  (_, env, secret) => (env['MIDLAND_WEBHOOK_SECRET'] = `whsec_${secret}`),
  (_, env, secret) => (env['PASSPORT_KEY'] = secret),
  (_, env, secret) => (env['REDIS_URL'] = `redis://:${secret}@[`),
  (_, env, secret) => (env['MIDLAND_CLIENT_ID'] = ` ${secret}`),
  (file, _, secret) => (at(file, 'libraries', 0, 'koha')['client_secret'] = secret),
  (file, _, secret) => (at(file, 'libraries', 0, 'koha')['client_secret'] = { env: secret }),
  (file, _, secret) => (at(file, 'libraries', 0, 'koha')['client_secret'] = { file: secret }),
  (file, _, secret) => (at(file, 'libraries', 0, 'koha')['client_secret'] = { value: secret }),
  (file, _, secret) => (at(file, 'libraries', 0, 'koha')['url'] = `https://u:${secret}@h.example.org`),
  (file, _, secret) => (at(file, 'libraries', 0)['webhook_secrets'] = [secret]),
  (file, _, secret) => (at(file, 'libraries', 0)['cards'] = [`(${secret}`]),
  (file, _, secret) => (at(file, 'libraries', 0, 'copy')['fields'] = [secret]),
  (file, _, secret) => (at(file, 'libraries', 0, 'copy')['set'] = { flags: secret }),
  (file, _, secret) => (file['agreements'] = [{ home: secret, lending: 'midland' }]),
];

test('T-22 no secret stands in an error, wherever somebody has put it', () => {
  fc.assert(
    fc.property(secretText, fc.subarray([...misplacements], { minLength: 1 }), (secret, places) => {
      const file = validFile();
      const env: NodeJS.ProcessEnv = { ...validEnvironment(), LOG_LEVEL: 'loud' };
      for (const misplace of places) misplace(file, env, secret);
      const readFile = filesOf({ 'passport.yaml': JSON.stringify(file) });
      const error = errorOf(() => workerConfig(env, readFile));
      expect(error.problems.length).toBeGreaterThan(0);
      expect(printed(error)).not.toContain(secret);
      for (const other of Object.values(validEnvironment())) expect(printed(error)).not.toContain(other);
    }),
    // 25 ms each; more of them by night (CONTRIBUTING.md).
    { numRuns: process.env['NIGHTLY'] ? 300 : 100 },
  );
});

test.each(['consortium: "planted\\-7f3e9a"', 'libraries: *planted', 'libraries: !planted [x', 'x: [planted'])(
  'a YAML error does not quote the file: %s',
  (text) => {
    const error = errorOf(() => parse(text));
    expect(printed(error)).not.toContain('planted');
    expect(error.message).toMatch(/line 1: |needs quotes/);
  },
);

test.each(['whsec_planted7f3e9a', 'planted+7f3e9a=='])(
  'T-22 a secret that stands as a key is not shown: %s',
  (key) => {
    const file = validFile();
    at(file, 'libraries', 0)['webhook_secrets'] = [{ env: 'MIDLAND_WEBHOOK_SECRET', [key]: null }];
    at(file, 'libraries', 0, 'koha')[key] = null;
    const error = errorOf(() => parse(file));
    expect(printed(error)).not.toContain('planted');
    expect(error.problems.map(({ path }) => path)).toContain('libraries[0].koha');
  },
);
