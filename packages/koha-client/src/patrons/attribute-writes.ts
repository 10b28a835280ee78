import * as z from 'zod';
import { parseJsonBody, parseRefusal } from '../errors/answer-body.ts';
import { badAnswer } from '../errors/failure-of.ts';
import type { CallOptions, Session } from '../transport/session.ts';

export type AttributeAddition =
  | { readonly kind: 'added' }
  /** The patron is not there any more. */
  | { readonly kind: 'gone' }
  /** Another patron has this value of a unique type, or this patron has one of a type that takes no second. */
  | { readonly kind: 'taken' }
  /** Koha has no such attribute type. */
  | { readonly kind: 'no_such_type' };

const addedSchema = z.object({ extended_attribute_id: z.number().int() });

/** Adds one attribute to a patron (`Koha/REST/V1/Patrons/Attributes.pm`, `add`). Throws KohaError. */
export async function addAttribute(
  session: Session,
  patronId: number,
  attribute: { readonly type: string; readonly value: string },
  options?: CallOptions,
): Promise<AttributeAddition> {
  const operation = 'POST /patrons/{patron_id}/extended_attributes';
  const path = `/patrons/${patronId}/extended_attributes`;
  const { type, value } = attribute;
  const answer = await session.call({ operation, method: 'POST', path, json: { type, value } }, options);
  if (answer.status === 201) {
    if (addedSchema.safeParse(parseJsonBody(answer)).success) return { kind: 'added' };
    throw badAnswer(session.library, answer);
  }
  const said = parseRefusal(answer)?.error ?? '';
  if (answer.status === 404 && said !== '') return { kind: 'gone' };
  if (answer.status === 409 && said !== '') return { kind: 'taken' };
  if (answer.status === 400 && said.startsWith('Tried to use an invalid attribute type')) {
    return { kind: 'no_such_type' };
  }
  throw session.failure(answer);
}

/** Removes one attribute of a patron; false when the patron, or the attribute, is not there any more. Throws KohaError. */
export async function removeAttribute(
  session: Session,
  at: { readonly patronId: number; readonly attributeId: number },
  options?: CallOptions,
): Promise<boolean> {
  const operation = 'DELETE /patrons/{patron_id}/extended_attributes/{extended_attribute_id}';
  const path = `/patrons/${at.patronId}/extended_attributes/${at.attributeId}`;
  const answer = await session.call({ operation, method: 'DELETE', path }, options);
  if (answer.status === 204) return true;
  if (answer.status === 404 && (parseRefusal(answer)?.error ?? '') !== '') return false;
  throw session.failure(answer);
}
