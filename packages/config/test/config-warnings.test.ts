import { expect, test } from '@jest/globals';
import { crossAgreements } from '../src/agreements/agreements.ts';
import { configWarnings } from '../src/index.ts';
import { at, parse, validFile } from './valid-file.ts';

/** The warnings about `cards` where each library has these patterns. */
function aboutCards(...patterns: (readonly (string | object)[])[]) {
  const file = validFile();
  for (const [place, cards] of patterns.entries()) at(file, 'libraries', place)['cards'] = cards;
  return configWarnings(parse(file)).filter(({ path }) => path.endsWith('.cards'));
}

test('a library without card patterns is named: it is queried for every unknown card', () => {
  expect(aboutCards(['^21234\\d{9}$'], [], ['^A\\d{6}$'])).toEqual([
    {
      path: 'libraries[1].cards',
      warning: expect.stringMatching(/queried for every card/),
      libraries: ['riverside'],
    },
  ]);
});

test('where patterns decide it is named all the same: it sees the cards that nobody else knows', () => {
  const file = validFile();
  for (const place of [0, 1]) at(file, 'libraries', place)['cards'] = [`^${place}\\d{9}$`];
  file['locate'] = { patterns_decide: true };
  const found = configWarnings(parse(file)).find(({ path }) => path.endsWith('.cards'));
  expect(found).toMatchObject({
    path: 'libraries[2].cards',
    warning: expect.stringMatching(/every card that no other library knows/),
  });
});

test('libraries whose patterns fit some card alike are named, with the patterns of the others', () => {
  expect(aboutCards(['^21234\\d{9}$'], ['^R\\d{6}$'], ['^A\\d{6}$', '^2123\\d{10}$'])).toEqual([
    {
      path: 'libraries[2].cards',
      warning: expect.stringContaining('midland (^21234\\d{9}$)'),
      libraries: ['lakeside', 'midland'],
    },
  ]);
});

test('a pattern of which one way also fits longer texts is named, and one whose ways do not is not', () => {
  const open = (pattern: string): string[] =>
    aboutCards([pattern], ['^R\\d{6}$'], ['^X\\d{6}$']).map(({ warning }) => warning);
  expect(open('^A\\d{5}|B\\d{5}$')).toContain('a pattern without ^ and $ also fits longer texts');
  expect(open('^A\\d{5}$|^B\\d{5}$')).toEqual([]);
});

test('patterns that keep apart are no warning', () => {
  expect(aboutCards(['^21234\\d{9}$'], ['^21235\\d{9}$'], ['^A\\d{6}$'])).toEqual([]);
});

test('another form of a card is compared as a pattern is', () => {
  const short = { scanned: '^(\\d{9})$', number: '21234$1' };
  expect(aboutCards(['^21234\\d{9}$', short], ['^R\\d{6}$'], ['^7\\d{8}$'])).toMatchObject([
    { warning: expect.stringContaining('midland (^(\\d{9})$)'), libraries: ['lakeside', 'midland'] },
  ]);
});

test.each<[string, object, number]>([
  ['a digit is lost', { scanned: '^(\\d{8})\\d$', number: '21234$1' }, 1],
  ['the digit is a check digit', { scanned: '^(\\d{8})\\d$', number: '21234$1', check_digit: 'mod10' }, 0],
  ['what is lost is always the same', { scanned: '^21234(\\d{9})$', number: '$1' }, 0],
  ['a group is left out', { scanned: '^(\\d)(\\d{8})$', number: '$2' }, 1],
])('a form that makes one number of different cards is named: %s', (_what, form, count) => {
  const found = aboutCards(['^21234\\d{9}$', form], ['^R\\d{6}$'], ['^A\\d{6}$']);
  expect(found.filter(({ warning }) => warning.startsWith('different cards'))).toHaveLength(count);
});

