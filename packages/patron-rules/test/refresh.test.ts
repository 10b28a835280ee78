import { describe, expect, test } from '@jest/globals';
import type { KohaPatron, RememberedCopy } from '@passport/koha-client';
import fc from 'fast-check';
import {
  type RefreshCase,
  buildPatronCopy,
  carriedText,
  decideRefresh,
  isBlind,
  isNobodyShown,
  refreshBody,
  wantedValues,
  writtenText,
} from '../src/index.ts';
import { aCopyCase, attribute, library, patron } from './builders.ts';

const HOME_KEY = 'midland:812';
const ALL = ['surname', 'firstname', 'email', 'address', 'city', 'phone'];
const EVERY = [...ALL, 'cardnumber', 'expiry_date'];
/** As the home record has it (builders.ts). */
const BORN = '1990-05-01';

/** A hash that anybody can read: what matters here is which key and which value it is of. */
const hashOf = (value: string | null, key = 'k1'): string => `${key}:${value ?? ''}`;
const isWritten: RefreshCase['isWritten'] = (_field, value, hash) =>
  hash.startsWith('k1:') ? hash === hashOf(value) : null;

type Values = Readonly<Record<string, string | null>>;
const NONE = { isSet: false, lifted: [] };
const REPORT = { card: false, expiry: false, category: false, restricted: false, cardLost: false };
const NOW: Values = { surname: 'Okafor', email: 'new@post.example', city: 'Midland', cardnumber: '21' };

function holding(values: Values, changes: Partial<KohaPatron> = {}): KohaPatron {
  const { cardnumber, expiry_date: expiryDate, ...fields } = values;
  const passport = [attribute('PASSPORTED', 'midland'), attribute('PASSPORTED_ID', HOME_KEY)];
  const empty = Object.fromEntries(ALL.map((name) => [name, null]));
  const all = { ...empty, ...fields };
  return {
    ...patron({ categoryId: 'PT', libraryId: 'MAIN', attributes: passport, ...changes }),
    fields: all,
    surname: all['surname'] ?? null,
    cardnumber: cardnumber ?? null,
    expiryDate: expiryDate ?? null,
  };
}

const remembered = (values: Values, key = 'k1'): RememberedCopy => ({
  patronId: 812,
  version: 1,
  homeKey: HOME_KEY,
  restrictedAt: [],
  standingAt: [],
  standing: null,
  fields: Object.fromEntries(
    Object.entries({ date_of_birth: BORN, ...values }).map(([name, value]) => [
      name,
      { hash: hashOf(value, key), at: 1, event: 'scan_1' },
    ]),
  ),
});

function decide(
  local: Values,
  wanted: Record<string, string>,
  was: RememberedCopy | null,
  more: Partial<RefreshCase> = {},
) {
  return decideRefresh({
    copy: holding(local),
    home: patron(),
    homeKey: HOME_KEY,
    traits: { homeKeyAttribute: 'PASSPORTED_ID', copyCategories: ['PT'] },
    wanted,
    remembered: was,
    applies: { card: true, expiry: true, category: true, restricted: true, cardLost: true },
    passedOn: [...EVERY, 'date_of_birth'],
    isOwnCard: () => true,
    carried: null,
    isWritten,
    ...more,
  });
}

