import { describe, expect, test } from '@jest/globals';
import type { KohaPatron } from '@passport/koha-client';
import { decideLocalMatch, type LocalMatch, type LocalRecords } from '../src/index.ts';
import { CARD, attribute, patron } from './builders.ts';

const passport = attribute('PASSPORTED', 'midland');
const ours = patron({ patronId: 1, attributes: [passport, attribute('PASSPORTED_ID', 'midland:812')] });
const other = patron({ patronId: 2, attributes: [passport, attribute('PASSPORTED_ID', 'midland:9')] });
const foreign = patron({ patronId: 3, attributes: [attribute('PASSPORTED', 'lakeside')] });
const keyless = patron({ patronId: 4, attributes: [passport] });
const native = patron({ patronId: 5 });
const adopted = patron({
  patronId: 6,
  attributes: [attribute('PASSPORTED', null), attribute('PASSPORTED_ID', 'midland:812')],
});
const faded = { ...ours, cardnumber: null, surname: null, anonymized: true };
const twice = patron({
  patronId: 7,
  attributes: [passport, attribute('PASSPORTED_ID', 'midland:9'), attribute('PASSPORTED_ID', 'lakeside:4')],
});
const oldCard = (of: KohaPatron): KohaPatron => ({ ...of, cardnumber: 'OLD1' });

const look = (byCard: KohaPatron[], byHomeKey: KohaPatron[], more: Partial<LocalRecords> = {}): LocalMatch =>
  decideLocalMatch({
    card: CARD,
    scanned: CARD,
    otherCards: [],
    homeId: 'midland',
    homeKey: 'midland:812',
    homeKeyAttribute: 'PASSPORTED_ID',
    copyCategories: [],
    homeRecord: patron(),
    passportTypes: new Set(['PASSPORTED']),
    byCard,
    byHomeKey,
    ...more,
  });

test.each<[string, KohaPatron[], KohaPatron[], LocalMatch]>([
  ['nobody', [], [], { kind: 'nobody' }],
  ['our copy', [ours], [ours], { kind: 'our_copy', patronId: 1 }],
  ['our copy, seen by card only', [ours], [], { kind: 'our_copy', patronId: 1 }],
  ['our copy with an older card', [], [oldCard(ours)], { kind: 'our_copy_older_card', patronId: 1 }],
  [
    'a copy of another number of that home',
    [other],
    [],
    { kind: 'copy_of_other_number', patronId: 2, otherNumber: 9, attributeId: 1 },
  ],
  ['our copy, anonymised', [], [faded], { kind: 'copy_anonymized', patronId: 1 }],
  [
    'our copy, anonymised, beside a new one',
    [],
    [faded, oldCard(ours)],
    { kind: 'our_copy_older_card', patronId: 1 },
  ],
  ['a native, our copy being anonymised', [native], [faded], { kind: 'native', patronId: 5 }],
  ['a copy with two home keys', [twice], [], { kind: 'copy_merged', patronId: 7 }],
  ['a copy of a patron of another home', [foreign], [], { kind: 'card_of_another', patronId: 3 }],
  ['our copy older, the card on another', [other], [oldCard(ours)], { kind: 'card_of_another', patronId: 2 }],
  [
    'our copy older, the card on a native',
    [native],
    [oldCard(ours)],
    { kind: 'card_of_another', patronId: 5 },
  ],
  ['a copy without a home key', [keyless], [], { kind: 'copy_without_key', patronId: 4 }],
  ['a patron of its own', [native], [], { kind: 'native', patronId: 5 }],
  ['a patron that was our copy', [adopted], [adopted], { kind: 'native', patronId: 6 }],
  ['what only looks like the card or key', [oldCard(native)], [other], { kind: 'nobody' }],
])('the card is held by %s', (_what, byCard, byHomeKey, expected) => {
  expect(look(byCard, byHomeKey)).toEqual(expected);
});

test('without home keys a copy from that home is one without a key', () => {
  expect(look([ours], [], { homeKeyAttribute: null })).toEqual({ kind: 'copy_without_key', patronId: 1 });
});

