import * as z from 'zod';
import type { Printable } from '../keys/key.ts';
import { cardPattern, isAnchored } from './card-pattern.ts';

/** What a scanner reads, or somebody types, of a card that its home library's Koha has under another number. */
export interface OtherForm {
  /** What it looks like. */
  readonly scanned: RegExp;
  /** How the number is made of it: text, `$1` to `$9` for the groups of `scanned`, `{mod10}` for the check digit of what stands before. */
  readonly number: string;
  /** What its last character must be, else it is no such form. */
  readonly checkDigit: 'mod10' | null;
}

/** One entry of `cards`: a pattern of numbers as the library's Koha has them, or another form that its cards are scanned in. */
export type CardForm = RegExp | OtherForm;

/** Koha's longest (`borrowers.cardnumber`). */
const LONGEST_NUMBER = 32;
const PART = /\$([1-9])|\{mod10\}/g;

/**
 * The check digit of library cards with 14 digits (Codabar): each second digit from the right is doubled, the digits are added, and the
 * sum is filled up to the next ten. Null where there is anything but digits.
 */
function mod10(digits: string): string | null {
  if (!/^[0-9]+$/.test(digits)) return null;
  const sum = [...digits].toReversed().reduce((total, digit, place) => {
    const value = Number(digit) * (place % 2 === 0 ? 2 : 1);
    return total + (value > 9 ? value - 9 : value);
  }, 0);
  return String((10 - (sum % 10)) % 10);
}

/** What this form of a card looks like when it is scanned. */
export const patternOf = (form: CardForm): RegExp => (form instanceof RegExp ? form : form.scanned);

/** The number under which its library's Koha has a card that is scanned as `text`; null: it is not of this form. */
export function numberOf(form: CardForm, text: string): string | null {
  // `search` because `test` of a pattern with a "g" flag remembers where it stopped.
  if (form instanceof RegExp) return text.search(form) === -1 ? null : text;
  const groups = form.scanned.exec(text);
  if (groups === null) return null;
  if (form.checkDigit !== null && mod10(text.slice(0, -1)) !== text.slice(-1)) return null;
  let number = '';
  let end = 0;
  for (const part of form.number.matchAll(PART)) {
    number += form.number.slice(end, part.index);
    end = part.index + part[0].length;
    const piece = part[1] === undefined ? mod10(number) : groups[Number(part[1])];
    // A group that takes no part would make one number of all such cards.
    if (piece === undefined || piece === null) return null;
    number += piece;
  }
  number += form.number.slice(end);
  return number.trim() === '' || number.length > LONGEST_NUMBER ? null : number;
}

/** How many groups a pattern has. */
const groupsIn = (pattern: RegExp): number =>
  (new RegExp(`${pattern.source}|`, 'u').exec('')?.length ?? 1) - 1;

/** What is wrong with how a number is made, or null. A number that takes nothing from the card would be one person for all of them. */
function faultOfNumber(number: string, scanned: RegExp): string | null {
  const groups = [...number.matchAll(PART)].flatMap(([, group]) =>
    group === undefined ? [] : [Number(group)],
  );
  if (/[$\p{Cc}{}]/u.test(number.replaceAll(PART, ''))) return 'has a part that is not known';
  if (groups.length === 0) return 'takes nothing from the card: all cards would be one person';
  return groups.every((group) => group <= groupsIn(scanned))
    ? null
    : 'names a group that `scanned` does not have';
}

const otherForm = z
  .strictObject({
    scanned: cardPattern.refine(isAnchored, {
      error: 'must begin with ^ and end with $, each alternative of it',
    }),
    number: z.string(),
    check_digit: z.literal('mod10').optional(),
  })
  .transform(({ scanned, number, check_digit: checkDigit = null }, context): OtherForm => {
    const fault = faultOfNumber(number, scanned);
    if (fault !== null) context.addIssue({ code: 'custom', message: fault, path: ['number'] });
    return { scanned, number, checkDigit };
  });

/** One entry of `cards`. */
export const cardForm = z.union([cardPattern, otherForm]);

/** An entry of `cards` as it is written in the file. */
export const printForm = (form: CardForm): Printable =>
  form instanceof RegExp
    ? form.source
    : {
        scanned: form.scanned.source,
        number: form.number,
        ...(form.checkDigit === null ? {} : { check_digit: form.checkDigit }),
      };
