import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { collate } from '../src/collation.ts';

/**
 * Each line: the characters to which MariaDB 11.8 gives one weight in utf8mb4_unicode_ci (`WEIGHT_STRING`), in
 * hexadecimal. Latin, Greek, Cyrillic and Hebrew letters, digits, kana, wide forms, blanks, punctuation and what is not seen.
 */
const classes = readFileSync(join(import.meta.dirname, 'support/collation-classes.txt'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => line.split(' ').map((code) => String.fromCodePoint(Number.parseInt(code, 16))));

test('characters are the same to the double exactly where they are to Koha’s database', () => {
  const owners = new Map<string, number>();
  const wrong = classes.flatMap((characters, index) =>
    characters.filter((char) => {
      const form = collate(`a${char}b`);
      const isFirst = characters[0] === char;
      if (isFirst && owners.has(form)) return true;
      owners.set(form, isFirst ? index : (owners.get(form) ?? -1));
      return owners.get(form) !== index;
    }),
  );
  expect(wrong.map((char) => char.codePointAt(0)?.toString(16))).toEqual([]);
  expect(classes.flat().length).toBeGreaterThan(1_000);
});

test.each([
  ['Ko\u0301va\u0301c\u030c', 'kovac'],
  ['Straße', 'STRASSE'],
  ['２１２３', '2123'],
  ['21\u200b23', '2123'],
  ['2123\u00a0', '2123'],
  ['иванов', 'ИВАНОВ'],
  ['😀', '😁'],
])('%j is %j', (one, other) => {
  expect(collate(one)).toBe(collate(other));
});

test.each([
  [' 1', '1'],
  ['1\t', '1'],
  ['ø', 'o'],
  ['ł', 'l'],
  ['æ', 'ae'],
  ['й', 'и'],
  ['a-b', 'ab'],
  ['a\u00adb', 'ab'],
])('%j is not %j', (one, other) => {
  expect(collate(one)).not.toBe(collate(other));
});
