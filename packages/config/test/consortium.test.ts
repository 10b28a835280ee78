import { describe, expect, test } from '@jest/globals';
import { COPY_FIELDS, FIELD_GROUPS } from '@passport/contract';
import { effectiveConfig, numberOf } from '../src/index.ts';
import { at, filesOf, parse, validEnvironment, validFile } from './valid-file.ts';

const pairsOf = (file: Parameters<typeof parse>[0]) =>
  parse(file)
    .agreements.all()
    .map(({ home, lending }) => `${home}>${lending}`);

describe('defaults', () => {
  test('the built-in ones hold where nothing is said', () => {
    const [library] = parse(validFile()).libraries;
    expect(library).toMatchObject({
      enabled: true,
      koha: { timeoutMs: 3000, maxInFlight: 'auto' },
      limits: {
        eventsPerSecond: 50,
        burst: 200,
        backlog: 10_000,
        copiesPerHour: 500,
        refreshesPerHour: 1000,
        missesPerHour: 1000,
        verdictsPerHour: 500,
      },
      cards: [],
      share: { categories: { kind: 'all' }, optOutAttribute: null },
      copy: {
        formerCategories: [],
        branch: { kind: 'scan' },
        expiry: { kind: 'home' },
        passportAttribute: 'PASSPORTED',
        homeKeyAttribute: 'PASSPORTED_ID',
        onLookAlike: 'koha',
      },
      eligibility: { expired: 'refuse', maxDebt: null, minAge: null, showReasons: true },
      retry: {
        tellKoha: true,
        checkout: true,
        checkoutWithinMs: 90_000,
        confirm: [],
        giveUpAfterMs: 900_000,
      },
    });
    expect(library?.copy.set).toEqual({});
    expect(library?.copy.fields).toEqual([
      ...FIELD_GROUPS.name,
      ...FIELD_GROUPS.contact,
      ...FIELD_GROUPS.address,
      ...FIELD_GROUPS.birth,
      ...FIELD_GROUPS.choices,
    ]);
  });

  test("the file's reach every library key by key, and a library's own word goes before them", () => {
    const file = validFile();
    file['defaults'] = {
      koha: { timeout: '2s' },
      limits: { burst: 7 },
      copy: { category: 'DEF', set: { statistics_1: 'a', lang: 'fr' }, expiry: 'category' },
      eligibility: { max_debt: 5, card_lost: 'allow' },
      retry: { checkout: false },
    };
    at(file, 'libraries', 1)['copy'] = { set: { statistics_2: 'b', lang: null }, expiry: { days: 30 } };
    at(file, 'libraries', 1)['eligibility'] = { max_debt: null };
    const [midland, riverside] = parse(file).libraries;
    expect(midland).toMatchObject({
      koha: { timeoutMs: 2000, maxInFlight: 'auto' },
      limits: { burst: 7, backlog: 10_000 },
      copy: { category: { kind: 'one', category: 'PT' }, set: { statistics_1: 'a', lang: 'fr' } },
      eligibility: { maxDebt: 5, cardLost: 'allow', restricted: 'refuse' },
    });
    expect(riverside).toMatchObject({
      copy: { category: { kind: 'one', category: 'DEF' }, expiry: { kind: 'days', days: 30 } },
      eligibility: { maxDebt: null, cardLost: 'allow' },
      retry: { checkout: false, tellKoha: true },
    });
    expect(riverside?.copy.set).toEqual({ statistics_1: 'a', statistics_2: 'b' });
  });

  test('a category map replaces a category as a whole', () => {
    const file = validFile();
    file['defaults'] = { copy: { category: { by_home_category: { AD: 'PT-A' }, otherwise: 'PT' } } };
    at(file, 'libraries', 1)['copy'] = { category: { by_home_category: { CH: 'PT-C' } } };
    expect(parse(file).libraries[1]?.copy.category).toEqual({
      kind: 'by_home_category',
      map: { CH: 'PT-C' },
      otherwise: null,
    });
    expect(parse(file).libraries[2]?.copy.category).toMatchObject({ otherwise: 'PT' });
  });
});

