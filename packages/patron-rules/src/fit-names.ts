import { takeCharacters } from './fit-text.ts';

/**
 * Koha makes a login `firstname.surname` of every new patron and does not cut it; beyond its column of 75 characters the whole create
 * fails with 500. Five are left for the number Koha appends when the login is taken.
 */
const LONGEST_LOGIN = 75 - 5;

/**
 * Names that leave Koha space for the login it makes of them: the first name gives way before the surname. Names of everyday length
 * come back as they are; a first name for which there is no space at all is left out.
 */
export function fitNames(values: Readonly<Record<string, string>>): Record<string, string> {
  const { firstname = '', surname = '', ...others } = values;
  const dot = 1;
  if (loginLength(firstname) + dot + loginLength(surname) <= LONGEST_LOGIN) return values;
  const last = takeCharacters(surname, loginLength, LONGEST_LOGIN);
  const first = takeCharacters(firstname, loginLength, LONGEST_LOGIN - dot - loginLength(last));
  return {
    ...others,
    ...(last === '' ? {} : { surname: last }),
    ...(first === '' ? {} : { firstname: first }),
  };
}

/**
 * What a name adds to the login: small letters, decomposed, without Latin, Greek and Cyrillic accents, digits, blanks and punctuation.
 * Koha drops more marks than these in newer releases; counting them costs nobody a letter in practice.
 */
function loginLength(name: string): number {
  const letters = name
    .toLowerCase()
    .normalize('NFKD')
    .replaceAll(/[\u0300-\u036f\p{Nd}\p{P}\p{Cc}\s]/gu, '');
  return Array.from(letters).length;
}
