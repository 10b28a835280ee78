import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createHmac } from 'node:crypto';
import { parseWebhookSecret } from '@passport/contract';
import type { KohaDouble } from '@passport/koha-double';
import { leakGuard } from '@passport/testkit';
import { examine, finds, homeOnly, pluginWith, startTwoKohas } from './doctor-fixture.ts';
import type { startFakeReceiver } from './fake-receiver.ts';
import { consortiumOf, passport, webhookSecretOf } from './run-cli.ts';

/** `passport doctor` against what the plugin at riverside was configured with. */
const own = leakGuard({ beforeEach, afterEach });

let receiver: Awaited<ReturnType<typeof startFakeReceiver>>;
let riverside: KohaDouble;
let midland: KohaDouble;
beforeEach(async () => {
  ({ receiver, riverside, midland } = await startTwoKohas(own));
});
const look = (how?: Parameters<typeof examine>[1]) => examine({ riverside, midland }, how);
const set = (change: Readonly<Record<string, unknown>>): void => {
  riverside.putSettings(pluginWith(receiver.url, change));
};
const problemOf = (libraries: Awaited<ReturnType<typeof look>>['libraries'], code: string) =>
  libraries.flatMap(({ findings }) => findings).find((finding) => finding.code === code);

test('a plugin that is set up right proves its secret', async () => {
  const { code, faults, libraries } = await look();

  expect({ code, faults }).toEqual({ code: 0, faults: [] });
  expect(libraries[0]?.reports).toMatchObject({
    library: 'riverside',
    receiver_url: receiver.url,
    secret: { library: 'riverside', place: 1, of: 1 },
  });
});

describe('what is set up wrong in the plugin is a fault', () => {
  test.each<[what: string, change: Readonly<Record<string, unknown>>, faults: string[], remedy: RegExp]>([
    [
      'a wrong id',
      { library: 'riversid' },
      ['plugin_library riversid'],
      /set the library id to riverside in Plugins → Patron Passport → Configure/,
    ],
    [
      'the secret of another library',
      { secret: webhookSecretOf('lakeside') },
      ['plugin_secret'],
      /enter the webhook secret of riverside/,
    ],
    ['no secret', { secret: '' }, ['plugin_settings'], /enter what is missing/],
    ['half a secret', { secret: 'whsec_c2hvcnQ=' }, ['plugin_settings'], /enter what is missing/],
    ['no id', { library: '' }, ['plugin_settings'], /enter what is missing/],
  ])('%s', async (_what, change, faults, remedy) => {
    set(change);
    const found = await look();
    expect({ code: found.code, faults: found.faults }).toEqual({
      code: 1,
      faults: faults.map((fault) => `riverside ${fault}`),
    });
    expect(problemOf(found.libraries, faults[0]?.split(' ')[0] ?? '')?.remedy).toMatch(remedy);
  });

  test('the secret of a member is named as that', async () => {
    set({ secret: webhookSecretOf('midland') });
    const env = consortiumOf([riverside, midland]);
    const { out } = await passport(['doctor', 'riverside'], env);
    expect(out).toContain('plugin_secret: the plugin has the webhook secret of midland');
  });

  test.each<[finding: string, about: Parameters<typeof finds>[2], problem: RegExp]>([
    ['clock_refused', {}, /clock is more than five minutes off/],
    ['identity_wrong', {}, /does not know this id and secret, though the configuration has both/],
    ['identity_other', {}, /does not know this id and secret, though the configuration has both/],
    ['receiver_other', { figure: 404 }, /:\d+ answers 404, as no receiver does/],
    ['receiver_trouble', { figure: 503 }, /it answers 503/],
    ['receiver_limit', { figure: 429 }, /a limit is reached/],
    ['receiver_unreachable', { name: 'refused' }, /cannot reach the receiver at .*: nobody listens there/],
    ['receiver_unreachable', { name: 'timeout' }, /cannot reach .*: it does not answer in time/],
    ['receiver_unreachable', { name: 'reset' }, /cannot reach .*: the connection broke off/],
    ['receiver_slow', { figure: 900 }, /takes 900 ms to answer/],
  ])('%s %j', async (finding, about, problem) => {
    riverside.putSettings(finds(finding, 'fault', about));
    const { faults, libraries } = await look();
    expect(faults).toEqual(['riverside plugin_receiver']);
    expect(problemOf(libraries, 'plugin_receiver')?.problem).toMatch(problem);
  });

  test('a receiver that does not know the wrong id is no finding of its own', async () => {
    set({ library: 'riversid' });
    riverside.putSettings(finds('identity_wrong'));
    expect((await look()).faults).toEqual(['riverside plugin_library riversid']);
  });
});

