import { type Fault, set, inLibrary, drop, pairs, libraryKoha } from './fault.ts';

/** Files that are wrong in their structure. */
export const STRUCTURE_FAULTS: Readonly<Record<string, Fault>> = {
  'an unknown key at the top': {
    break: set('libaries')([]),
    path: 'libaries',
    problem: /not a known key, did you mean libraries\?/,
    allowed: /consortium, locate, retention, public, defaults, libraries, agreements/,
  },
  'a public address in plain http': {
    break: set('public')({ receiver: 'http://passport.example.org' }),
    path: 'public.receiver',
    problem: /plain http/,
    allowed: /https:\/\/HOST/,
  },
  'a public address with a fragment': {
    break: set('public')({ dashboard: 'https://passport.example.org/#events' }),
    path: 'public.dashboard',
    problem: /query or a fragment/,
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
  'an ignored finding that is none': {
    break: inLibrary('ignore_findings')(['enrolment_fees']),
    path: 'libraries[0].ignore_findings[0]',
    problem: /is none of the allowed words/,
    allowed: /enrolment_fee/,
  },
  'a time of day that is none': {
    break: inLibrary('refresh')({ sweep: '24:00' }),
    path: 'libraries[0].refresh.sweep',
    problem: /does not fit/,
    allowed: /off or \{sweep: "HH:MM", at_scan: true, card: apply/,
  },
  'a refresh that is never': {
    break: inLibrary('refresh')({ card: 'report' }),
    path: 'libraries[0].refresh',
    problem: /says not when/,
    allowed: /sweep, at_scan: true, or off/,
  },
  'a change at home that is neither applied nor reported': {
    break: inLibrary('refresh')({ at_scan: true, restricted: 'refuse' }),
    path: 'libraries[0].refresh.restricted',
    problem: /is none of the allowed words/,
    allowed: /restricted: report/,
  },
  'a refresh without a home key': {
    break: (file) => {
      inLibrary('copy')({ category: 'PT', home_key_attribute: null })(file);
      inLibrary('refresh')({ sweep: '02:00' })(file);
    },
    path: 'libraries[0].refresh',
    problem: /needs copy.home_key_attribute/,
  },
  'a refresh without the plugin': {
    break: (file) => {
      inLibrary('retry')({ tell_koha: false })(file);
      inLibrary('refresh')({ sweep: '02:00' })(file);
    },
    path: 'libraries[0].refresh',
    problem: /needs retry.tell_koha/,
  },
  'a time of day to count loans that is none': {
    break: inLibrary('loans')({ count: '24:00' }),
    path: 'libraries[0].loans.count',
    problem: /does not fit/,
    allowed: /off or \{count: "HH:MM"\}/,
  },
  'loans, without the plugin': {
    break: (file) => {
      inLibrary('retry')({ tell_koha: false })(file);
      inLibrary('loans')({ count: '04:00' })(file);
    },
    path: 'libraries[0].loans',
    problem: /needs retry.tell_koha/,
  },
  'a time of day to read what is owed that is none': {
    break: inLibrary('owed')({ read: '3:00' }),
    path: 'libraries[0].owed.read',
    problem: /does not fit/,
    allowed: /off or \{read: "HH:MM"\}/,
  },
  'what is owed, without the plugin': {
    break: (file) => {
      inLibrary('retry')({ tell_koha: false })(file);
      inLibrary('owed')({ read: '03:00' })(file);
    },
    path: 'libraries[0].owed',
    problem: /needs retry.tell_koha/,
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
  'a block where nobody reads what is owed': {
    break: pairs({ home: 'riverside', lending: 'midland', recourse: { block_home_over: 10 } }),
    path: 'agreements[0].recourse',
    problem: /needs owed at midland/,
    allowed: /report/,
  },
  'a block at a home library without the plugin': {
    break: (file) => {
      pairs({ home: 'riverside', lending: 'midland', recourse: { block_home_over: 10 } })(file);
      inLibrary('owed')({ read: '03:00' })(file);
      set('libraries', 1, 'retry')({ tell_koha: false })(file);
    },
    path: 'agreements[0].recourse',
    problem: /needs retry.tell_koha at riverside/,
  },
  'a block over less than nothing': {
    break: pairs({ home: 'riverside', lending: 'midland', recourse: { block_home_over: -1 } }),
    path: 'agreements[0].recourse.block_home_over',
    problem: /is too small/,
    allowed: /report or \{block_home_over: AMOUNT\}/,
  },
  'a block over a part of a cent': {
    break: pairs({ home: 'riverside', lending: 'midland', recourse: { block_home_over: 1.005 } }),
    path: 'agreements[0].recourse.block_home_over',
    problem: /does not fit/,
  },
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
  'a name that turns what follows it around': {
    break: inLibrary('name')('Lakeside \u202Ednaldim'),
    path: 'libraries[0].name',
    problem: /does not fit/,
  },
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
  'a Koha that is only its address': {
    break: inLibrary('koha')('https://koha.midland.example.org'),
    path: 'libraries[0].koha',
    problem: /must be a mapping of keys and values/,
    allowed: /url, allow_http, client_id/,
  },
  'defaults that are a list': {
    break: set('defaults')([{ koha: { timeout: '2s' } }]),
    path: 'defaults',
    problem: /must be a mapping/,
    allowed: /koha, limits, copy, eligibility, retry/,
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
  'T-13 a lending library without category': {
    break: drop(['libraries', 0, 'copy', 'category']),
    path: 'libraries[0].copy.category',
    problem: /is missing: a library with webhook_secrets is a lending library/,
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
  'an agreement with a lending library that cannot report': {
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
