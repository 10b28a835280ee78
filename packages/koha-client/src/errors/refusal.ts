import * as z from 'zod';
import { PATRON_FIELDS } from '@passport/contract';
import { parseJsonBody } from '../answers/json-body.ts';
import type { RawAnswer } from '../answers/read-answer.ts';

/**
 * Koha's error bodies, folded into one shape. All texts are Koha's, cut short; they may quote what was sent, or say whatever a
 * stranger likes, so they are compared with what is known and never passed on.
 */
export interface KohaRefusal {
  /** The application's sentence, '' when the body has none. */
  readonly error: string;
  readonly errorCode: string | null;
  /** The name of the database's unique index, only with a card or login that is taken. */
  readonly conflict: string | null;
  /** Complaints of the request validator: where, and what it says. Not empty only when the request did not fit. */
  readonly misfits: readonly { path: string; message: string }[];
  readonly requiredPermissions: unknown;
}

/** Longer than any sentence of Koha's; what it quotes (an attribute's value) comes at its end. */
const MAX_SENTENCE = 2_000;
const MAX_MISFITS = 20;

const short = z.string().transform((text) => text.slice(0, MAX_SENTENCE));
const firstOf = <T>(misfit: z.ZodType<T>) =>
  z.preprocess((list) => (Array.isArray(list) ? list.slice(0, MAX_MISFITS) : list), z.array(misfit));
const firstMisfits = firstOf(z.object({ path: short, message: short.catch('') }));
const withMisfits = z.object({ errors: firstMisfits });
/** Of a status that no route describes the validator says no path. */
const withUndescribed = z.object({
  errors: firstOf(
    z
      .object({ message: short.refine((text) => text.startsWith('No response rule for ')) })
      .transform(({ message }) => ({ path: '', message })),
  ),
});
const withError = z.object({
  // The number 1 stands where Koha's query plugin meant a sentence (`invalid_query`).
  error: z.union([short, z.number().transform(String)]),
  error_code: short.nullable().catch(null),
  conflict: short.nullable().catch(null),
  required_permissions: z.unknown().optional(),
});

/**
 * Reads any of the five shapes an error body of Koha can have: validator's list under `errors`, a bare list, a bare string,
 * an application error, or nothing that can be read. Null means that this body is none of Koha's: a page of a proxy, a portal or
 * another program, which passes by itself.
 */
export function parseRefusal(answer: Pick<RawAnswer, 'status' | 'body'>): KohaRefusal | null {
  const json = parseJsonBody(answer);
  const empty = { error: '', errorCode: null, conflict: null, misfits: [], requiredPermissions: null };
  if (typeof json === 'string') return json === '' ? null : { ...empty, error: json.slice(0, MAX_SENTENCE) };
  if (Array.isArray(json)) {
    const list = firstMisfits.safeParse(json);
    return list.success && list.data.length > 0 ? { ...empty, misfits: list.data } : null;
  }
  const complaint = withError.safeParse(json);
  if (complaint.success) {
    const { error, error_code: errorCode, conflict, required_permissions: required } = complaint.data;
    return { ...empty, error, errorCode, conflict, requiredPermissions: required ?? null };
  }
  const misfit = (answer.status === 501 ? withUndescribed : withMisfits).safeParse(json);
  return misfit.success ? { ...empty, misfits: misfit.data.errors } : null;
}

/** What else of Koha's objects can be in the way: dates that are none come from imports. */
const OTHERS = `patron_id cardnumber userid expiry_date incorrect_address patron_card_lost item_id library_id category_id checkout_id extended_attributes extended_attribute_id type value anonymized restricted
  expired updated_on last_seen date_enrolled date_renewed acquisition_date replacement_price_date last_checkout_date last_seen_date damaged_date
  lost_date withdrawn_date checked_out_date timestamp due_date checkout_date checkin_date last_renewed_date note_date`;

const FIELDS: ReadonlySet<string> = new Set([
  ...PATRON_FIELDS.map(({ name }) => name),
  ...OTHERS.split(/\s+/),
]);

/** A place in the body of an answer, made of nothing but numbers and names of Koha's own fields: it says nothing of the record. */
export const isRecordPlace = (path: string): boolean =>
  path.startsWith('/body/') && segmentsOf(path).every((name) => /^\d{1,4}$/.test(name) || FIELDS.has(name));

/**
 * Whether Koha has built an answer that its own description does not allow (`Mojolicious/Plugin/OpenAPI.pm`, `_render`): a value of
 * one record is the reason, and the whole answer is lost for it.
 */
export function isUnreadable(status: number, refusal: KohaRefusal | null): boolean {
  const misfits = refusal?.misfits ?? [];
  return status === 500 && misfits.length > 0 && misfits.every(({ path }) => /^\/body(?:\/|$)/.test(path));
}

/** The field that such an answer names first; null where it is none that is known. */
export function fieldIn({ misfits }: KohaRefusal): string | null {
  const name = segmentsOf(misfits[0]?.path ?? '').at(-1) ?? '';
  return FIELDS.has(name) ? name : null;
}

const segmentsOf = (path: string): string[] => path.split('/').slice(2);
