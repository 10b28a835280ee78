import type { KohaDouble } from '@passport/koha-double';
import { registerPatron } from '../harness/people.ts';

let made = 0;

/**
 * Registers a patron whose name nobody else has and returns the card. Koha makes logins from the letters of a name,
 * and many namesakes who are created at the same moment would be a fault that is not meant here.
 */
export function registerReader(home: KohaDouble, prefix?: string): string {
  made += 1;
  const firstname = `Agnieszka ${spelled(made)}`;
  return registerPatron(home, { columns: { firstname }, ...(prefix === undefined ? {} : { prefix }) });
}

/** A number in letters. */
function spelled(number: number): string {
  return number
    .toString()
    .split('')
    .map((digit) => 'abcdefghij'.charAt(Number(digit)))
    .join('');
}