describe('the refresh of one copy', () => {
  const old: Values = { ...NOW, email: 'old@post.example' };
  const wanted = { surname: 'Okafor', email: 'new@post.example', city: 'Midland', cardnumber: '21' };

  test('T-24 writes what changed at home, and keeps what was edited here', () => {
    const edited = { ...old, city: 'Riverside' };
    const moved = { ...wanted, city: 'Lakeside' };
    expect(decide(edited, moved, remembered(old))).toEqual({
      change: { email: 'new@post.example' },
      kept: ['city'],
      settled: {},
      restriction: NONE,
      findings: ['REFRESHED', 'KEPT_LOCAL'],
    });
  });

  test.each<[string, Partial<KohaPatron>, Partial<KohaPatron>]>([
    ['a replaced card', { cardnumber: '22' }, {}],
    ['a new card and surname', { cardnumber: '22', surname: 'Else' }, { surname: 'Okafor' }],
    ['a corrected birth date', { cardnumber: '21', fields: { date_of_birth: '1990-01-02' } }, {}],
    ['a new card, whatever birth date somebody here entered', { cardnumber: '22' }, { dateOfBirth: null }],
  ])('writes after %s', (_what, home, copy) => {
    const input = { home: patron(home), copy: holding(old, copy) };
    expect(decide(old, wanted, remembered(old), input).change).toEqual({ email: 'new@post.example' });
  });

  const named = { ...old, surname: 'Okafor', firstname: 'Adaeze' };
  const passedOn = ['cardnumber', 'surname', 'firstname', 'email'];
  const ofNames = (key: string) => {
    const row = remembered(named, key);
    const { date_of_birth: _born, ...fields } = row.fields;
    return { ...row, fields };
  };
  const withoutNames = ofNames('k1');
  for (const name of ['surname', 'firstname']) Reflect.deleteProperty(withoutNames.fields, name);
  test.each<[string, Values, Partial<RefreshCase>, string]>([
    ['another birth date', { date_of_birth: '1990-01-02' }, {}, 'OTHER_PERSON'],
    [
      'other names',
      { surname: 'Else', firstname: 'Bea' },
      { passedOn, remembered: ofNames('k1') },
      'OTHER_PERSON',
    ],
    ['names whose hashes are gone', {}, { passedOn, remembered: withoutNames }, 'OTHER_PERSON'],
    ['another surname', { surname: 'Else' }, { passedOn, remembered: ofNames('k1') }, 'REFRESHED'],
    ['no birth date any more', { date_of_birth: '' }, {}, 'REFRESHED'],
    [
      'a birth date that it had not before',
      {},
      { remembered: remembered({ ...named, date_of_birth: '' }) },
      'REFRESHED',
    ],
  ])('of another card at home with %s, whatever is shown here', (_what, fields, more, finding) => {
    const home = patron({ cardnumber: '22', fields: { ...patron().fields, ...fields } });
    for (const shown of [{}, { surname: null, firstname: null, dateOfBirth: null }]) {
      const { change, findings } = decide(named, { email: 'new@post.example' }, remembered(named), {
        home,
        copy: { ...holding(named), ...shown },
        ...more,
      });
      expect(findings).toEqual([finding]);
      expect('email' in change).toBe(finding === 'REFRESHED');
    }
  });

  test.each<[string, RememberedCopy | null, string]>([
    ['by a key that is not here', remembered(named, 'k2'), 'PASSPORT_KEY_UNKNOWN'],
    ['not at all', null, 'NOT_REMEMBERED'],
  ])('what was written and is remembered %s leaves it to what is shown', (_how, was, finding) => {
    const home = patron({ cardnumber: '22', fields: { ...patron().fields, date_of_birth: '1990-01-02' } });
    const input = { home: { ...home, dateOfBirth: '1990-01-02' } };
    const shows = (dateOfBirth: string | null) =>
      decide(named, wanted, was, { ...input, copy: { ...holding(named), dateOfBirth } }).findings;
    expect([shows(null), shows('1980-01-01')]).toEqual([[finding], ['OTHER_PERSON']]);
  });

  test('a field that home does not show empties none', () => {
    const { email: _hidden, ...fields } = patron().fields;
    const home = { ...patron(), fields };
    expect(decide(NOW, { ...wanted, email: '' }, remembered(NOW), { home }).change).toEqual({});
  });

  test('leaves a copy alone that is as home has it', () => {
    expect(decide(NOW, wanted, remembered(NOW))).toEqual({
      change: {},
      kept: [],
      settled: {},
      restriction: NONE,
      findings: ['UNCHANGED'],
    });
    expect(decide(NOW, wanted, null)).toMatchObject({ findings: ['UNCHANGED'] });
  });

  test.each<[string, RememberedCopy | null, string]>([
    ['nothing is remembered of it', null, 'NOT_REMEMBERED'],
    [
      'something is remembered of another home key',
      { ...remembered(old), homeKey: 'midland:9' },
      'NOT_REMEMBERED',
    ],
    ['the key of what is remembered is not here', remembered(old, 'k0'), 'PASSPORT_KEY_UNKNOWN'],
  ])('T-24 writes nothing where %s, and says so', (_what, was, finding) => {
    expect(decide(old, wanted, was)).toEqual({
      change: {},
      kept: [],
      settled: {},
      restriction: NONE,
      findings: [finding],
    });
  });

  test('T-24 learns a field that holds home’s value while something older is remembered', () => {
    const { change, settled, findings } = decide(NOW, wanted, remembered(old));
    expect({ change, settled, findings }).toEqual({
      change: {},
      settled: { email: 'new@post.example' },
      findings: ['UNCHANGED'],
    });
    expect(decide(NOW, wanted, remembered(old, 'k0')).settled).toEqual({});
    expect(decide(NOW, wanted, null).settled).toEqual({});
  });

  test('clears what home has emptied, and never a name or a card', () => {
    const emptied = { ...wanted, email: '', surname: '', cardnumber: '' };
    expect(decide(NOW, emptied, remembered(NOW))).toMatchObject({ change: { email: null } });
    expect(decide({ ...NOW, email: 'edited@here.example' }, emptied, remembered(NOW)).change).toEqual({});
  });

  test('fills a field that was empty at home when the copy was made, unless somebody did here', () => {
    const more = { ...wanted, phone: '555' };
    const empty = { ...NOW, phone: '' };
    expect(decide(empty, more, remembered(empty)).change).toEqual({ phone: '555' });
    const { change, kept } = decide({ ...NOW, phone: '777' }, more, remembered(NOW));
    expect({ change, kept }).toEqual({ change: {}, kept: ['phone'] });
  });

  test('remembers a field as empty that was never passed on, and leaves one whose hash somebody has taken away', () => {
    const more = { ...wanted, phone: '555' };
    const never = decide(NOW, more, remembered(NOW), { passedOn: ['surname'] });
    expect([never.change, never.settled, never.findings]).toEqual([{}, { phone: '' }, ['UNCHANGED']]);
    const taken = decide(NOW, more, remembered(NOW), { passedOn: ['phone', 'date_of_birth'] });
    expect([taken.change, taken.settled, taken.findings]).toEqual([{}, {}, ['NOT_REMEMBERED']]);
  });

  test('T-27 gives the copy the new card of the patron', () => {
    expect(decide(NOW, { ...wanted, cardnumber: '22' }, remembered(NOW))).toEqual({
      change: { cardnumber: '22' },
      kept: [],
      settled: {},
      restriction: NONE,
      findings: ['CARD_CHANGED'],
    });
  });

  test('does not take a card that may be another library’s, and says so', () => {
    const next = { ...wanted, cardnumber: '22' };
    const { change, findings } = decide(NOW, next, remembered(NOW), { isOwnCard: () => false });
    expect({ change, findings }).toEqual({ change: {}, findings: ['CARD_NOT_OF_HOME'] });
  });

  test('moves the expiry with home’s', () => {
    const was = { ...NOW, expiry_date: '2026-01-01' };
    const next = { ...wanted, expiry_date: '2028-01-01' };
    expect(decide(was, next, remembered(was))).toMatchObject({ change: { expiry_date: '2028-01-01' } });
    expect(decide({ ...was, expiry_date: '2026-02-01' }, next, remembered(was)).change).toEqual({});
  });

  test.each<[string, Partial<RefreshCase>, string]>([
    ['an anonymised copy', { copy: holding(old, { anonymized: true }) }, 'COPY_ANONYMIZED'],
    ['a copy of an anonymised patron', { home: patron({ anonymized: true }) }, 'HOME_GONE'],
    [
      'a copy merged into a native patron',
      { copy: holding(old, { categoryId: 'AD' }) },
      'MERGED_INTO_NATIVE',
    ],
  ])('T-27 never writes to %s', (_what, changes, finding) => {
    expect(decide(old, wanted, remembered(old), changes)).toEqual({
      change: {},
      kept: [],
      settled: {},
      restriction: NONE,
      findings: [finding],
    });
  });

  test('T-28 reports what home restricted, lost or let expire, and what it freed no longer', () => {
    const home = patron({ restricted: true, cardLost: true, expired: true });
    const findings = ['HOME_RESTRICTED', 'HOME_CARD_LOST', 'HOME_EXPIRED'];
    const input = { home, applies: REPORT };
    expect(decide(NOW, wanted, remembered(NOW), input)).toEqual({
      change: {},
      kept: [],
      settled: {},
      restriction: NONE,
      findings,
    });
    const copy = holding(NOW, { restricted: true, cardLost: true, expired: true });
    expect(decide(NOW, wanted, remembered(NOW), { ...input, copy }).findings).toEqual(['UNCHANGED']);
    expect(decide(NOW, wanted, remembered(NOW), { applies: REPORT, copy }).findings).toEqual(['UNCHANGED']);
  });

  test.each<[string, RefreshCase['applies']]>([
    ['card', { ...REPORT, expiry: true }],
    ['expiry', { ...REPORT, card: true }],
  ])('reports a new %s, and leaves the copy as it is, where that is wanted', (what, applies) => {
    const was = { ...NOW, expiry_date: '2026-01-01' };
    const next = { ...wanted, cardnumber: '22', expiry_date: '2028-01-01', email: 'third@post.example' };
    const { change, findings } = decide(was, next, remembered(was), { applies });
    const { cardnumber, expiry_date: expiryDate, email } = next;
    expect(change).toEqual(what === 'card' ? { expiry_date: expiryDate, email } : { cardnumber, email });
    expect(findings).toEqual(['REFRESHED', 'CARD_CHANGED', 'EXPIRY_CHANGED']);
  });

  const restricted = (at: readonly string[]): RememberedCopy => ({ ...remembered(NOW), restrictedAt: at });
  test.each<[string, boolean | null, readonly string[], RefreshCase['applies'], object, string]>([
    ['restricts', true, [], { ...REPORT, restricted: true }, { isSet: true, lifted: [] }, 'HOME_RESTRICTED'],
    ['only reports that', true, [], REPORT, NONE, 'UNCHANGED'],
    ['does nothing twice', true, ['midland'], { ...REPORT, restricted: true }, NONE, 'UNCHANGED'],
    [
      'lifts',
      false,
      ['midland'],
      { ...REPORT, restricted: true },
      { isSet: false, lifted: ['midland'] },
      'HOME_RESTRICTION_LIFTED',
    ],
    ['only reports that, too', false, ['midland'], REPORT, NONE, 'HOME_RESTRICTION_LIFTED'],
    [
      'lifts what its home was called before',
      true,
      ['mid', 'midland'],
      { ...REPORT, restricted: true },
      { isSet: false, lifted: ['mid'] },
      'UNCHANGED',
    ],
    [
      'leaves it where home does not say',
      null,
      ['midland'],
      { ...REPORT, restricted: true },
      NONE,
      'UNCHANGED',
    ],
  ])(
    'T-28 %s, whatever the lending library has restricted',
    (_what, atHome, at, applies, restriction, finding) => {
      // Restricted here as well: by the lending library, by the service, or by both.
      const copy = holding(NOW, { restricted: true });
      const input = { home: patron({ restricted: atHome }), copy, applies };
      expect(decide(NOW, wanted, restricted(at), input)).toMatchObject({ restriction, findings: [finding] });
    },
  );

  test('a restriction follows its end and its type at home, and stays as it is where home does not say them', () => {
    const carried = { until: '2026-12-31', codes: ['SUSPENSION'], comment: null };
    const was = (text: string) => ({
      ...remembered({ ...NOW, restricted: text }),
      restrictedAt: ['midland'],
    });
    const input = { home: patron({ restricted: true }), copy: holding(NOW, { restricted: true }) };
    const isSet = (text: string, now: RefreshCase['carried']) =>
      decide(NOW, wanted, was(text), { ...input, carried: now }).restriction.isSet;
    expect(isSet(carriedText(carried), carried)).toBe(false);
    expect(isSet(carriedText(carried), { ...carried, until: null })).toBe(true);
    expect(isSet(carriedText(carried), { ...carried, codes: ['MANUAL'] })).toBe(true);
    expect(isSet(carriedText(carried), null)).toBe(false);
    // Set before types and ends were carried, or with a key that is not here any more.
    expect(decide(NOW, wanted, restricted(['midland']), { ...input, carried }).restriction.isSet).toBe(true);
  });

  test('T-28 restricts no copy of which nothing is remembered', () => {
    const home = patron({ restricted: true });
    for (const was of [null, { ...remembered(NOW), homeKey: 'midland:9' }]) {
      expect(decide(NOW, wanted, was, { home })).toMatchObject({
        restriction: NONE,
        findings: ['HOME_RESTRICTED'],
      });
    }
  });

  test('marks a card that home lost, and takes back its own mark only', () => {
    const lost = patron({ cardLost: true });
    const found = patron({ cardLost: false });
    const marked = holding(NOW, { cardLost: true });
    const ours = remembered({ ...NOW, patron_card_lost: 'true' });
    const unmarked = remembered({ ...NOW, patron_card_lost: '' });
    const set = decide(NOW, wanted, unmarked, { home: lost });
    expect(set).toMatchObject({ change: { patron_card_lost: 'true' }, findings: ['HOME_CARD_LOST'] });
    expect(refreshBody(holding(NOW), set.change)).toMatchObject({ patron_card_lost: true });

    const taken = decide(NOW, wanted, ours, { home: found, copy: marked });
    expect(taken).toMatchObject({ change: { patron_card_lost: null }, findings: ['HOME_CARD_FOUND'] });
    expect(refreshBody(marked, taken.change)).toMatchObject({ patron_card_lost: false });

    // The lending library's own mark, or its word that the card is here.
    const theirs = { home: found, copy: marked };
    const seen = [decide(NOW, wanted, unmarked, theirs), decide(NOW, wanted, ours, { home: lost })];
    expect(seen.map(({ change, findings }) => ({ change, findings }))).toEqual([
      { change: {}, findings: ['UNCHANGED'] },
      { change: {}, findings: ['KEPT_LOCAL', 'HOME_CARD_LOST'] },
    ]);
    const cleared = remembered({ ...NOW, patron_card_lost: '' });
    expect(decide(NOW, wanted, cleared, { home: lost, copy: marked }).settled).toEqual({});
    expect(decide(NOW, wanted, ours, { ...theirs, home: patron({ cardLost: null }) }).change).toEqual({});
    expect(decide(NOW, wanted, remembered(NOW), { home: lost, applies: REPORT }).change).toEqual({});
  });
});