test('a card on a copy of another number is somebody else’s where the records cannot be of one person', () => {
  const born = (dateOfBirth: string | null, surname = 'Okafor') =>
    look([{ ...other, dateOfBirth, surname }], []).kind;
  expect(born('1991-01-01')).toBe('card_of_another');
  expect(born('1990-05-01', 'Married')).toBe('copy_of_other_number');
  expect(born(null, 'Elsewhere')).toBe('card_of_another');
  expect(born(null, 'OKAFOR')).toBe('copy_of_other_number');
});

test('a card on a copy of another number is a relative’s where the first names differ, whatever else is the same', () => {
  const kindOf = (more: Partial<KohaPatron>) => look([{ ...other, ...more }], []).kind;
  const known = patron();
  expect(known).toMatchObject({ firstname: 'Adaeze', dateOfBirth: '1990-05-01' });
  expect(kindOf({ firstname: 'Ngozi' })).toBe('card_of_another');
  expect(kindOf({ firstname: 'Ngozi', dateOfBirth: null })).toBe('card_of_another');
  expect(kindOf({ firstname: ' adaézé ' })).toBe('copy_of_other_number');
  expect(kindOf({ firstname: null })).toBe('copy_of_other_number');
  expect(kindOf({ firstname: null, surname: 'Married' })).toBe('card_of_another');
  expect(kindOf({ firstname: null, dateOfBirth: null })).toBe('card_of_another');
});

test('the attribute that gets a new key is the one that has the old key, not an empty one before it', () => {
  const empty = { ...attribute('PASSPORTED_ID', ' '), id: 70 };
  const filled = { ...attribute('PASSPORTED_ID', 'midland:9'), id: 71 };
  expect(look([{ ...other, attributes: [passport, empty, filled] }], [])).toMatchObject({
    kind: 'copy_of_other_number',
    attributeId: 71,
  });
});

describe('the number at home is on a patron of the library’s own', () => {
  const [card, stranger] = ['P-4711', { ...native, firstname: 'Another' }];
  const kindOf = (record: KohaPatron, more: Partial<LocalRecords> = {}, byHomeKey: KohaPatron[] = []) =>
    look([record], byHomeKey, { scanned: card, card, otherCards: [CARD], ...more }).kind;

  test('who is the patron, registered by hand, unless anything speaks against it', () => {
    expect(kindOf(native)).toBe('native');
    expect(kindOf({ ...native, surname: 'Married' })).toBe('native');
    expect(kindOf(stranger)).toBe('card_of_another');
    expect(kindOf({ ...native, firstname: null, dateOfBirth: null })).toBe('card_of_another');
  });

  test('also where only that number is looked up, since what was scanned could be another library’s card', () => {
    expect(kindOf(stranger, { card: CARD, otherCards: [] })).toBe('card_of_another');
  });

  test('who is whatever the record says where it has the card itself, or was our copy', () => {
    expect(kindOf({ ...stranger, cardnumber: card })).toBe('native');
    expect(kindOf({ ...adopted, firstname: 'Another' }, { card: CARD, otherCards: [] })).toBe('native');
  });
});

describe('a copy was merged into a patron of the library’s own', () => {
  const copies = { copyCategories: ['PT', 'PT-C'] };

  test('when its category is none that copies are given, by card or by home key', () => {
    expect(look([{ ...ours, categoryId: 'AD' }], [], copies).kind).toBe('copy_merged');
    expect(look([], [oldCard({ ...ours, categoryId: 'AD' })], copies).kind).toBe('copy_merged');
    expect(look([{ ...ours, categoryId: 'pt-c' }], [], copies).kind).toBe('our_copy');
  });

  test('when it was enrolled before the patron was at home, give or take a day', () => {
    const enrolled = (dateEnrolled: string | null) => look([{ ...ours, dateEnrolled }], []).kind;
    expect(enrolled('2019-12-30')).toBe('copy_merged');
    expect(enrolled('2019-12-31')).toBe('our_copy');
    expect(enrolled('2026-11-25')).toBe('our_copy');
    expect(enrolled(null)).toBe('our_copy');
  });

  test('but not when the library has made it its own by emptying the passport', () => {
    expect(look([{ ...adopted, categoryId: 'AD' }], [], copies).kind).toBe('native');
  });
});
