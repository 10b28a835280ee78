import { type Fault, inLibrary } from './fault.ts';
import { at } from './valid-file.ts';

/** Files that are wrong in their policy. */
export const POLICY_FAULTS: Readonly<Record<string, Fault>> = {
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
  'a form of a card without what becomes of it': {
    break: inLibrary('cards')(['^21234\\d{9}$', { scanned: '^\\d{9}$' }]),
    path: 'libraries[0].cards[1].number',
    problem: /is missing/,
    allowed: /\{scanned: /,
  },
  'a form that fits longer texts': {
    break: inLibrary('cards')([{ scanned: '(\\d{9})', number: '21234$1' }]),
    path: 'libraries[0].cards[0].scanned',
    problem: /must begin with \^ and end with \$/,
  },
  'a form of which one way fits longer texts': {
    break: inLibrary('cards')([{ scanned: '^(\\d{9})|(\\d{6})$', number: '21234$1' }]),
    path: 'libraries[0].cards[0].scanned',
    problem: /must begin with \^ and end with \$/,
  },
  'a form that ends with a dollar sign, not at the end': {
    break: inLibrary('cards')([{ scanned: '^(\\d{9})\\$', number: '21234$1' }]),
    path: 'libraries[0].cards[0].scanned',
    problem: /must begin with \^ and end with \$/,
  },
  'a form that makes one person of all cards': {
    break: inLibrary('cards')([{ scanned: '^(\\d{9})$', number: '21234000000017' }]),
    path: 'libraries[0].cards[0].number',
    problem: /takes nothing from the card/,
  },
  'a form with a group that is not there': {
    break: inLibrary('cards')([{ scanned: '^(\\d{9})$', number: '21234$2' }]),
    path: 'libraries[0].cards[0].number',
    problem: /names a group that/,
  },
  'a form with a check digit that nobody knows': {
    break: inLibrary('cards')([{ scanned: '^(\\d{9})$', number: '$1{mod97}' }]),
    path: 'libraries[0].cards[0].number',
    problem: /has a part that is not known/,
  },
  'cards of several forms, and a lending library that writes no home key': {
    break: (file) => {
      inLibrary('cards')([{ scanned: '^(\\d{9})$', number: '21234$1' }])(file);
      at(file, 'libraries', 1, 'copy')['home_key_attribute'] = null;
    },
    path: 'libraries[1].copy.home_key_attribute',
    problem: /is null, and cards of midland are scanned in several forms/,
  },
  'a single pattern without its list': {
    break: inLibrary('cards')('^21234\\d{9}$'),
    path: 'libraries[0].cards',
    problem: /must be a list, not text/,
  },
  'a window without its length': {
    break: inLibrary('windows')([{ at: '02:00', reason: 'backup' }]),
    path: 'libraries[0].windows[0]',
    problem: /must have `at` and `for`, or `from` and `until`/,
    allowed: /a list of \{at: "HH:MM", for: DURATION/,
  },
  'a window of both kinds': {
    break: inLibrary('windows')([
      { at: '02:00', for: '1h', until: '2026-12-24T18:00:00+01:00', reason: 'backup' },
    ]),
    path: 'libraries[0].windows[0]',
    problem: /must have `at` and `for`, or `from` and `until`/,
  },
  'a window of no length': {
    break: inLibrary('windows')([{ at: '02:00', for: '0s', reason: 'backup' }]),
    path: 'libraries[0].windows[0].for',
    problem: /must be a duration from 1m to 24h/,
  },
  'a window that ends before it begins': {
    break: inLibrary('windows')([
      { from: '2026-12-24T18:00:00+01:00', until: '2026-12-24T17:30:00+01:00', reason: 'backup' },
    ]),
    path: 'libraries[0].windows[0]',
    problem: /must end after it begins/,
  },
  'a window without offset': {
    break: inLibrary('windows')([
      { from: '2026-12-24T18:00:00', until: '2026-12-24T19:00:00Z', reason: 'backup' },
    ]),
    path: 'libraries[0].windows[0].from',
    problem: /does not fit|must be a time with its offset/,
  },
  'a window on a day that is none': {
    break: inLibrary('windows')([{ at: '02:00', for: '1h', days: ['sunday'], reason: 'backup' }]),
    path: 'libraries[0].windows[0].days[0]',
    problem: /none of the allowed words/,
  },
  'a window without a reason': {
    break: inLibrary('windows')([{ at: '02:00', for: '1h' }]),
    path: 'libraries[0].windows[0].reason',
    problem: /is missing/,
  },
  'a duration without unit': {
    break: inLibrary('koha', 'timeout')(3),
    path: 'libraries[0].koha.timeout',
    problem: /^is a number without a unit$/,
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
  'a timeout as long as the time for the checkout': {
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
  'an override of what home says': {
    break: inLibrary('eligibility')({ override: { soft: ['restricted'] } }),
    path: 'libraries[0].eligibility.override.soft[0]',
    problem: /none of the allowed/,
    allowed: /address_unconfirmed, max_debt, min_age/,
  },
  'an override of a rule that refuses nobody': {
    break: inLibrary('eligibility')({ min_age: 16, override: { soft: ['min_age', 'max_debt'] } }),
    path: 'libraries[0].eligibility.override',
    problem: /names max_debt, which refuses nobody here/,
  },
  'an override of what the desk is not shown': {
    break: inLibrary('eligibility')({ min_age: 16, show_reasons: false, override: { soft: ['min_age'] } }),
    path: 'libraries[0].eligibility.override',
    problem: /needs show_reasons/,
  },
  'an override that holds for a moment': {
    break: inLibrary('eligibility')({ min_age: 16, override: { soft: ['min_age'], for: '1h' } }),
    path: 'libraries[0].eligibility.override.for',
    problem: /out of bounds/,
  },
  'a decision that is neither': {
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
    allowed: /statistics_1, statistics_2, opac_notes/,
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
  'a refresh of copies where nothing may be written': {
    break: (file) => {
      inLibrary('copy', 'mode')('observe')(file);
      inLibrary('refresh')({ at_scan: true })(file);
    },
    path: 'libraries[0].refresh',
    problem: /writes, and copy\.mode is observe/,
    allowed: /off/,
  },
  'a copy of an expired card that has expired itself': {
    break: inLibrary('eligibility')({ expired: 'allow' }),
    path: 'libraries[0].copy.expiry',
    problem: /eligibility\.expired is allow/,
    allowed: /category/,
  },
  'a restriction that nobody could carry into a copy': {
    break(file) {
      inLibrary('eligibility')({ restricted: 'allow' })(file);
      inLibrary('retry')({ tell_koha: false })(file);
    },
    path: 'libraries[0].eligibility.restricted',
    problem: /needs retry.tell_koha/,
    allowed: /refuse/,
  },
  'a restriction that the patron of a copy is not asked about': {
    break(file) {
      inLibrary('eligibility')({ restricted: 'allow' })(file);
      inLibrary('copy')({ category: 'PT', consent: 'ask', consent_text: { id: 'v1', text: 'May we?' } })(
        file,
      );
    },
    path: 'libraries[0].eligibility.restricted',
    problem: /nobody agrees to that/,
    allowed: /refuse/,
  },
  'a standing that nobody is told when to check': {
    break: inLibrary('standing')('report'),
    path: 'libraries[0].standing',
    problem: /needs refresh/,
    allowed: /off/,
  },
  'a consent without a text': {
    break: inLibrary('copy', 'consent')('ask'),
    path: 'libraries[0].copy.consent_text',
    problem: /is missing: copy\.consent is ask/,
    allowed: /id: ID/,
  },
  'a consent whose text is null': {
    break: (file) => {
      inLibrary('copy', 'consent')('ask')(file);
      inLibrary('copy', 'consent_text')(null)(file);
    },
    path: 'libraries[0].copy.consent_text',
    problem: /is missing/,
  },
  'a text for consent that is blank': {
    break: inLibrary('copy', 'consent_text')({ id: 'v1', text: { en: ' ' } }),
    path: 'libraries[0].copy.consent_text.text.en',
    problem: /is blank/,
  },
  'texts for consent that are too long for a state': {
    break: inLibrary(
      'copy',
      'consent_text',
    )({
      id: 'v1',
      text: Object.fromEntries(['en', 'de', 'fr', 'es', 'it'].map((key) => [key, 'x'.repeat(1_601)])),
    }),
    path: 'libraries[0].copy.consent_text.text',
    problem: /more than 8000 characters in all/,
  },
  'a text for consent that names no language': {
    break: inLibrary('copy', 'consent_text')({ id: 'v1', text: { English: 'May we?' } }),
    path: 'libraries[0].copy.consent_text.text.English',
    problem: /./,
  },
  'an id of a text with blanks': {
    break: inLibrary('copy', 'consent_text')({ id: 'our text', text: 'May we?' }),
    path: 'libraries[0].copy.consent_text.id',
    problem: /./,
  },
  'a question that outlives its event': {
    break: (file) => {
      inLibrary('copy', 'consent')('ask')(file);
      inLibrary('copy', 'consent_text')({ id: 'v1', text: 'May we?' })(file);
      inLibrary('copy', 'consent_within')('30m')(file);
    },
    path: 'libraries[0].copy.consent_within',
    problem: /is 30m: the event is given up before/,
    allowed: /give_up_after/,
  },
  'a renewal confirmed': {
    break: inLibrary('retry')({ confirm: ['RENTALCHARGE', 'RENEW_ISSUE'] }),
    path: 'libraries[0].retry.confirm[1]',
    problem: /RENEW_ISSUE, which only a person may confirm/,
  },
  'whatever else Koha wants confirmed': {
    break: inLibrary('retry')({ confirm: ['OTHER'] }),
    path: 'libraries[0].retry.confirm[0]',
    problem: /OTHER, which only a person may confirm/,
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
};