const value = fc.constantFrom('', 'a', 'b', 'c');
const values = fc.record(Object.fromEntries(EVERY.map((name) => [name, value]))) as fc.Arbitrary<
  Record<string, string>
>;
const agreed = fc.subarray(EVERY);
const pick = (all: Record<string, string>, names: readonly string[]): Record<string, string> =>
  Object.fromEntries(names.map((name) => [name, all[name] ?? '']));

test('T-24 whatever three values meet, nothing is written without a hash of what is there', () => {
  fc.assert(
    fc.property(
      values,
      values,
      values,
      agreed,
      agreed,
      agreed,
      (local, next, last, inAgreement, known, passedOn) => {
        const was = remembered(pick(last, known));
        const { change, settled } = decide(local, pick(next, inAgreement), was, { passedOn });
        for (const field of Object.keys(change)) {
          const isOurs = known.includes(field) && local[field] === last[field];
          expect(isOurs && local[field] !== next[field]).toBe(true);
        }
        // What is remembered anew is what is there, be it home's value or nothing.
        for (const [field, stored] of Object.entries(settled)) {
          expect(stored ?? '').toBe(local[field]);
          if (!known.includes(field)) expect([stored, passedOn.includes(field)]).toEqual(['', false]);
        }
      },
    ),
  );
});

