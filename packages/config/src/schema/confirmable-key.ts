import * as z from 'zod';
import { nearest } from '../problems/nearest.ts';

/** Confirming these would renew, take from another patron or undo a hold: never without a person. */
export const NEVER_CONFIRMED: readonly string[] = [
  'RENEW_ISSUE',
  'ISSUED_TO_ANOTHER',
  'RESERVED',
  'RESERVE_WAITING',
  'TRANSFERRED',
  'PROCESSING',
  'RECALLED',
];

// What Koha 23.11 to 26.05 can require. A later Koha may require more, so other upper-case keys pass, unless they look like a slip of one of these.
const KOHA_CONFIRMATIONS = [
  'USERBLOCKEDOVERDUE',
  'BORRNOTSAMEBRANCH',
  'DEBT',
  'DEBT_GUARANTEES',
  'DEBT_GUARANTORS',
  'DEBT_LINKED_ACCOUNTS',
  'TOO_MANY',
  'PATRON_CANT',
  'CURRENTISSUE',
  'PREVISSUE',
  'BIBLIO_ALREADY_ISSUED',
  'NOT_FOR_LOAN_FORCING',
  'ITEM_LOST',
  'AGE_RESTRICTION',
  'ADDITIONAL_MATERIALS',
  'RENTALCHARGE',
  'INVALID_DATE',
  'HIGHHOLDS',
  'BOOKED_EARLY',
  'BOOKED_TO_ANOTHER',
];

/** Stands for whatever else a Koha requires, which is not passed on in its own words: nobody can know what would be confirmed. */
const OTHER_REASONS = 'OTHER';

function faultOf(key: string): string | null {
  if ([...NEVER_CONFIRMED, OTHER_REASONS].includes(key)) return `is ${key}, which only a person may confirm`;
  if (!/^[A-Z][A-Z_]{1,49}$/.test(key)) return "is not one of Koha's upper-case keys";
  if (KOHA_CONFIRMATIONS.includes(key)) return null;
  const meant = nearest(key, [...KOHA_CONFIRMATIONS, ...NEVER_CONFIRMED]);
  return meant === null ? null : `is no key of Koha's, did you mean ${meant}?`;
}

/** One of Koha's reasons to require a confirmation before a checkout, if it may be confirmed at all. */
export const confirmableKey = z.string().superRefine((key, context) => {
  const fault = faultOf(key);
  if (fault !== null) context.addIssue({ code: 'custom', message: fault });
});