describe('T-30 no, one and many entries', () => {
  test.each([0, 1, 2, 5])('%i of each kind of entry', (count) => {
    const file = validFile();
    const many = <T>(of: (place: number) => T) => Array.from({ length: count }, (_, place) => of(place));
    const library = at(file, 'libraries', 0);
    library['cards'] = many((place) => `^2${place}$`);
    library['share'] = {
      fields: COPY_FIELDS.slice(0, count),
      categories: { only: many((place) => `C${place}`) },
    };
    library['copy'] = {
      category: 'PT',
      set: Object.fromEntries(COPY_FIELDS.slice(0, count).map((field) => [field, 'a'])),
    };
    library['retry'] = { confirm: many((place) => `KEY_${'X'.repeat(place + 1)}`) };
    delete at(library, 'copy', 'set')['date_of_birth'];
    const read = parse(file).libraries[0];
    expect(read?.cards).toHaveLength(count);
    expect(read?.share.fields).toHaveLength(count);
    expect(read?.share.categories).toMatchObject({ categories: many((place) => `C${place}`) });
    expect(Object.keys(read?.copy.set ?? {})).toHaveLength(count);
    expect(read?.retry.confirm).toHaveLength(count);
  });

  test.each([0, 1, 2, 3])('%i libraries', (count) => {
    const file = validFile();
    file['libraries'] = (file['libraries'] as unknown[]).slice(0, count);
    expect(parse(file).libraries).toHaveLength(count);
  });

  test('a section or a list that is left empty counts as left out', () => {
    const text = `
consortium: Prairie
locate:
defaults:
libraries:
  - id: midland
    name: Midland
    koha: {url: 'http://127.0.0.1:8091', client_id: {env: MIDLAND_CLIENT_ID}, client_secret: {env: MIDLAND_CLIENT_SECRET}}
    webhook_secrets:
    cards:
    retry:
agreements: []
`;
    expect(parse(text).libraries[0]).toMatchObject({ webhookSecrets: [], cards: [], retry: { confirm: [] } });
  });
});

test.each([
  ['02:30', { hour: 2, minute: 30 }],
  ['23:59', { hour: 23, minute: 59 }],
])('copies are refreshed at %s, where the library says so, and nowhere else', (sweep, expected) => {
  const file = validFile();
  at(file, 'libraries', 1)['refresh'] = { sweep };
  at(file, 'libraries', 2)['refresh'] = 'off';
  const refreshes = parse(file).libraries.map(({ refresh }) => refresh);
  const applies = { card: true, expiry: true, category: false, restricted: false, cardLost: false };
  expect(refreshes).toEqual([null, { sweep: expected, atScan: false, applies }, null]);
  expect(effectiveConfig(parse(file))['libraries']).toMatchObject([
    { refresh: 'off' },
    { refresh: { sweep } },
    expect.anything(),
  ]);
});

test('what copies owe is read where the library says so, and restricts at home only by the agreement', () => {
  const file = validFile();
  expect(parse(file).libraries.map(({ owed }) => owed)).toEqual([null, null, null]);
  at(file, 'libraries', 0)['owed'] = { read: '03:05' };
  file['agreements'] = [
    { home: 'riverside', lending: 'midland' },
    { home: 'lakeside', lending: 'midland', recourse: { block_home_over: 19.99 } },
    { home: 'midland', lending: 'riverside', recourse: 'report' },
  ];
  const consortium = parse(file);
  expect(consortium.libraries.map(({ owed }) => owed)).toEqual([
    { read: { hour: 3, minute: 5 } },
    null,
    null,
  ]);
  expect(consortium.agreements.all().map(({ blockHomeOver }) => blockHomeOver)).toEqual([null, 1999, null]);
  expect(effectiveConfig(consortium)).toMatchObject({
    libraries: [{ owed: { read: '03:05' } }, { owed: 'off' }, expect.anything()],
    agreements: [{ recourse: 'report' }, { recourse: { block_home_over: 19.99 } }, { recourse: 'report' }],
  });
});

test('copies are refreshed at scans alone, and follow home as far as the library says', () => {
  const file = validFile();
  const refresh = {
    at_scan: true,
    card: 'report',
    expiry: 'report',
    restricted: 'apply',
    card_lost: 'apply',
  };
  at(file, 'libraries', 1)['refresh'] = refresh;
  expect(parse(file).libraries[1]?.refresh).toEqual({
    sweep: null,
    atScan: true,
    applies: { card: false, expiry: false, category: false, restricted: true, cardLost: true },
  });
  expect(effectiveConfig(parse(file))['libraries']).toMatchObject([
    expect.anything(),
    { refresh },
    expect.anything(),
  ]);
});

test('the standing of copies is checked where the library says so, and nowhere else', () => {
  const file = validFile();
  Object.assign(at(file, 'libraries', 1), { refresh: { at_scan: true }, standing: 'restrict' });
  at(file, 'libraries', 2)['standing'] = false; // YAML 1.1 makes it of `off`
  expect(parse(file).libraries.map(({ standing }) => standing)).toEqual(['off', 'restrict', 'off']);
  expect(effectiveConfig(parse(file))['libraries']).toMatchObject([
    { standing: 'off' },
    { standing: 'restrict' },
    { standing: 'off' },
  ]);
});