test('a lending library without patterns, at which somebody else can have the number that a form becomes, is named', () => {
  const cards = ['^\\d{6}$', { scanned: '^P-(\\d{6})$', number: '$1' }];
  expect(aboutCards(cards, [], ['^A\\d{6}$'])).toContainEqual({
    path: 'libraries[1].cards',
    warning: expect.stringMatching(/^is empty, and cards of midland are scanned in other forms: /),
    libraries: ['riverside'],
  });
  expect(aboutCards(cards, ['^R\\d{6}$'], ['^A\\d{6}$'])).toEqual([]);
});

test('agreements do not matter: two libraries of which each is the only home of the other are named', () => {
  expect(aboutCards(['^21234\\d{9}$'], ['^2123\\d{10}$'], ['^A\\d{6}$'])).toMatchObject([
    { path: 'libraries[1].cards', libraries: ['riverside', 'midland'] },
  ]);
});

test('cards that two libraries share are named until both say so', () => {
  const file = validFile();
  const says = (place: number, ...ids: string[]) => {
    Object.assign(at(file, 'libraries', place), { cards: [`^21234\\d{9}$`], cards_shared_with: ids });
    return configWarnings(parse(file)).filter(({ path }) => path.endsWith('.cards'));
  };
  at(file, 'libraries', 2)['cards'] = ['^A\\d{6}$'];
  says(0);
  expect(says(1, 'midland')).toMatchObject([{ libraries: ['riverside', 'midland'] }]);
  expect(says(0, 'lakeside', 'library-to-come')).toHaveLength(1);
  expect(says(0, 'riverside')).toEqual([]);
  expect(says(1)).toHaveLength(1);
});

test('one pattern for all is one warning for each further library, not for each pair', () => {
  const all = ['^\\d{14}$'];
  expect(aboutCards(all, all, all).map(({ libraries }) => libraries)).toEqual([
    ['riverside', 'midland'],
    ['lakeside', 'midland', 'riverside'],
  ]);
});

test('a pattern that an earlier library has, too, is compared with all', () => {
  const [first, second] = [['^\\d{9}$'], ['^1\\d{8}$']];
  expect(aboutCards(first, second, first).map(({ libraries }) => libraries)).toEqual([
    ['riverside', 'midland'],
    ['lakeside', 'midland', 'riverside'],
  ]);
});

test('a library that nobody queries needs no pattern', () => {
  const file = validFile();
  for (const place of [0, 1]) at(file, 'libraries', place)['cards'] = [`^${place}\\d{9}$`];
  at(file, 'libraries', 2)['enabled'] = false;
  const paths = configWarnings(parse(file)).map(({ path }) => path);
  expect(paths).toEqual(['libraries[2].enabled']);
});

/** A consortium of so many libraries, with the patterns that `patternOf` gives each. */
function many(count: number, patternOf: (place: number) => string): ReturnType<typeof parse> {
  const small = parse(validFile());
  const [model] = small.libraries;
  if (model === undefined) throw new Error('there is a library');
  const libraries = Array.from({ length: count }, (_, place) => ({
    ...model,
    id: `library-${place}`,
    cards: [new RegExp(patternOf(place), 'u')],
  }));
  const ids = libraries.map(({ id }) => id);
  return { ...small, libraries, agreements: crossAgreements(ids, ids) };
}

test('the patterns of a thousand libraries are compared in a moment, whether they keep apart or are the same', () => {
  const before = process.cpuUsage();
  expect(configWarnings(many(1_000, (place) => `^${20_000 + place}\\d{9}$`))).toEqual([]);
  const same = configWarnings(many(1_000, () => '^\\d{8}$'));
  expect(same).toHaveLength(999);
  expect(same.at(-1)?.warning).toContain(' and 994 more: ');
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1_000).toBeLessThan(10_000);
});

test('a restriction that is carried into copies which do not follow home is named', () => {
  const file = validFile();
  at(file, 'libraries', 0)['eligibility'] = { restricted: 'allow' };
  const about = () =>
    configWarnings(parse(file)).filter(({ path }) => path.endsWith('eligibility.restricted'));
  expect(about()).toMatchObject([{ warning: expect.stringMatching(/stays there when home lifts it/) }]);
  at(file, 'libraries', 0)['refresh'] = { at_scan: true };
  expect(about()).toEqual([]);
});