test('T-24 every field of the agreement that still holds what was written gets home’s value', () => {
  fc.assert(
    fc.property(values, values, agreed, (local, next, inAgreement) => {
      const home = patron({ cardnumber: local['cardnumber'] ?? null });
      const { change } = decide(local, pick(next, inAgreement), remembered(local), { home });
      const after = { ...local, ...Object.fromEntries(Object.entries(change).map(([k, v]) => [k, v ?? ''])) };
      const emptied = (name: string) =>
        next[name] === '' && ['surname', 'cardnumber', 'expiry_date'].includes(name);
      for (const name of inAgreement) expect(after[name]).toBe(emptied(name) ? local[name] : next[name]);
    }),
  );
});

test('T-23 a refresh never touches branch, category, attributes or anything outside the agreement', () => {
  fc.assert(
    fc.property(values, values, agreed, (local, next, inAgreement) => {
      const copy = holding(local);
      const { change } = decide(local, pick(next, inAgreement), remembered(local));
      const body = refreshBody(copy, change);
      expect(body).toMatchObject({ library_id: 'MAIN', category_id: 'PT' });
      const allowed = new Set([...inAgreement, 'surname', 'library_id', 'category_id']);
      expect(Object.keys(body).filter((key) => !allowed.has(key))).toEqual([]);
      if (!inAgreement.includes('surname')) expect(body.surname).toBe(copy.surname);
    }),
  );
});

