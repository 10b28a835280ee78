import { describe, expect, test } from '@jest/globals';
import type { Library } from '@passport/config';
import fc from 'fast-check';
import { cardsOfCopy, decideCandidates, decideHome, isOwnCard, numbersAt } from '../src/index.ts';
import { candidate, consortium, library, patron, patrons, riverside } from './builders.ts';

const form = (scanned: RegExp, number: string, checkDigit: 'mod10' | null = null) => ({
  scanned,
  number,
  checkDigit,
});
const withCards = (...cards: Library['cards']): Library => library('midland', { cards });

describe('the numbers that a scanned card can have in the Koha of its home', () => {
  test.each<[string, Library['cards'][number], string, string[]]>([
    ['without other forms it is the text', /^21234\d{9}$/u, ' 21234000000017 ', ['21234000000017']],
    ['a prefix that is not printed is added', form(/^(\d{9})$/u, '21234$1'), '000000017', ['21234000000017']],
    ['a prefix of the scanner is taken off', form(/^P-(\d{6})$/u, '$1'), 'P-004711', ['004711']],
    [
      'blanks are taken out',
      form(/^(\d{5}) (\d{4}) (\d{5})$/u, '$1$2$3'),
      '21234 0000 00017',
      ['21234000000017'],
    ],
    ['leading zeros are added', form(/^(\d{4})$/u, '00$1'), '4711', ['004711']],
    ['leading zeros are taken off', form(/^0*([1-9]\d*)$/u, '$1'), '0004711', ['4711']],
    // Both digits are the worked examples of libraries: jerseycat.org and nccardinalsupport.org, "Choosing a Barcode".
    ['a check digit is added', form(/^(\d{13})$/u, '$1{mod10}'), '3023400051786', ['30234000517861']],
    [
      'it follows what stands before it',
      form(/^(\d{8})$/u, '58198$1{mod10}'),
      '00094399',
      ['58198000943996'],
    ],
    ['a check digit is dropped', form(/^(\d{13})\d$/u, '$1', 'mod10'), '58198000943996', ['5819800094399']],
    ['nothing is made of a wrong one', form(/^(\d{13})\d$/u, '$1', 'mod10'), '58198000943997', []],
    ['nor of letters', form(/^(.{3})$/u, '$1{mod10}'), '12a', []],
    ['nor of what Koha cannot hold', form(/^(\d{30})$/u, '212$1'), '1'.repeat(30), []],
    ['nor of a text that Koha would run', form(/^(.{4})$/u, '[%$1%]'), 'abcd', []],
    ['nor where a group that it takes has nothing', form(/^(?:A(\d{5})|B\d{5})$/u, 'N$1'), 'B11111', []],
    ['nor of another text', form(/^(\d{9})$/u, '21234$1'), '0000000171', []],
  ])('%s', (_what, cards, scanned, numbers) => {
    expect(numbersAt(withCards(cards), scanned)).toEqual(numbers);
  });

  test('both, where both can exist, and one where two forms give the same', () => {
    const both = withCards(/^[A-Z]?\d{9,14}$/u, form(/^(\d{9})$/u, '21234$1'), form(/^(\d{9})$/u, '21234$1'));
    expect(numbersAt(both, '000000017')).toEqual(['000000017', '21234000000017']);
    expect(numbersAt(both, '21234000000017')).toEqual(['21234000000017']);
  });

  const digits = fc
    .array(fc.integer({ min: 0, max: 9 }), { minLength: 13, maxLength: 13 })
    .map((all) => all.join(''));
  const adds = withCards(form(/^(\d{13})$/u, '$1{mod10}'));
  const drops = withCards(form(/^(\d{13})\d$/u, '$1', 'mod10'));

  test('what a check digit was added to is what dropping it gives', () => {
    fc.assert(
      fc.property(digits, (number) => {
        const [long = ''] = numbersAt(adds, number);
        expect(numbersAt(drops, long)).toEqual([number]);
      }),
    );
  });

  test('a card that is misread at one place is nobody’s where there is a check digit', () => {
    fc.assert(
      fc.property(digits, fc.nat(13), fc.integer({ min: 1, max: 9 }), (number, place, step) => {
        const [long = ''] = numbersAt(adds, number);
        const wrong = (Number(long[place]) + step) % 10;
        expect(numbersAt(drops, `${long.slice(0, place)}${wrong}${long.slice(place + 1)}`)).toEqual([]);
      }),
    );
  });

  test('no form makes a number of a text that its pattern does not fit, whatever is scanned', () => {
    const cards = [/^21234\d{9}$/u, form(/^(\d{9})$/u, '21234$1'), form(/^M ?(\d{4})$/u, '21234$1{mod10}')];
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ maxLength: 40 }),
          digits.map((text) => text.slice(4)),
        ),
        (text) => {
          const fits = cards.some((each) => (each instanceof RegExp ? each : each.scanned).test(text.trim()));
          expect(numbersAt(withCards(...cards), text).length > 0).toBe(fits);
        },
      ),
    );
  });
});

describe('another form of a card', () => {
  const midland = withCards(/^21234\d{9}$/u, form(/^(\d{9})$/u, '21234$1'));
  const [short, long] = ['000000017', '21234000000017'];

  test('is looked up at its home alone, in its home’s form', () => {
    const all = consortium([midland, library('riverside', { cards: [/^25678\d{9}$/u] })]);
    expect(decideCandidates(all, 'riverside', short)).toMatchObject([
      { home: { id: 'midland' }, cards: [long] },
    ]);
  });

  test('that two patrons of one library have is ambiguous', () => {
    const home = withCards(/^\d{9,14}$/u, form(/^(\d{9})$/u, '21234$1'));
    const asked = { ...candidate(home), cards: numbersAt(home, short) };
    const answer = patrons(patron({ cardnumber: short }), patron({ patronId: 9, cardnumber: long }));
    const located = decideHome([{ candidate: asked, answer }], {
      strict: false,
      passportTypes: new Set(['P']),
    });
    expect(located).toMatchObject({ kind: 'ambiguous', homes: ['midland'] });
  });

  test('is the card of the copy: Koha finds that at the next scan; the number at home may be there, too', () => {
    const all = consortium([midland, riverside]);
    expect(cardsOfCopy(all, midland, { scanned: ` ${short} `, number: long })).toEqual([short, long]);
    expect(cardsOfCopy(all, midland, { scanned: 'm7', number: 'M7' })).toEqual(['M7']);
  });

  test.each<[string, RegExp, string[]]>([
    ['the scanned form', /^\d{9}$/u, [long]],
    ['the number at home', /^21\d{12}$/u, [short]],
    ['either', /^\d+$/u, [short]],
  ])('is no copy’s card where it can be another library’s: %s', (_what, pattern, cards) => {
    const all = consortium([midland, library('lakeside', { cards: [pattern] }), riverside]);
    expect(cardsOfCopy(all, midland, { scanned: short, number: long })).toEqual(cards);
  });

  test('attracts no more cards of another library than a pattern does: that one is queried, too, and neither owns them', () => {
    const hostile = library('lakeside', { cards: [form(/^(21234\d{9})$/u, 'L$1')] });
    const all = consortium([midland, hostile, riverside]);
    expect(decideCandidates(all, 'riverside', long).map(({ home }) => home.id)).toEqual([
      'midland',
      'lakeside',
    ]);
    expect([midland, hostile].map((home) => isOwnCard(all, home, long))).toEqual([false, false]);
  });
});
