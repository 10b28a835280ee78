import { parseRefusal } from '../errors/answer-body.ts';
import type { CallOptions, Session } from '../transport/session.ts';

/** Longer than Koha's column for type codes, so no server can have it. */
const NO_SUCH_TYPE = `__no_such_type__${'_'.repeat(64)}`;

/**
 * Whether an attribute type exists, by a request that is refused in every case and so never changes anything: Koha checks the
 * types in order, and the second one cannot exist (`Koha/REST/V1/Patrons/Attributes.pm`, `overwrite`; `Koha/Patron.pm`,
 * `extended_attributes`, in one transaction). Null when the answer names neither. Needs any patron's id and
 * `borrowers: edit_borrowers`. Throws KohaError.
 */
export async function probeAttributeTypeByRefusal(
  session: Session,
  patronId: number,
  type: string,
  options?: CallOptions,
): Promise<boolean | null> {
  const operation = 'PUT /patrons/{patron_id}/extended_attributes';
  const path = `/patrons/${patronId}/extended_attributes`;
  const json = [
    { type, value: 'x' },
    { type: NO_SUCH_TYPE, value: 'x' },
  ];
  const answer = await session.call({ operation, method: 'PUT', path, json }, options);
  if (answer.status !== 400) throw session.failure(answer);
  const error = parseRefusal(answer)?.error ?? '';
  if (error.includes(NO_SUCH_TYPE)) return true;
  return error.includes(`type=${type}`) ? false : null;
}
