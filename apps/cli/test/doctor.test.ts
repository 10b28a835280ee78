import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type KohaDouble, testedReleases, servicePermissions } from '@passport/koha-double';
import { leakGuard } from '@passport/testkit';
import {
  type Change,
  type Diagnosis,
  category,
  examine,
  homeOnly,
  populate,
  startTwoKohas,
  without,
} from './doctor-fixture.ts';
import { consortiumOf, jsonOf, passport } from './run-cli.ts';

const own = leakGuard({ beforeEach, afterEach });

let riverside: KohaDouble;
let midland: KohaDouble;
beforeEach(async () => {
  ({ riverside, midland } = await startTwoKohas(own));
});
const look = (how?: Parameters<typeof examine>[1]) => examine({ riverside, midland }, how);

test('a healthy consortium has no fault and no warning: exit code 0', async () => {
  const { code, ok, faults, warnings } = await look();
  expect({ code, ok, faults, warnings }).toEqual({ code: 0, ok: true, faults: [], warnings: [] });
});

test.each(testedReleases)('a healthy Koha %s has no fault', async (release) => {
  riverside.putSettings({ release });
  const { code, faults, warnings } = await look();
  expect({ code, faults, warnings }).toEqual({ code: 0, faults: [], warnings: [] });
});

test('nothing is changed, and nothing is sent that could change something', async () => {
  const before = [JSON.stringify(riverside.state()), JSON.stringify(midland.state())];
  await look();
  expect([JSON.stringify(riverside.state()), JSON.stringify(midland.state())]).toEqual(before);
  const written = [...riverside.calls(), ...midland.calls()].filter(
    ({ method, status }) => method !== 'GET' && Number(status) < 300,
  );
  // The plugin's own check asks its receiver for the status, which changes nothing.
  const harmless = ['POST /oauth/token', 'POST /contrib/passport/check'];
  expect(written.filter(({ operation }) => !harmless.includes(operation ?? ''))).toEqual([]);
});

describe('T-18', () => {
  /** A release whose API cannot suppress the welcome mail. */
  async function forgetWelcomeNo(): Promise<void> {
    const description = await (await fetch(`${riverside.url}/api/v1/`)).text();
    const body: unknown = JSON.parse(description.replaceAll('"welcome_no"', '"opac_reg_no"'));
    riverside.addFaults([{ operation: 'GET /', times: 9, kind: 'status', status: 200, body }]);
  }

  test('a welcome mail is a fault where the API cannot suppress it', async () => {
    riverside.putSettings({ AutoEmailNewUser: '1' });
    expect((await look()).faults).toEqual([]);
    await forgetWelcomeNo();
    expect(await look()).toMatchObject({ code: 1, faults: ['riverside welcome_mail'] });
  });

  test('there it is not checked without the plugin, and no fault when Koha sends none', async () => {
    await forgetWelcomeNo();
    expect((await look()).faults).toEqual([]);
    riverside.clearFaults();
    riverside.putSettings({ plugin: false });
    await forgetWelcomeNo();
    const { faults, unchecked } = await look({ change: { retry: { tell_koha: false } } });
    expect(faults).toEqual([]);
    expect(unchecked).toContain('riverside welcome_mail');
  });

  test('an enrolment fee is a fault, and one that is meant to be can be left out', async () => {
    riverside.putSettings({ categories: [{ ...category, enrolment_fee: 5 }] });
    expect(await look()).toMatchObject({ code: 1, faults: ['riverside enrolment_fee PT'] });
    expect(await look({ args: ['--ignore', 'enrolment_fee'] })).toMatchObject({ code: 0, faults: [] });
    const ignore_findings = ['enrolment_fee', 'configuration'];
    expect(await look({ change: { ignore_findings } })).toMatchObject({ code: 0, faults: [] });
  });
});

