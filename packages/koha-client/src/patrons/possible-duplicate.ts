import { parseRows } from '../transport/list-rows.ts';
import type { CallOptions, Session } from '../transport/session.ts';

/** Who Koha may have already, as the copy would be stored. */
export interface Person {
  readonly surname: string;
  /** Null: compared by the other two alone. */
  readonly firstname: string | null;
  /** `YYYY-MM-DD` */
  readonly dateOfBirth: string;
}

/**
 * Whether Koha has a patron of this name and birth date, whoever it is: what its own form searches for before it stores a patron
 * (`members/memberentry.pl`), and its API by itself from 25.11 on. Koha compares as its database does, without regard to
 * case and accents. Nothing of that patron is kept. Throws KohaError.
 */
export async function hasPossibleDuplicate(
  session: Session,
  { surname, firstname, dateOfBirth }: Person,
  options?: CallOptions,
): Promise<boolean> {
  const q = JSON.stringify({
    surname,
    ...(firstname === null ? {} : { firstname }),
    date_of_birth: dateOfBirth,
  });
  const query = { q, _per_page: '1', _order_by: '+me.patron_id' };
  const answer = await session.call(
    { operation: 'GET /patrons', method: 'GET', path: '/patrons', query },
    options,
  );
  return parseRows(session, answer, 1).length > 0;
}
