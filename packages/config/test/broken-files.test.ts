import { expect, test } from '@jest/globals';
import type { Draft } from './valid-file.ts';
import { at, parse, problemsOf, validEnvironment, validFile } from './valid-file.ts';

interface Fault {
  readonly break: (file: Draft) => void;
  readonly path: string;
  readonly problem: RegExp;
  readonly allowed?: RegExp;
  readonly env?: NodeJS.ProcessEnv;
}

const set =
  (...steps: (string | number)[]) =>
  (value: unknown) =>
  (file: Draft): void => {
    const key = steps.at(-1) ?? '';
    at(file, ...steps.slice(0, -1))[key] = value;
  };
const inLibrary = (...steps: (string | number)[]) => set('libraries', 0, ...steps);
const drop = (steps: (string | number)[]) => (file: Draft) => {
  delete at(file, ...steps.slice(0, -1))[steps.at(-1) ?? ''];
};
const pairs = (...list: unknown[]) => set('agreements')(list);

const FAULTS: Readonly<Record<string, Fault>> = {
  'an unknown key at the top': {
    break: set('libaries')([]),
    path: 'libaries',
    problem: /not a known key, did you mean libraries\?/,
    allowed: /consortium, locate, retention, defaults, libraries, agreements/,
  },
  'an unknown key of a library': {
    break: inLibrary('webhook_secret')('x'),
    path: 'libraries[0].webhook_secret',
    problem: /did you mean webhook_secrets\?/,
  },
  'an unknown key of a section': {
    break: inLibrary('koha', 'time_out')('3s'),
    path: 'libraries[0].koha.time_out',
    problem: /did you mean timeout\?/,
    allowed: /url, allow_http, client_id/,
  },
  'an unknown section in defaults': {
    break: set('defaults')({ share: {} }),
    path: 'defaults.share',
    problem: /not a known key/,
    allowed: /koha, limits, copy, eligibility, retry/,
  },
  'an unknown key in defaults': {
    break: set('defaults')({ copy: { categry: 'PT' } }),
    path: 'defaults.copy.categry',
    problem: /did you mean category\?/,
  },
  'an unknown key within a choice': {
    break: inLibrary('copy', 'category')({ by_home_categry: {}, by_home_category: { AD: 'PT' } }),
    path: 'libraries[0].copy.category.by_home_categry',
    problem: /did you mean by_home_category\?/,
  },
  'no name of the consortium': { break: drop(['consortium']), path: 'consortium', problem: /is missing/ },
  'no libraries': { break: drop(['libraries']), path: 'libraries', problem: /is missing/, allowed: /list/ },
  'no agreements': {
    break: drop(['agreements']),
    path: 'agreements',
    problem: /is missing/,
    allowed: /^all/,
  },
  'libraries as a mapping': {
    break: set('libraries')({ midland: {} }),
    path: 'libraries',
    problem: /must be a list, not a mapping/,
  },
  'a library that is only its name': {
    break: set('libraries', 2)('lakeside'),
    path: 'libraries[2]',
    problem: /must be a mapping/,
  },
  'a library without id': {
    break: drop(['libraries', 0, 'id']),
    path: 'libraries[0].id',
    problem: /is missing/,
  },
  'a library without name': {
    break: drop(['libraries', 0, 'name']),
    path: 'libraries[0].name',
    problem: /is missing/,
  },
  'an id with a colon': {
    break: inLibrary('id')('mid:land'),
    path: 'libraries[0].id',
    problem: /does not fit/,
    allowed: /letters, digits, _ and -/,
  },
  'an id that is a number': {
    break: inLibrary('id')(42),
    path: 'libraries[0].id',
    problem: /must be text, not a number: put it in quotes/,
  },
  'an id twice': {
    break: inLibrary('id')('riverside'),
    path: 'libraries[1].id',
    problem: /same as libraries\[0\]\.id/,
  },
  'an id twice but for case': {
    break: inLibrary('id')('RiverSide'),
    path: 'libraries[1].id',
    problem: /same as libraries\[0\]\.id/,
    allowed: /other than by case/,
  },
  'a blank name': { break: inLibrary('name')('  '), path: 'libraries[0].name', problem: /does not fit/ },
  'enabled as a word': {
    break: inLibrary('enabled')('yes'),
    path: 'libraries[0].enabled',
    problem: /must be true or false, not text/,
  },
  'a Koha without URL': {
    break: drop(['libraries', 0, 'koha', 'url']),
    path: 'libraries[0].koha.url',
    problem: /is missing/,
  },
  'a Koha without credentials': {
    break: drop(['libraries', 0, 'koha', 'client_id']),
    path: 'libraries[0].koha.client_id',
    problem: /is missing/,
  },
  'a URL that is none': {
    break: inLibrary('koha', 'url')('koha.midland'),
    path: 'libraries[0].koha.url',
    problem: /is not a URL/,
    allowed: /https:\/\/HOST/,
  },
  'plain http to the world': {
    break: inLibrary('koha', 'url')('http://koha.midland.example.org'),
    path: 'libraries[0].koha.url',
    problem: /plain http/,
    allowed: /loopback/,
  },
  'plain http to a host with dots though allowed': {
    break: inLibrary('koha')({ ...libraryKoha(), url: 'http://10.0.0.7', allow_http: true }),
    path: 'libraries[0].koha.url',
    problem: /plain http/,
  },
  'plain http to a service that is not said to be one': {
    break: inLibrary('koha', 'url')('http://koha-midland:8080'),
    path: 'libraries[0].koha.url',
    problem: /plain http/,
    allowed: /allow_http: true/,
  },
  'a URL with a password': {
    break: inLibrary('koha', 'url')('https://me:kept-out@koha.midland.example.org'),
    path: 'libraries[0].koha.url',
    problem: /holds a user name or a password/,
  },
  'a URL with the path of the API': {
    break: inLibrary('koha', 'url')('https://koha.midland.example.org/api/v1/'),
    path: 'libraries[0].koha.url',
    problem: /added by itself/,
  },
  'two libraries with one URL, written differently': {
    break: inLibrary('koha', 'url')('https://KOHA.riverside.example.org:443/'),
    path: 'libraries[1].koha.url',
    problem: /same as libraries\[0\]\.koha\.url/,
  },
  'a secret in the file': {
    break: inLibrary('koha', 'client_secret')('kept-out'),
    path: 'libraries[0].koha.client_secret',
    problem: /does not fit/,
    allowed: /\{env: NAME\} or \{file: PATH\}; the secret itself never/,
  },
  'an unknown variable': {
    break: inLibrary('koha', 'client_secret')({ env: 'MIDLAND_CLIENT_SECRT' }),
    path: 'libraries[0].koha.client_secret',
    problem: /the environment has no MIDLAND_CLIENT_SECRT, did you mean MIDLAND_CLIENT_SECRET\?/,
    allowed: /MIDLAND_CLIENT_SECRT_FILE/,
  },
  'a secret file that cannot be read': {
    break: inLibrary('koha', 'client_secret')({ file: '/run/secrets/gone' }),
    path: 'libraries[0].koha.client_secret',
    problem: /the file \/run\/secrets\/gone cannot be read \(ENOENT\)/,
  },
  'an empty secret': {
    break: inLibrary('koha', 'client_secret')({ env: 'EMPTY' }),
    env: { EMPTY: '' },
    path: 'libraries[0].koha.client_secret',
    problem: /the environment has no EMPTY/,
  },
  'a secret and its file at once': {
    break: () => undefined,
    env: { MIDLAND_CLIENT_SECRET_FILE: '/run/secrets/x' },
    path: 'libraries[0].koha.client_secret',
    problem: /both set/,
  },
  'T-22 a sample client secret': {
    break: () => undefined,
    env: { MIDLAND_CLIENT_SECRET: 'koha' },
    path: 'libraries[0].koha.client_secret',
    problem: /sample secret/,
  },
  'T-22 a sample client secret with digits and case': {
    break: () => undefined,
    env: { MIDLAND_CLIENT_SECRET: 'Change-Me123' },
    path: 'libraries[0].koha.client_secret',
    problem: /sample secret/,
  },
  'T-22 a placeholder that nobody filled in': {
    break: () => undefined,
    env: { MIDLAND_CLIENT_SECRET: '${MIDLAND_SECRET}' },
    path: 'libraries[0].koha.client_secret',
    problem: /sample secret/,
  },
  'T-22 id and secret alike': {
    break: () => undefined,
    env: { MIDLAND_CLIENT_SECRET: '6c1d-midland' },
    path: 'libraries[0].koha.client_secret',
    problem: /same as client_id/,
  },
  'T-22 the webhook secret of the specification': {
    break: () => undefined,
    env: { MIDLAND_WEBHOOK_SECRET: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' },
    path: 'libraries[0].webhook_secrets[0]',
    problem: /sample secret/,
  },
  'a webhook secret that is too short': {
    break: () => undefined,
    env: { MIDLAND_WEBHOOK_SECRET: `whsec_${Buffer.from('0123456789abcdefghijklm').toString('base64')}` },
    path: 'libraries[0].webhook_secrets[0]',
    problem: /24 to 64 bytes, this one has 23/,
  },
  'a webhook secret that is too long': {
    break: () => undefined,
    env: { MIDLAND_WEBHOOK_SECRET: `whsec_${Buffer.from('abcde'.repeat(13)).toString('base64')}` },
    path: 'libraries[0].webhook_secrets[0]',
    problem: /24 to 64 bytes, this one has 65/,
  },
  'a webhook secret without whsec_': {
    break: () => undefined,
    env: { MIDLAND_WEBHOOK_SECRET: Buffer.from('abcdef'.repeat(5)).toString('base64') },
    path: 'libraries[0].webhook_secrets[0]',
    problem: /"whsec_" followed by base64/,
  },
  'a webhook secret that is not base64': {
    break: () => undefined,
    env: { MIDLAND_WEBHOOK_SECRET: 'whsec_not*base64*at*all*not*base64*at*all' },
    path: 'libraries[0].webhook_secrets[0]',
    problem: /base64/,
  },
  'a webhook secret twice': {
    break: inLibrary('webhook_secrets')([
      { env: 'MIDLAND_WEBHOOK_SECRET' },
      { env: 'MIDLAND_WEBHOOK_SECRET' },
    ]),
    path: 'libraries[0].webhook_secrets[1]',
    problem: /same as one before it/,
  },
  'one webhook secret without its list': {
    break: inLibrary('webhook_secrets')({ env: 'MIDLAND_WEBHOOK_SECRET' }),
    path: 'libraries[0].webhook_secrets',
    problem: /must be a list, not a mapping/,
  },
  'a pattern that is no regular expression': {
    break: inLibrary('cards')(['^21234\\d{9}$', '^(21']),
    path: 'libraries[0].cards[1]',
    problem: /no regular expression: Unterminated group/,
    allowed: /list of regular expressions/,
  },
  'a pattern that could take for ever': {
    break: inLibrary('cards')(['^(\\d+)+$']),
    path: 'libraries[0].cards[0]',
    problem: /could take very long/,
  },
  'a single pattern without its list': {
    break: inLibrary('cards')('^21234\\d{9}$'),
    path: 'libraries[0].cards',
    problem: /must be a list, not text/,
  },
  'a duration without unit': {
    break: inLibrary('koha', 'timeout')(3),
    path: 'libraries[0].koha.timeout',
    problem: /must be text, not a number/,
    allowed: /duration such as 90s/,
  },
  'a duration that is none': {
    break: inLibrary('koha', 'timeout')('3 seconds'),
    path: 'libraries[0].koha.timeout',
    problem: /is not a duration/,
    allowed: /from 100ms to 20s/,
  },
  'a duration out of bounds': {
    break: inLibrary('koha', 'timeout')('2m'),
    path: 'libraries[0].koha.timeout',
    problem: /is 2m, out of bounds/,
  },
  'a timeout as long as the time to lend in': {
    break: inLibrary('retry')({ checkout_within: '3s' }),
    path: 'libraries[0].koha.timeout',
    problem: /outlast retry\.checkout_within/,
    allowed: /shorter than 3s/,
  },
  'a timeout longer than the time to give up in': {
    break: inLibrary('retry')({ give_up_after: '2s' }),
    path: 'libraries[0].koha.timeout',
    problem: /outlast retry\.give_up_after/,
  },
  'nothing in flight': {
    break: inLibrary('koha', 'max_in_flight')(0),
    path: 'libraries[0].koha.max_in_flight',
    problem: /too small/,
    allowed: /from 1 to 256/,
  },
  'half a call in flight': {
    break: inLibrary('koha', 'max_in_flight')(1.5),
    path: 'libraries[0].koha.max_in_flight',
    problem: /must be a whole number/,
  },
  'a limit without bounds': {
    break: inLibrary('limits')({ events_per_second: 1e9 }),
    path: 'libraries[0].limits.events_per_second',
    problem: /too large/,
  },
  'a negative debt': {
    break: inLibrary('eligibility')({ max_debt: -1 }),
    path: 'libraries[0].eligibility.max_debt',
    problem: /too small/,
    allowed: /or null/,
  },
  'a verdict that is neither': {
    break: inLibrary('eligibility')({ expired: 'warn' }),
    path: 'libraries[0].eligibility.expired',
    problem: /none of the allowed words/,
    allowed: /refuse or allow/,
  },
  'T-01 a field outside the groups': {
    break: inLibrary('copy', 'fields')(['name', 'password']),
    path: 'libraries[0].copy.fields[1]',
    problem: /no group and no field that can be copied/,
    allowed: /name, contact, address, birth, alternate, gender/,
  },
  'a field that is misspelt': {
    break: inLibrary('share')({ fields: ['emial'] }),
    path: 'libraries[0].share.fields[0]',
    problem: /did you mean email\?/,
  },
  'T-03 a fixed value for a column that is not contact': {
    break: inLibrary('copy', 'set')({ flags: '1' }),
    path: 'libraries[0].copy.set.flags',
    problem: /no field that can be set/,
    allowed: /statistics_1, statistics_2, lang, opac_notes/,
  },
  'a fixed value that is too long': {
    break: inLibrary('copy', 'set')({ statistics_1: 'x'.repeat(81) }),
    path: 'libraries[0].copy.set.statistics_1',
    problem: /longer than Koha's 80 characters/,
  },
  'a fixed value that is a number': {
    break: inLibrary('copy', 'set')({ statistics_1: 7 }),
    path: 'libraries[0].copy.set.statistics_1',
    problem: /must be text, not a number/,
  },
  'T-13 a lending library without category': {
    break: drop(['libraries', 0, 'copy', 'category']),
    path: 'libraries[0].copy.category',
    problem: /is missing: a library with webhook_secrets lends/,
  },
  'T-13 a category map that gives none': {
    break: inLibrary('copy', 'category')({ by_home_category: {} }),
    path: 'libraries[0].copy.category',
    problem: /no category at all/,
    allowed: /otherwise/,
  },
  'a category that is too long': {
    break: inLibrary('copy', 'category')('PASSPORTERS'),
    path: 'libraries[0].copy.category',
    problem: /does not fit/,
    allowed: /1 to 10 characters/,
  },
  'only and except at once': {
    break: inLibrary('share')({ categories: { only: ['AD'], except: ['ST'] } }),
    path: 'libraries[0].share.categories',
    problem: /does not fit/,
    allowed: /all, \{only:/,
  },
  'a branch that is only a word': {
    break: inLibrary('copy', 'branch')('MAIN'),
    path: 'libraries[0].copy.branch',
    problem: /does not fit|none of the allowed/,
    allowed: /scan or \{fixed: BRANCH\}/,
  },
  'an expiry in no days': {
    break: inLibrary('copy', 'expiry')({ days: 0 }),
    path: 'libraries[0].copy.expiry.days',
    problem: /too small/,
    allowed: /N from 1 to 3650/,
  },
  'passport and home key in one attribute': {
    break: inLibrary('copy', 'home_key_attribute')('PASSPORTED'),
    path: 'libraries[0].copy.home_key_attribute',
    problem: /same as passport_attribute/,
  },
  'a renewal confirmed': {
    break: inLibrary('retry')({ confirm: ['RENTALCHARGE', 'RENEW_ISSUE'] }),
    path: 'libraries[0].retry.confirm[1]',
    problem: /RENEW_ISSUE, which only a person may confirm/,
  },
  'a confirmation in small letters': {
    break: inLibrary('retry')({ confirm: ['rentalcharge'] }),
    path: 'libraries[0].retry.confirm[0]',
    problem: /upper-case/,
  },
  'a confirmation that is misspelt': {
    break: inLibrary('retry')({ confirm: ['RENTAL_CHARGE'] }),
    path: 'libraries[0].retry.confirm[0]',
    problem: /did you mean RENTALCHARGE\?/,
  },
  'an agreement with an unknown library': {
    break: pairs({ home: 'midlant', lending: 'riverside' }),
    path: 'agreements[0].home',
    problem: /is no library, did you mean midland\?/,
    allowed: /midland, riverside, lakeside/,
  },
  'an agreement with itself': {
    break: pairs({ home: 'midland', lending: 'midland' }),
    path: 'agreements[0].lending',
    problem: /same as home/,
  },
  'an agreement without home': {
    break: pairs({ lending: 'midland' }),
    path: 'agreements[0].home',
    problem: /is missing/,
  },
  'an agreement to lend at a library that cannot report': {
    break: pairs({ home: 'midland', lending: 'lakeside' }),
    path: 'agreements[0].lending',
    problem: /no webhook_secrets/,
  },
  'an agreement twice': {
    break: pairs({ home: 'midland', lending: 'riverside' }, { home: 'midland', lending: 'riverside' }),
    path: 'agreements[1]',
    problem: /same pair as agreements\[0\]/,
  },
  'agreements as another word': {
    break: set('agreements')('everybody'),
    path: 'agreements',
    problem: /does not fit|none of the allowed/,
    allowed: /all, or a list/,
  },
};

function libraryKoha(): Draft {
  return at(validFile(), 'libraries', 0, 'koha');
}

test('the file that every broken one starts from is right', () => {
  expect(parse(validFile()).libraries).toHaveLength(3);
});

test.each(Object.entries(FAULTS))(
  'a file with %s is refused at its place, and for nothing else',
  (_, fault) => {
    const file = validFile();
    fault.break(file);
    const problems = problemsOf(file, { ...validEnvironment(), ...fault.env });
    expect(problems).toEqual([expect.objectContaining({ path: fault.path })]);
    expect(problems[0]?.problem).toMatch(fault.problem);
    if (fault.allowed !== undefined) expect(problems[0]?.allowed).toMatch(fault.allowed);
  },
);

test('all faults of one file are told at once', () => {
  const file = validFile();
  at(file, 'libraries', 0, 'koha')['timeout'] = 'soon';
  at(file, 'libraries', 0, 'koha')['client_secret'] = { env: 'NOBODY' };
  at(file, 'libraries', 1)['cards'] = ['['];
  at(file, 'libraries', 1, 'copy')['fields'] = ['nmae'];
  at(file, 'libraries', 2)['id'] = 'midland';
  file['agreements'] = [{ home: 'nowhere', lending: 'riverside', filds: [] }];
  file['colour'] = 'blue';
  expect(
    problemsOf(file)
      .map(({ path }) => path)
      .toSorted(),
  ).toEqual([
    'agreements[0].filds',
    'agreements[0].home',
    'colour',
    'libraries[0].koha.client_secret',
    'libraries[0].koha.timeout',
    'libraries[1].cards[0]',
    'libraries[1].copy.fields[0]',
    'libraries[2].id',
  ]);
});
