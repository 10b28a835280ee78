import * as z from 'zod';
import { parseJsonBody, parseRefusal } from '../errors/answer-body.ts';
import { branchHeader } from '../transport/branch-header.ts';
import { badAnswer } from '../errors/failure-of.ts';
import { KohaError } from '../errors/koha-error.ts';
import type { CallOptions, Session } from '../transport/session.ts';
import type { Answer } from '../transport/transport.ts';
import { storedCardSchema } from './stored-card.ts';
import { buildSentBody } from './sent-body.ts';
import { readWriteRefusal, refused, type Refused } from './write-refusal.ts';

/** The body of `PUT /patrons/{id}`: Koha demands these three and leaves every key that is not sent as it is. */
export type PatronChange = Readonly<Record<string, unknown>> & {
  readonly surname: string | null;
  readonly library_id: string;
  readonly category_id: string;
};

export type ChangeResult =
  | {
      readonly kind: 'changed';
      /** The card as Koha has it now, which a plugin of its may have rewritten; null where the answer does not show it. */
      readonly cardnumber: string | null;
    }
  | { readonly kind: 'card_taken' }
  | { readonly kind: 'gone' }
  | Refused;

/** Koha's own object; its values are null where the patron is hidden from this API user. */
const shownSchema = z.object({ patron_id: z.number().int().nullable(), cardnumber: storedCardSchema });

/**
 * Changes the named keys of a patron. Koha knows no conditional write: read the record right before. `extended_attributes`, if
 * sent, replaces the whole set. Throws KohaError.
 */
export async function changePatron(
  session: Session,
  patronId: number,
  body: PatronChange,
  how: { readonly branch: string },
  options?: CallOptions,
): Promise<ChangeResult> {
  const operation = 'PUT /patrons/{patron_id}';
  if ('patron_id' in body) throw new TypeError('patron_id must not be sent: Koha would write it to the key');
  try {
    const headers = branchHeader(session.library, operation, how.branch);
    const path = `/patrons/${patronId}`;
    const answer = await session.call(
      { operation, method: 'PUT', path, headers, json: buildSentBody(body) },
      options,
    );
    return readChangeAnswer(session, answer, body);
  } catch (error) {
    if (error instanceof KohaError && error.branch !== null) return refused('branch', error.branch);
    throw error;
  }
}

function readChangeAnswer(session: Session, answer: Answer, body: PatronChange): ChangeResult {
  // 204: Koha saw that nothing would change. A 200 shows the patron; a page of some proxy says nothing.
  if (answer.status === 204) return { kind: 'changed', cardnumber: null };
  if (answer.status === 200) {
    const shown = shownSchema.safeParse(parseJsonBody(answer));
    if (shown.success) return { kind: 'changed', cardnumber: shown.data.cardnumber };
    throw badAnswer(session.library, answer);
  }
  const refusal = parseRefusal(answer);
  if (refusal === null) throw session.failure(answer);
  if (answer.status === 404 && refusal.error !== '') return { kind: 'gone' };
  if (answer.status === 403 && refusal.error.startsWith('Not enough privileges')) {
    return refused('permission', 'superlibrarian');
  }
  if (answer.status === 409) {
    const ofCard = refusal.conflict === null || refusal.conflict.endsWith('cardnumber');
    return ofCard ? { kind: 'card_taken' } : refused('other', null);
  }
  if (answer.status === 400) {
    const reason = readWriteRefusal(refusal, body);
    if (reason.kind === 'refused') return reason;
    return refused('other', reason.kind === 'userid_taken' ? 'userid' : reason.type);
  }
  throw session.failure(answer);
}
