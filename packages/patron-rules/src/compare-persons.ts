import type { CopyPolicy } from '@passport/config';
import type { Capabilities, Person, PatronBody } from '@passport/koha-client';

/** The fields by which Koha compares patrons by default (`PatronDuplicateMatchingAddFields`). */
const COMPARED = ['surname', 'firstname', 'date_of_birth'] as const;

/** From 25.11 on Koha looks for possible duplicates by itself, but only when a copy is created. */
function isSearched(
  { onLookAlike, mode }: Pick<CopyPolicy, 'onLookAlike' | 'mode'>,
  byItself: boolean,
): boolean {
  const stops = onLookAlike === 'stop' || (onLookAlike === 'koha' && byItself);
  return stops && !(byItself && mode === 'copy');
}

/**
 * Whom to search for at the lending library, before a copy is sent or where none is (`observe`): null where its Koha does so by itself,
 * where nobody shall, and where the copy has no birth date, since names alone say nothing.
 */
export function personToSearch(
  body: PatronBody,
  policy: Pick<CopyPolicy, 'onLookAlike' | 'mode'>,
  { confirmNotDuplicate }: Pick<Capabilities, 'confirmNotDuplicate'>,
): Person | null {
  return isSearched(policy, confirmNotDuplicate) ? personIn(body) : null;
}

/** Whom a copy's body is of, as Koha compares patrons. Null without a surname or a birth date. */
export function personIn(body: PatronBody): Person | null {
  const surname = textOf(body.surname);
  const dateOfBirth = textOf(body['date_of_birth']);
  if (surname === null || dateOfBirth === null) return null;
  return { surname, firstname: textOf(body['firstname']), dateOfBirth };
}

/** Names of the fields that a search for this person sends. */
export const comparedFields = ({ firstname }: Person): readonly string[] =>
  COMPARED.filter((name) => name !== 'firstname' || firstname !== null);

const textOf = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);