describe('agreements', () => {
  test('all: every ordered pair whose lending side can report a card', () => {
    expect(pairsOf(validFile())).toEqual([
      'riverside>midland',
      'lakeside>midland',
      'midland>riverside',
      'lakeside>riverside',
    ]);
  });

  test('a library that is not enabled is in no pair, be it all or a list', () => {
    const file = validFile();
    at(file, 'libraries', 1)['enabled'] = false;
    expect(pairsOf(file)).toEqual(['lakeside>midland']);
    file['agreements'] = [
      { home: 'lakeside', lending: 'midland' },
      { home: 'midland', lending: 'riverside' },
    ];
    expect(pairsOf(file)).toEqual(['lakeside>midland']);
  });

  test('a pair goes one way, and narrows fields and categories', () => {
    const file = validFile();
    file['agreements'] = [
      {
        home: 'lakeside',
        lending: 'midland',
        fields: ['birth', 'surname'],
        categories: { except: ['STAFF'] },
      },
    ];
    expect(parse(file).agreements.all()).toEqual([
      {
        home: 'lakeside',
        lending: 'midland',
        fields: ['surname', 'date_of_birth'],
        categories: { kind: 'except', categories: ['STAFF'] },
        blockHomeOver: null,
      },
    ]);
  });

  test('none: nobody shares with anybody', () => {
    expect(parse({ ...validFile(), agreements: [] }).agreements.all()).toEqual([]);
  });
});

test('addresses that are one are spelt as one, and loopback may go without https', () => {
  const file = validFile();
  at(file, 'libraries', 0, 'koha')['url'] = 'https://Koha.Midland.example.org.:443/lib//';
  at(file, 'libraries', 1, 'koha')['url'] = 'http://localhost:8092/';
  Object.assign(at(file, 'libraries', 2, 'koha'), { url: 'http://koha-lakeside:8080', allow_http: true });
  expect(parse(file).libraries.map(({ koha }) => koha.url)).toEqual([
    'https://koha.midland.example.org/lib',
    'http://localhost:8092',
    'http://koha-lakeside:8080',
  ]);
});

test('a secret comes from a variable, from a file, or from the file that NAME_FILE names', () => {
  const file = validFile();
  at(file, 'libraries', 1, 'koha')['client_secret'] = { file: '/run/secrets/riverside' };
  const env = validEnvironment();
  delete env['LAKESIDE_CLIENT_SECRET'];
  env['LAKESIDE_CLIENT_SECRET_FILE'] = '/run/secrets/lakeside';
  const files = filesOf({
    '/run/secrets/riverside': 'from-a-file-1\n',
    '/run/secrets/lakeside': 'from-a-file-2',
  });
  const secrets = parse(file, env, files).libraries.map(({ koha }) => koha.clientSecret);
  expect(secrets.map((secret) => secret.reveal())).toEqual([
    'mid-7f3e9a-kept-out',
    'from-a-file-1',
    'from-a-file-2',
  ]);
  expect(secrets.map(({ source }) => source)).toEqual([
    'env MIDLAND_CLIENT_SECRET',
    'file /run/secrets/riverside',
    'file /run/secrets/lakeside (LAKESIDE_CLIENT_SECRET_FILE)',
  ]);
});

test('the result is frozen all the way down', () => {
  const thawed: string[] = [];
  const walk = (value: unknown, path: string): void => {
    if (typeof value !== 'object' || value === null) return;
    if (!Object.isFrozen(value)) thawed.push(path);
    for (const [key, inner] of Object.entries(value)) walk(inner, `${path}.${key}`);
  };
  const file = validFile();
  at(file, 'libraries', 0)['cards'] = ['^21234\\d{9}$'];
  const consortium = parse(file);
  walk(consortium, 'consortium');
  expect(thawed).toEqual([]);
  expect(consortium.libraries[0]?.cards.map((form) => numberOf(form, '21234000000017'))).toEqual([
    '21234000000017',
  ]);
});

test('public addresses are kept in one spelling, and are null where nothing is said', () => {
  const file = validFile();
  expect(parse(file).public).toEqual({ receiver: null, dashboard: null });
  file['public'] = { receiver: 'https://PASSPORT.example.org:443/' };
  expect(parse(file).public).toEqual({ receiver: 'https://passport.example.org', dashboard: null });
});