test('what a copy made now would have is wanted, with the empty fields of the agreement and no others', () => {
  const lending = library('riverside', {
    copy: { fields: ['surname', 'email', 'phone'], expiry: { kind: 'home' } },
  });
  const made = buildPatronCopy(aCopyCase({ lending, patron: patron({ fields: { phone: null } }) }));
  if (made.kind !== 'copy') throw new Error('no copy');
  expect(wantedValues(made, lending.copy.expiry)).toEqual({
    surname: 'Okafor',
    category_id: 'PT',
    email: 'home email',
    phone: '',
    cardnumber: '21234000000017',
    expiry_date: '2027-05-01',
  });
  expect(wantedValues(made, { kind: 'days', days: 30 })).not.toHaveProperty('expiry_date');
});

test.each([
  [10, 100, false],
  [11, 100, true],
  [20, 1_000, false],
  [21, 1_000, true],
])('%i of %i copies missing at one home: blind %s', (missing, all, expected) => {
  expect(isBlind(missing, all)).toBe(expected);
});

test('equal values of two copies, two home patrons, two fields or two libraries are remembered differently', () => {
  const at = { lending: 'riverside', patronId: 1, homeKey: 'midland:1' };
  const texts = [
    writtenText(at, 'city', 'Ghent'),
    writtenText({ ...at, patronId: 2 }, 'city', 'Ghent'),
    writtenText({ ...at, lending: 'lakeside' }, 'city', 'Ghent'),
    writtenText({ ...at, homeKey: 'midland:2' }, 'city', 'Ghent'),
    writtenText(at, 'state', 'Ghent'),
  ];
  expect(new Set(texts).size).toBe(5);
  expect(writtenText(at, 'city', null)).toBe(writtenText(at, 'city', ' '));
});

test.each([
  [0, 0, false],
  [1, 1, false],
  [2, 2, true],
  [10, 10, true],
  [9, 10, false],
])('%i of %i copies that were not answered: the home shows nobody: %s', (missing, copies, expected) => {
  expect(isNobodyShown(missing, copies)).toBe(expected);
});
