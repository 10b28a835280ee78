import type { Person, PatronBody } from '@passport/koha-client';

/** The fields by which Koha compares patrons by default (`PatronDuplicateMatchingAddFields`). */
const COMPARED = ['surname', 'firstname', 'date_of_birth'] as const;

/** Whom the lending library may have already. Null where the copy has no birth date: names alone say nothing. */
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
