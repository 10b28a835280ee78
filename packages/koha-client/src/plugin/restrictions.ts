import * as z from 'zod';
import { parseJsonBody, parseRefusal } from '../errors/answer-body.ts';
import { boundedList } from '../transport/bounded-list.ts';
import { badAnswer } from '../errors/failure-of.ts';
import type { CallOptions, Session } from '../transport/session.ts';

/** `home`: a copy whose patron is restricted at home. `owed`: a home record whose patron has debts at a lending library. */
export type RestrictionKind = 'home' | 'owed';

/** A restriction that the plugin set: one for each patron, kind and other library. */
export interface KohaRestriction {
  readonly patronId: number;
  readonly kind: RestrictionKind;
  /** Id of the other library. */
  readonly library: string;
}

/** `gone`: no such patron. `anonymized`: nothing is written there any more. */
export type RestrictionResult = 'done' | 'gone' | 'anonymized';

const ROWS_A_PAGE = 200;
/** More than this no home has restricted by agreement; a Koha that says so is not believed. */
const MOST_PAGES = 100;

const rowSchema = z.object({
  id: z.number().int().positive(),
  patron_id: z.number().int().positive(),
  // Null, or anything, where staff changed the comment.
  library: z.string().max(64).nullable().catch(null),
});
const pageSchema = z.object({ restrictions: boundedList(rowSchema, ROWS_A_PAGE) });

/** Restricts a patron until the day before `until`, or without an end. Safe to repeat. Throws KohaError. */
export async function setRestriction(
  session: Session,
  restriction: KohaRestriction,
  until: string | null,
  options?: CallOptions,
): Promise<RestrictionResult> {
  const operation = 'PUT /contrib/passport/restrictions/{kind}/{library}/{patron_id}';
  const path = pathOf(restriction);
  const answer = await session.call({ operation, method: 'PUT', path, json: { until } }, options);
  return resultOf(session, answer);
}

/** Lifts this restriction if it is there, and no other. Throws KohaError. */
export async function liftRestriction(
  session: Session,
  restriction: KohaRestriction,
  options?: CallOptions,
): Promise<RestrictionResult> {
  const operation = 'DELETE /contrib/passport/restrictions/{kind}/{library}/{patron_id}';
  const path = pathOf(restriction);
  const answer = await session.call({ operation, method: 'DELETE', path }, options);
  return resultOf(session, answer);
}

/**
 * Lists the restrictions of this kind, all pages, each under its own deadline. Null where the Koha has no plugin that can say.
 * Throws KohaError.
 */
export async function listRestrictions(
  session: Session,
  kind: RestrictionKind,
  options?: CallOptions,
): Promise<readonly KohaRestriction[] | null> {
  const operation = 'GET /contrib/passport/restrictions/{kind}';
  const found: KohaRestriction[] = [];
  for (let after = 0, pages = 1; ; pages += 1) {
    const query = { after: String(after), limit: String(ROWS_A_PAGE) };
    const path = `/contrib/passport/restrictions/${kind}`;
    const answer = await session.call({ operation, method: 'GET', path, query }, options);
    if (answer.status === 404 && parseRefusal(answer) !== null) return null;
    if (answer.status !== 200) throw session.failure(answer);
    const rows = pageSchema.safeParse(parseJsonBody(answer)).data?.restrictions;
    let last = after;
    const isInOrder = rows?.every(({ id }) => id > last && (last = id));
    if (rows === undefined || isInOrder !== true || pages > MOST_PAGES) {
      throw badAnswer(session.library, answer);
    }
    for (const { patron_id: patronId, library } of rows) {
      if (library !== null) found.push({ patronId, kind, library });
    }
    if (rows.length < ROWS_A_PAGE) return found;
    after = last;
  }
}

const pathOf = ({ kind, library, patronId }: KohaRestriction): string =>
  `/contrib/passport/restrictions/${kind}/${encodeURIComponent(library)}/${patronId}`;

type Answer = Awaited<ReturnType<Session['call']>>;

function resultOf(session: Session, answer: Answer): RestrictionResult {
  if (answer.status === 204) return 'done';
  const code = parseRefusal(answer)?.errorCode;
  if (answer.status === 404 && code === 'not_found') return 'gone';
  if (answer.status === 409 && code === 'anonymized') return 'anonymized';
  throw session.failure(answer);
}