describe('warnings do not fail', () => {
  test.each<[what: string, change: Change, warnings: string[]]>([
    ['the clock a little off', { clock_skew_seconds: 120 }, ['clock_off']],
    [
      'the whole borrowers permission that 24.11 wants to change a card',
      { release: '24.11', ...without('borrowers:1') },
      ['permission_missing borrowers: 1'],
    ],
  ])('%s', async (_what, change, warnings) => {
    riverside.putSettings(change);
    const found = await look();
    expect({ code: found.code, faults: found.faults }).toEqual({ code: 0, faults: [] });
    expect(found.warnings).toEqual(warnings.map((warning) => `riverside ${warning}`));
  });

  test('a library without card patterns, and patterns that overlap, are named at each library they concern', async () => {
    const credentials = { clientId: 'of-lakeside', clientSecret: 'a secret of lakeside alone' };
    const nowhere = { url: 'http://127.0.0.1:9', credentials };
    const configured = consortiumOf([
      { ...riverside, change: { cards: ['^2\\d{13}$'] } },
      midland,
      { ...nowhere, library: 'lakeside', change: { cards: [] } },
    ]);
    const ran = await passport(['doctor', '--json'], configured);
    const { libraries } = jsonOf(ran) as Diagnosis;
    const found = libraries.map(({ id, findings }) => ({
      id,
      warnings: findings.filter(({ code }) => code === 'configuration').map(({ problem }) => problem),
    }));
    expect(found).toEqual([
      { id: 'riverside', warnings: [expect.stringMatching(/^libraries\[1\]\.cards: .*riverside \(/)] },
      { id: 'midland', warnings: [expect.stringMatching(/^cards: .*riverside \(\^2\\d\{13\}\$\)/)] },
      { id: 'lakeside', warnings: [expect.stringMatching(/^cards: .*every card/)] },
    ]);
  });

  test('possible duplicates stop and no birth date is copied', async () => {
    const { code, warnings } = await look({ change: { copy: { category: 'PT', fields: ['name'] } } });
    expect({ code, warnings }).toEqual({ code: 0, warnings: ['riverside configuration copy.fields'] });
  });

  test('the plugin is there and the desk is never notified', async () => {
    const { code, warnings } = await look({ change: { retry: { tell_koha: false } } });
    expect({ code, warnings }).toEqual({ code: 0, warnings: ['riverside reports_off'] });
  });
});

describe('T-13 a home category that a closed map leaves out', () => {
  const copy = { category: { by_home_category: { AD: 'PT', CH: 'PT' } } };

  test('is warned about, unless everything else has one too', async () => {
    const { code, warnings } = await look({ change: { copy } });
    expect({ code, warnings }).toEqual({
      code: 0,
      warnings: ['riverside category_unmapped midland STAFF'],
    });
    const open = { ...copy, category: { ...copy.category, otherwise: 'PT' } };
    expect((await look({ change: { copy: open } })).warnings).toEqual([]);
  });

  test('is named as not checked where the home categories cannot be seen', async () => {
    midland.putSettings(without('parameters:manage_patron_categories'));
    const { warnings, unchecked } = await look({ change: { copy } });
    expect(warnings).toEqual([]);
    expect(unchecked).toContain('riverside category_unmapped midland');
  });
});

test('two entries that lead to one Koha are found, though their addresses and keys differ', async () => {
  const credentials = { clientId: 'second-key-of-one-koha', clientSecret: 'second-secret-of-one-koha' };
  riverside.putPatron('SERVICE-2', {
    surname: 'Service',
    library_id: 'MAIN',
    category_id: 'STAFF',
    permissions: servicePermissions,
    api_keys: [{ client_id: credentials.clientId, secret: credentials.clientSecret, active: true }],
  });
  const twin = { library: 'twin', url: riverside.url.replace('127.0.0.1', 'localhost'), credentials };
  const ran = await passport(
    ['doctor', '--json'],
    consortiumOf([riverside, midland, twin].map((each) => ({ ...each, change: homeOnly }))),
  );
  const { libraries } = jsonOf(ran) as Diagnosis;
  expect(
    libraries.map(({ id, findings }) => [
      id,
      findings.filter(({ level }) => level === 'fault').map(({ code }) => code),
    ]),
  ).toEqual([
    ['riverside', []],
    ['midland', []],
    ['twin', ['same_koha']],
  ]);
});

test('without the plugin, what it alone could report is named as not checked', async () => {
  riverside.putSettings({ plugin: false });
  const { code, faults, unchecked } = await look({ change: { retry: { tell_koha: false } } });
  expect({ code, faults }).toEqual({ code: 0, faults: [] });
  expect(unchecked).toContain('riverside attribute_type_not_unique');
});

describe('a circulation rule that says 0 is no fault', () => {
  test.each<[what: string, rules: readonly object[]]>([
    [
      'where a more specific one allows checkouts',
      [{ value: '0' }, { value: '9', patron_category_id: 'PT' }],
    ],
    ['for another category', [{ value: '9' }, { value: '0', patron_category_id: 'AD' }]],
    ['for some item types', [{ value: '9' }, { value: '0', patron_category_id: 'PT', item_type_id: 'DVD' }]],
    ['for all item types but one', [{ value: '0' }, { value: '9', item_type_id: 'BK' }]],
    ['at another branch than those there are', [{ value: '9' }, { value: '0', library_id: 'ATTIC' }]],
    ['when it is empty: as many as they like', [{ value: '' }]],
  ])('%s', async (_what, rules) => {
    riverside.putSettings({
      circulation_rules: [
        ...rules.map((row) => ({ rule: 'maxissueqty', value: '9', ...row })),
        { rule: 'issuelength', value: '9' },
      ],
    });
    expect((await look()).faults).toEqual([]);
  });
});

test('without the permission for categories, that is named as not checked, and what lets doctor see it', async () => {
  riverside.putSettings(without('parameters:manage_patron_categories'));
  const { code, faults, libraries } = await look();
  expect({ code, faults }).toEqual({ code: 0, faults: [] });
  expect(libraries[0]?.findings).toContainEqual(
    expect.objectContaining({
      level: 'unchecked',
      remedy: expect.stringContaining('manage_patron_categories'),
    }),
  );
});

test('only the named libraries are examined, and an unknown one is wrong use', async () => {
  riverside.putSettings({ plugin: false });
  const env = consortiumOf([riverside, midland]);
  expect((await passport(['doctor', 'midland', '--ignore', 'plugin_missing'], env)).code).toBe(0);
  expect(riverside.calls()).toEqual([]);
  const ran = await passport(['doctor', 'nowhere'], env);
  expect({ code: ran.code, err: ran.err }).toEqual({
    code: 2,
    err: 'passport: there is no library "nowhere"; the configuration has riverside, midland\n',
  });
});

test('a person reads one line for each fault, and below it what to click', async () => {
  riverside.putSettings({ plugin: false });
  const { out, code } = await passport(['doctor', 'riverside'], consortiumOf([riverside, midland]));
  expect(code).toBe(1);
  const lines = out.split('\n');
  const place = lines.findIndex((line) => line.includes('fault plugin_missing: '));
  expect(lines[place + 1]).toMatch(/^ {4}→ Administration → Plugins → Upload plugin/);
  expect(lines.at(-2)).toMatch(/^1 checked: 1 fault, 0 warnings, \d not checked$/);
});

test('a plugin that is disabled is to be enabled, not uploaded, and nothing else is said of it', async () => {
  riverside.putSettings({ plugin_disabled: true });
  const { out } = await passport(['doctor', 'riverside'], consortiumOf([riverside, midland]));
  expect(out).toContain(
    'fault plugin_disabled: the plugin is installed, and disabled\n    → Administration → Manage plugins → Patron Passport → Actions → Enable\n',
  );
  expect(out).not.toMatch(/Upload plugin|plugin_settings|query_refused/);
});

test('what is found ends with one link to the page about it, where the dashboard has an address', async () => {
  riverside.putSettings({ plugin: false });
  const kohas = [riverside, { ...midland, change: homeOnly }];
  const env = consortiumOf(kohas, {
    public: { dashboard: 'https://Passport.example.org/ops/' },
  });
  const link = 'https://passport.example.org/ops/libraries/riverside';
  const { out } = await passport(['doctor'], { ...env, PASSPORT_RECEIVER: 'http://127.0.0.1:1' });
  const links = out.split('\n').filter((line) => line.includes('https://passport.example.org'));
  expect(links).toEqual([
    '  more: https://passport.example.org/ops/runbook#passportreceivergone',
    `  more: ${link}`,
  ]);
  const json = jsonOf(await passport(['doctor', '--json'], env));
  expect(json).toMatchObject({
    service: { link: null },
    libraries: [
      { id: 'riverside', link },
      { id: 'midland', link: null },
    ],
  });
  const unlinked = await passport(['doctor', '--json'], consortiumOf(kohas));
  expect(jsonOf(unlinked)).toMatchObject({ libraries: [{ link: null }, { link: null }] });
});

describe('what the plugin reports about its Koha', () => {
  const printed = async (args: readonly string[] = []) =>
    (await passport(['doctor', ...args], consortiumOf([riverside, { ...midland, change: homeOnly }]))).out;

  test.each([
    [4, '4 workers'],
    [1, '1 worker'],
  ])('is one line below the library: versions and web workers (%i)', async (plack_workers, workers) => {
    riverside.putSettings({ plugin_version: '1.2.3', release: '24.11', plack_workers });
    const lines = (await printed(['riverside'])).split('\n');
    expect(lines[0]).toBe('service: nothing wrong');
    const at = lines.findIndex((line) => line.startsWith('riverside '));
    expect(lines[at + 1]).toBe(`  plugin 1.2.3, Koha 24.11.05, ${workers}`);
  });

  test('is in the JSON too, and null where there is no plugin', async () => {
    riverside.putSettings({ plugin_version: '1.2.3', release: '24.11', plack_workers: 3 });
    const { libraries } = JSON.parse(await printed(['--json'])) as Diagnosis;
    expect(libraries.map(({ id, about }) => [id, about])).toEqual([
      ['riverside', { version: '1.2.3', koha_version: '24.11.05.000', plack_workers: 3 }],
      ['midland', null],
    ]);
  });

  test('is left out where it is not reported', async () => {
    riverside.putSettings({ plugin: false });
    expect(await printed()).not.toMatch(/plugin \d/);
    riverside.putSettings({ plugin: true });
    const body = { version: '1.0.0', attribute_types: [], preferences: {} };
    riverside.addFaults([
      { operation: 'GET /contrib/passport/about', times: 1, kind: 'status', status: 200, body },
    ]);
    expect(await printed()).toMatch(/^ {2}plugin 1\.0\.0$/m);
  });
});

test('T-22 no secret, card or name of a patron is printed', async () => {
  populate(riverside);
  riverside.putSettings({ groups_hide_patrons: true, ...without('borrowers:1') });
  const env = consortiumOf([riverside, { ...midland, change: homeOnly }]);
  const texts = await Promise.all([passport(['doctor'], env), passport(['doctor', '--json'], env)]);
  const printed = texts.map(({ out, err }) => out + err).join('\n');
  const { clientId, clientSecret } = riverside.credentials;
  for (const planted of [clientId, clientSecret, 'Number', '2567800000', 'Patron Passport']) {
    expect(printed).not.toContain(planted);
  }
});
