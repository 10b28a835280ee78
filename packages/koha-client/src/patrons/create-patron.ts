import * as z from 'zod';
import { parseJsonBody, parseRefusal, type KohaRefusal } from '../errors/answer-body.ts';
import { branchHeader } from '../transport/branch-header.ts';
import type { Capabilities } from '../setup/capabilities.ts';
import { badAnswer, firstValue } from '../errors/failure-of.ts';
import { KohaError } from '../errors/koha-error.ts';
import type { CallOptions, Session } from '../transport/session.ts';
import type { Answer } from '../transport/transport.ts';
import { storedCardSchema } from './stored-card.ts';
import { buildSentBody } from './sent-body.ts';
import { readWriteRefusal, refused, type Refused } from './write-refusal.ts';

/** The body of `POST /patrons`: Koha's own names; the caller answers for what is in it. */
export type PatronBody = Readonly<Record<string, unknown>> & {
  readonly surname: string | null;
  readonly library_id: string;
  readonly category_id: string;
  readonly cardnumber: string;
};

export type CreateResult =
  /** `hidden`: Koha stored the patron but does not show it to this API user (`Koha/Patron.pm`, `is_accessible`). */
  | {
      readonly kind: 'created';
      readonly patronId: number;
      /** The card as Koha stored it, which a plugin of its may have rewritten; null where the answer does not show it. */
      readonly cardnumber: string | null;
      readonly hidden: boolean;
    }
  | { readonly kind: 'card_taken' }
  | { readonly kind: 'possible_duplicate' }
  | { readonly kind: 'userid_taken' }
  | { readonly kind: 'attribute_not_unique'; readonly type: string | null }
  | Refused;

const createdSchema = z.object({
  patron_id: z.number().int().positive().nullable().catch(null),
  cardnumber: storedCardSchema,
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
  try {
    const headers = {
      ...branchHeader(session.library, operation, how.branch),
      ...wishes(capabilities, how.confirmNotDuplicate),
    };
    const answer = await session.call(
      { operation, method: 'POST', path: '/patrons', headers, json: buildSentBody(body) },
      options,
    );
    const result = readCreateAnswer(session, answer, body);
    if (result.kind === 'refused' && result.what === 'other') session.capabilities.forget();
    return result;
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
    throw new KohaError({
      code: 'record_refused',
      library,
      operation: answer.operation,
      status: 500,
      effect: 'unknown',
    });
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
  return { kind: 'created', patronId, cardnumber, hidden: read.success && shown === null };
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
