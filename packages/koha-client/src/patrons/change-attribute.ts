import * as z from 'zod';
import { parseJsonBody, parseRefusal } from '../errors/answer-body.ts';
import { badAnswer } from '../errors/failure-of.ts';
import type { CallOptions, Session } from '../transport/session.ts';

export type AttributeChange =
  | { readonly kind: 'changed' }
  /** The patron, or this attribute of it, is not there any more. */
  | { readonly kind: 'gone' }
  /** Another patron has this value of a unique type. */
  | { readonly kind: 'taken' };

const changedSchema = z.object({ value: z.string().nullable() });

/**
 * Gives one attribute of a patron another value and leaves all others alone (`Koha/REST/V1/Patrons/Attributes.pm`, `update`).
 * Throws KohaError.
 */
export async function changeAttribute(
  session: Session,
  at: { readonly patronId: number; readonly attributeId: number },
  value: string,
  options?: CallOptions,
): Promise<AttributeChange> {
  const operation = 'PATCH /patrons/{patron_id}/extended_attributes/{extended_attribute_id}';
  const path = `/patrons/${at.patronId}/extended_attributes/${at.attributeId}`;
  const answer = await session.call({ operation, method: 'PATCH', path, json: { value } }, options);
  if (answer.status === 200) {
    if (changedSchema.safeParse(parseJsonBody(answer)).success) return { kind: 'changed' };
    throw badAnswer(session.library, answer);
  }
  const said = parseRefusal(answer)?.error ?? '';
  if (answer.status === 404 && said !== '') return { kind: 'gone' };
  if (answer.status === 409 && said !== '') return { kind: 'taken' };
  throw session.failure(answer);
}
