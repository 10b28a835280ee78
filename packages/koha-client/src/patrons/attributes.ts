import * as z from 'zod';
import { bodyOf } from '../errors/failure-of.ts';
import { parseRefusal } from '../errors/refusal.ts';
import type { CallOptions, Session } from '../transport/session.ts';
import type { Answer } from '../answers/read-answer.ts';

/** One attribute of one patron, by Koha's numbers. */
interface AttributePlace {
  readonly patronId: number;
  readonly attributeId: number;
}

const placesOf = (at: AttributePlace) => ({
  patron_id: at.patronId,
  extended_attribute_id: at.attributeId,
});
/** What Koha says of its own refusal; '' when it is none of Koha's. */
const sentenceOf = (answer: Answer): string => parseRefusal(answer)?.error ?? '';

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
  const { type, value } = attribute;
  const places = { patron_id: patronId };
  const answer = await session.call({ operation, places, json: { type, value } }, options);
  if (answer.status === 201) {
    bodyOf(session.library, answer, addedSchema);
    return { kind: 'added' };
  }
  const text = sentenceOf(answer);
  if (answer.status === 404 && text !== '') return { kind: 'gone' };
  if (answer.status === 409 && text !== '') return { kind: 'taken' };
  if (answer.status === 400 && text.startsWith('Tried to use an invalid attribute type')) {
    return { kind: 'no_such_type' };
  }
  throw session.failure(answer);
}

/** Removes one attribute of a patron; false when the patron, or the attribute, is not there any more. Throws KohaError. */
export async function removeAttribute(
  session: Session,
  at: AttributePlace,
  options?: CallOptions,
): Promise<boolean> {
  const operation = 'DELETE /patrons/{patron_id}/extended_attributes/{extended_attribute_id}';
  const answer = await session.call({ operation, places: placesOf(at) }, options);
  if (answer.status === 204) return true;
  if (answer.status === 404 && sentenceOf(answer) !== '') return false;
  throw session.failure(answer);
}

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
  at: AttributePlace,
  value: string,
  options?: CallOptions,
): Promise<AttributeChange> {
  const operation = 'PATCH /patrons/{patron_id}/extended_attributes/{extended_attribute_id}';
  const answer = await session.call({ operation, places: placesOf(at), json: { value } }, options);
  if (answer.status === 200) {
    bodyOf(session.library, answer, changedSchema);
    return { kind: 'changed' };
  }
  const text = sentenceOf(answer);
  if (answer.status === 404 && text !== '') return { kind: 'gone' };
  if (answer.status === 409 && text !== '') return { kind: 'taken' };
  throw session.failure(answer);
}

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
  const places = { patron_id: patronId };
  const json = [
    { type, value: 'x' },
    { type: NO_SUCH_TYPE, value: 'x' },
  ];
  const answer = await session.call({ operation, places, json }, options);
  if (answer.status !== 400) throw session.failure(answer);
  const error = sentenceOf(answer);
  if (error.includes(NO_SUCH_TYPE)) return true;
  return error.includes(`type=${type}`) ? false : null;
}
