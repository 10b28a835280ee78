import * as z from 'zod';
import { bodyOf, badAnswer, firstValue } from '../errors/failure-of.ts';
import { KohaError } from '../errors/koha-error.ts';
import { parseRefusal, type KohaRefusal } from '../errors/refusal.ts';
import type { Capabilities } from '../transport/capabilities.ts';
import { parseJsonBody } from '../answers/json-body.ts';
import type { CallOptions, Session } from '../transport/session.ts';
import type { Answer } from '../answers/read-answer.ts';
import { LONGEST_CARD } from './patron.ts';
import { buildSentBody, readWriteRefusal, refused, type Refused, type SentBody } from './write-refusal.ts';

/** The body of `PUT /patrons/{id}`: Koha demands these three and leaves every key that is not sent as it is. */
export type PatronChange = SentBody & { readonly surname: string | null };

/** The body of `POST /patrons`: Koha's own names; the caller answers for what is in it. */
export type PatronBody = PatronChange & { readonly cardnumber: string };

export type CreateResult =
  /** `hidden`: Koha stored the patron but does not show it to this API user (`Koha/Patron.pm`, `is_accessible`). */
  | {
      readonly kind: 'created';
      readonly patronId: number;
      /** The card as Koha stored it, which a plugin of its may have rewritten; null where the answer does not show it. */
      readonly cardnumber: string | null;
      /** The privacy that Koha has given it, whatever was sent; null where the answer does not show it. */
      readonly privacy: number | null;
      readonly hidden: boolean;
    }
  | { readonly kind: 'card_taken' }
  | { readonly kind: 'possible_duplicate' }
  | { readonly kind: 'userid_taken' }
  | { readonly kind: 'attribute_not_unique'; readonly type: string | null }
  | Refused;

export type ChangeResult =
  | {
      readonly kind: 'changed';
      /** The card as Koha has it now, which a plugin of its may have rewritten; null where the answer does not show it. */
      readonly cardnumber: string | null;
    }
  | { readonly kind: 'card_taken' }
  | { readonly kind: 'gone' }
  | Refused;

/** The card in Koha's answer to a write; null where the answer does not show it, or shows what no card can be. */
const storedCardSchema = z
  .string()
  .max(2 * LONGEST_CARD)
  .nullable()
  .catch(null);

const createdSchema = z.object({
  patron_id: z.number().int().positive().nullable().catch(null),
  cardnumber: storedCardSchema,
  privacy: z.number().int().nullable().optional().catch(null),
});

/**
 * Sends one `POST /patrons` as a branch; requests no mail to the patron or to the staff, and confirms a possible duplicate when required, wherever the server
 * takes such wishes. Throws KohaError, `record_refused` when Koha itself could not store this record.
 */
export async function createPatron(
  session: Session,
  body: PatronBody,
  how: { readonly branch: string; readonly confirmNotDuplicate: boolean },
  options?: CallOptions,
): Promise<CreateResult> {
  const operation = 'POST /patrons';
  const capabilities = await session.capabilities.get(options);
  const headers = wishes(capabilities, how.confirmNotDuplicate);
  return orRefusedBranch(async () => {
    const { branch } = how;
    const answer = await session.call({ operation, headers, branch, json: buildSentBody(body) }, options);
    const result = readCreateAnswer(session, answer, body);
    if (result.kind === 'refused' && result.what === 'other') session.capabilities.forget();
    return result;
  });
}

/** Koha's refusal of the acting branch is a result of a write like others. */
async function orRefusedBranch<T>(write: () => Promise<T>): Promise<T | Refused> {
  try {
    return await write();
  } catch (error) {
    if (error instanceof KohaError && error.branch !== null) return refused('branch', error.branch);
    throw error;
  }
}

/** The list goes without blanks: Koha splits it at the comma and takes what it finds as it is. */
function wishes(capabilities: Capabilities, confirmNotDuplicate: boolean): Record<string, string> {
  const overrides = [
    ...(capabilities.welcomeNo ? ['welcome_no'] : []),
    ...(capabilities.opacRegNo ? ['opac_reg_no'] : []),
  ];
  return {
    ...(overrides.length > 0 ? { 'x-koha-override': overrides.join(',') } : {}),
    ...(confirmNotDuplicate && capabilities.confirmNotDuplicate ? { 'x-confirm-not-duplicate': '1' } : {}),
  };
}

function readCreateAnswer(session: Session, answer: Answer, body: PatronBody): CreateResult {
  if (answer.status === 201) return readCreated(session, answer);
  const refusal = parseRefusal(answer);
  if (answer.status === 409 && refusal !== null) return readConflict(refusal);
  if (answer.status === 400 && refusal !== null) return readWriteRefusal(refusal, body);
  if (answer.status === 500 && refusal?.errorCode === 'internal_server_error') {
    // Nearly always one record Koha cannot store (a database error), rolled back. It can also come from a step after the
    // commit, so the effect is unknown and the caller looks before it tries again.
    const { library } = session;
    const { operation, status } = answer;
    throw new KohaError({ code: 'record_refused', library, operation, status, effect: 'unknown' });
  }
  throw session.failure(answer);
}

function readCreated(session: Session, answer: Answer): CreateResult {
  const read = createdSchema.safeParse(parseJsonBody(answer));
  const shown = read.data?.patron_id ?? null;
  const located = /\/patrons\/(\d{1,15})$/.exec(firstValue(answer.headers['location']) ?? '')?.[1];
  const patronId = shown ?? (located === undefined ? null : Number(located));
  if (patronId === null) throw badAnswer(session.library, answer);
  // A body that was cut off on its way hides nothing: Location has the id.
  const cardnumber = read.data?.cardnumber ?? null;
  const privacy = read.data?.privacy ?? null;
  return { kind: 'created', patronId, cardnumber, privacy, hidden: read.success && shown === null };
}

/** `conflict` is the database's index name, with or without its table. Without it Koha means a possible duplicate (25.11 on). */
function readConflict(refusal: KohaRefusal): CreateResult {
  const { conflict, error } = refusal;
  if (conflict === null)
    return { kind: error.startsWith('Duplicate ID') ? 'card_taken' : 'possible_duplicate' };
  if (conflict.endsWith('userid')) return { kind: 'userid_taken' };
  if (conflict.endsWith('cardnumber')) return { kind: 'card_taken' };
  return refused('other', 'conflict');
}

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
  return orRefusedBranch(async () => {
    const { branch } = how;
    const json = buildSentBody(body);
    const places = { patron_id: patronId };
    return readChangeAnswer(session, await session.call({ operation, places, branch, json }, options), body);
  });
}

function readChangeAnswer(session: Session, answer: Answer, body: PatronChange): ChangeResult {
  // 204: Koha saw that nothing would change. A 200 shows the patron; a page of some proxy says nothing.
  if (answer.status === 204) return { kind: 'changed', cardnumber: null };
  if (answer.status === 200) {
    return { kind: 'changed', cardnumber: bodyOf(session.library, answer, shownSchema).cardnumber };
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
