import { parseRefusal } from './answer-body.ts';
import type { CallOptions, Session } from './session.ts';

/** Why Koha keeps a patron. */
export type KeptBecause =
  'has_checkouts' | 'has_debt' | 'has_guarantees' | 'is_anonymous_patron' | 'is_protected' | 'other';

export type DeleteResult =
  | { readonly kind: 'deleted' }
  | { readonly kind: 'gone' }
  | { readonly kind: 'kept'; readonly because: KeptBecause };

const REASONS: readonly KeptBecause[] = [
  'has_checkouts',
  'has_debt',
  'has_guarantees',
  'is_anonymous_patron',
  'is_protected',
];

/** Deletes a patron; Koha cancels their holds without asking, so look for holds first. Throws KohaError. */
export async function deletePatron(
  session: Session,
  patronId: number,
  options?: CallOptions,
): Promise<DeleteResult> {
  const answer = await session.call(
    { operation: 'DELETE /patrons/{patron_id}', method: 'DELETE', path: `/patrons/${patronId}` },
    options,
  );
  if (answer.status === 204) return { kind: 'deleted' };
  const refusal = parseRefusal(answer);
  if (answer.status === 404 && refusal !== null && refusal.error !== '') return { kind: 'gone' };
  if (answer.status === 409) {
    return {
      kind: 'kept',
      because: REASONS.find((reason) => reason === refusal?.errorCode) ?? 'other',
    };
  }
  throw session.failure(answer);
}
