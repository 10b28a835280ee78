import type { KohaRefusal } from './answer-body.ts';

/** What a person must mend before Koha takes this record. */
export type RefusedWhat =
  'category' | 'branch' | 'attribute_type' | 'mandatory_attribute' | 'permission' | 'other';

/** A refusal for a reason that only a person can mend. `name` is a code or a place in the body, never a patron's value. */
export interface Refused {
  readonly kind: 'refused';
  readonly what: RefusedWhat;
  readonly name: string | null;
}

/** The codes that were sent, to name the one Koha does not know. */
export interface SentCodes {
  readonly library_id: string;
  readonly category_id: string;
}

/**
 * What a 400 to `POST` or `PUT /patrons` means (API.md section 3). Koha's sentence is read by its beginning, because releases
 * before 24.11 give no `error_code`; only the attribute type is taken from it, since the rest can quote a patron's value.
 */
export function readWriteRefusal(
  refusal: KohaRefusal,
  sent: SentCodes,
):
  | Refused
  | { readonly kind: 'userid_taken' }
  | { readonly kind: 'attribute_not_unique'; type: string | null } {
  const { error, errorCode } = refusal;
  const type = attributeTypeIn(error);
  if (/^Problem with USERID/i.test(error)) return { kind: 'userid_taken' };
  if (error.startsWith('Given category_id does not exist')) return refused('category', sent.category_id);
  if (error.startsWith('Given library_id does not exist')) return refused('branch', sent.library_id);
  if (errorCode === 'attribute_not_unique' || /breaks a unique constraint/.test(error)) {
    return { kind: 'attribute_not_unique', type };
  }
  if (
    errorCode === 'missing_mandatory_attribute' ||
    error.startsWith('Missing mandatory extended attribute')
  ) {
    return refused('mandatory_attribute', type);
  }
  if (errorCode === 'invalid_attribute_type' || /use an invalid attribute type/.test(error)) {
    return refused('attribute_type', type);
  }
  if (errorCode === 'non_repeatable_attribute' || /non-repeatable attributes/.test(error)) {
    return refused('attribute_type', type);
  }
  return misfit(refusal, sent);
}

/** Builds a refusal. */
export function refused(what: RefusedWhat, name: string | null): Refused {
  return { kind: 'refused', what, name };
}

function misfit(refusal: KohaRefusal, sent: SentCodes): Refused {
  const path = refusal.misfits[0]?.path ?? '';
  if (path === '/body/category_id') return refused('category', sent.category_id);
  if (path === '/body/library_id') return refused('branch', sent.library_id);
  return refused('other', /^[\w/-]{1,80}$/.test(path) ? path : null);
}

function attributeTypeIn(error: string): string | null {
  return /type=([^\s)]{1,64})/.exec(error)?.[1] ?? null;
}
