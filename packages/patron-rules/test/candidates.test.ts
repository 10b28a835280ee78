import { describe, expect, test } from '@jest/globals';
import { indexAgreements } from '@passport/config';
import { decideCandidates, isOwnCard } from '../src/index.ts';
import { CARD, agreement, consortium, lakeside, library, riverside } from './builders.ts';

const midland = library('midland', { cards: [/^21234\d{9}$/, /^M\d+$/i] });
const all = consortium([midland, riverside, lakeside]);
const queried = (card: string, lendingId = 'riverside', of = all): string[] =>
  decideCandidates(of, lendingId, card).map(({ home }) => home.id);

describe('who is queried for a card', () => {
  test('a library whose pattern fits, and each one without patterns', () => {
    expect(queried(CARD)).toEqual(['midland', 'lakeside']);
    expect(queried(` ${CARD} `)).toEqual(['midland', 'lakeside']);
    expect(queried('m7')).toEqual(['midland', 'lakeside']);
    expect(queried('99')).toEqual(['lakeside']);
  });

  test.each(['[% PERL %]', '7<<borrowers.userid>>'])('nobody for a card that Koha would run (%j)', (card) => {
    expect(queried(card)).toEqual([]);
    expect(isOwnCard(all, lakeside, card)).toBe(false);
  });

  test('never the library where it was scanned', () => {
    expect(queried(CARD, 'midland')).toEqual(['riverside', 'lakeside']);
    const self = consortium([midland], { agreements: indexAgreements([agreement('midland', 'midland')]) });
    expect(queried(CARD, 'midland', self)).toEqual([]);
  });

  test('only under an agreement in this direction', () => {
    const oneWay = consortium([midland, riverside], {
      agreements: indexAgreements([agreement('midland', 'riverside')]),
    });
    expect(queried(CARD, 'riverside', oneWay)).toEqual(['midland']);
    expect(queried(CARD, 'midland', oneWay)).toEqual([]);
  });

  test('no library that is not enabled', () => {
    const shutOut = consortium([library('midland', { enabled: false }), riverside]);
    expect(queried(CARD, 'riverside', shutOut)).toEqual([]);
  });

  test.each(['Okafor', '39999000012345', '7', '', '%', `${CARD}9`])(
    'T-04 nobody when every partner has patterns and none fits (%j)',
    (card) => {
      const patterned = consortium([midland, riverside, library('lakeside', { cards: [/^L\d{6}$/] })]);
      expect(queried(card, 'riverside', patterned)).toEqual([]);
    },
  );

  test('the same libraries every time, also with a pattern that remembers where it stopped', () => {
    const sticky = consortium([library('midland', { cards: [/21234/g] }), riverside]);
    expect([1, 2, 3].map(() => queried(CARD, 'riverside', sticky))).toEqual([
      ['midland'],
      ['midland'],
      ['midland'],
    ]);
  });

  test('at a library the configuration does not know is a bug', () => {
    const broken = consortium([riverside], { agreements: indexAgreements([agreement('gone', 'riverside')]) });
    expect(() => queried(CARD, 'riverside', broken)).toThrow(RangeError);
  });
});

test('a card is a library’s own if it fits there and no pattern of another library, whoever would be queried for it', () => {
  const libraries = [midland, library('riverside', { cards: [/^2\d+$/] }), lakeside];
  expect(isOwnCard({ libraries }, midland, 'm7')).toBe(true);
  expect(isOwnCard({ libraries }, midland, CARD)).toBe(false);
  expect(isOwnCard({ libraries }, midland, '99')).toBe(false);
  expect(isOwnCard({ libraries }, lakeside, '99')).toBe(true);
  expect(isOwnCard({ libraries }, lakeside, 'm7')).toBe(false);
});