test.each([
  ['desk_off', 'riverside plugin_off staff'],
  ['copies_off', 'riverside plugin_off copies'],
])('what is switched off there is a warning (%s)', async (finding, warning) => {
  riverside.putSettings(finds(finding, 'warning'));
  const found = await look();
  expect({ code: found.code, warnings: found.warnings }).toEqual({ code: 0, warnings: [warning] });
});

describe('card patterns of the plugin that hide a partner', () => {
  test.each<[string, patterns: string[], cards: string[], found: string[]]>([
    ['none of them fits', ['^25678\\d{9}$'], ['^21234\\d{9}$'], ['fault plugin_cards midland']],
    ['one of them fits half', ['^2123400000\\d{4}$'], ['^21234\\d{9}$'], ['fault plugin_cards midland']],
    ['its cards may be anything', ['^21234\\d{9}$'], [], ['warning plugin_cards midland']],
    ['one that is wider', ['^\\d{14}$'], ['^21234\\d{9}$'], []],
    ['there are none', [], ['^21234\\d{9}$'], []],
    ['one that could take very long', ['(\\d+)+$'], ['^21234\\d{9}$'], ['unchecked plugin_cards of none']],
  ])('%s', async (_what, patterns, cards, expected) => {
    set(patterns.length === 0 ? {} : { patterns });
    const { libraries } = await look({ homeCards: cards });
    const ours = libraries.flatMap(({ findings }) => findings).filter(({ code }) => code === 'plugin_cards');
    expect(ours.map(({ level, code, name }) => `${level} ${code} ${name ?? 'of none'}`)).toEqual(expected);
  });
});

test.each<[who: string, card: string | null, problem: RegExp]>([
  ['nobody', null, /does not know which user is the service's/],
  ['somebody else', 'DESK-STAFF', /takes another user for the service's/],
])(
  'a plugin that takes %s for the user of the service refuses what the service writes',
  async (_who, card, problem) => {
    riverside.putSettings({ plugin_service_user: card });
    const { code, faults, libraries } = await look();
    expect({ code, faults }).toEqual({ code: 1, faults: ['riverside plugin_user'] });
    expect(problemOf(libraries, 'plugin_user')).toMatchObject({
      problem: expect.stringMatching(problem),
      remedy: expect.stringMatching(
        /choose the user of this API key in Plugins → Patron Passport → Configure/,
      ),
    });
  },
);

test('of two secrets it is said which one the plugin has', async () => {
  const change = { webhook_secrets: [{ env: 'RIVERSIDE_NEXT' }, { env: 'RIVERSIDE_WEBHOOK' }] };
  const next = `whsec_${Buffer.from('the next webhook secret of riverside').toString('base64')}`;
  const env = consortiumOf([
    { ...riverside, change },
    { ...midland, change: homeOnly },
  ]);
  riverside.putSettings(finds('receiver_ok', 'ok', { figure: 12 }));
  const { out } = await passport(['doctor', 'riverside'], { ...env, RIVERSIDE_NEXT: next });
  expect(out).toContain(`reports to ${receiver.url} as riverside with secret 2 of 2\n`);
  expect(out).toContain('reports: staff desk, self-check, scans of copies; receiver answers in 12 ms\n');
});

test('the plugin of a library that only shares is not called', async () => {
  const before = riverside
    .calls()
    .filter(({ operation }) => operation === 'POST /contrib/passport/check').length;
  await look({ change: homeOnly });
  const after = riverside
    .calls()
    .filter(({ operation }) => operation === 'POST /contrib/passport/check').length;
  expect(after).toBe(before);
});

test('neither a secret nor a proof is printed, and each run has a nonce of its own', async () => {
  const text = await passport(['doctor'], consortiumOf([riverside, { ...midland, change: homeOnly }]));
  const { libraries } = await look();
  const printed = text.out + text.err + JSON.stringify(libraries);
  const secret = webhookSecretOf('riverside');
  const bodies = riverside.calls().filter(({ operation }) => operation === 'POST /contrib/passport/check');
  expect(bodies).toHaveLength(2);
  for (const seed of [1, 2, 3, 4, 5, 6]) {
    const nonce = Buffer.alloc(24, seed).toString('base64url');
    const proof = createHmac('sha256', parseWebhookSecret(secret)).update(`passport-proof:${nonce}`);
    expect(printed).not.toContain(proof.digest('base64'));
  }
  expect(printed).not.toContain(secret);
});
