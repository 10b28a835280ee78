import * as z from 'zod';
import { parseRefusal } from '../errors/refusal.ts';
import { bodyOf } from '../errors/failure-of.ts';
import { afterSent } from '../errors/quote-answer.ts';
import { boundedList } from '../answers/json-body.ts';
import { type CallOptions, type Session, readFromPlugin } from '../transport/session.ts';
import type { Answer } from '../answers/read-answer.ts';

/**
 * `home`: a copy whose patron is restricted at home. `standing`: a copy whose patron is not in good standing at home. `owed`: a home
 * record whose patron has debts at a lending library.
 */
export type RestrictionKind = 'home' | 'standing' | 'owed';

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
/** All of them take no longer than so many calls may that are slow. */
const LONGEST_IN_CALLS = 10;

const rowSchema = z.object({
  id: z.number().int().positive(),
  patron_id: z.number().int().positive(),
  // Null, or anything, where staff changed the comment.
  library: z.string().max(64).nullable().catch(null),
});
const pageSchema = z.object({ restrictions: boundedList(rowSchema, ROWS_A_PAGE) });

/**
 * Restricts a patron until the day before `until`, or without an end; `codes`, and for the kind `home` what was noted there (`comment`), are
 * named in its comment. A plugin that is too old for them restricts without. Safe to repeat: what is there becomes as it is wanted.
 * Throws KohaError.
 */
export async function setRestriction(
  session: Session,
  restriction: KohaRestriction,
  until: string | null,
  options: CallOptions & { readonly codes?: readonly string[]; readonly comment?: string | null } = {},
): Promise<RestrictionResult> {
  const operation = 'PUT /contrib/passport/restrictions/{kind}/{library}/{patron_id}';
  const places = placesOf(restriction);
  const { codes, comment = null, ...limits } = options;
  const named = { ...(codes === undefined ? {} : { codes }), ...(comment === null ? {} : { comment }) };
  const put = (body: object) => session.call({ operation, places, json: body }, limits);
  const answer = await put({ until, ...named });
  // No restriction at all would be worse than one that names nothing.
  const isTooOld = answer.status === 400 && Object.keys(named).length > 0;
  return resultOf(session, isTooOld ? await afterSent(() => put({ until })) : answer);
}

/** The types that each Koha has (`installer/data/mysql/en/mandatory/patron_restriction_types.yml`); what another type is called is its library's own word. */
const RESTRICTION_TYPES = ['MANUAL', 'OVERDUES', 'SUSPENSION', 'DISCHARGE'] as const;

/** A restriction of a patron, as their own Koha has it. */
export interface PatronRestriction {
  /** A type that each Koha has; any other is `MANUAL`, which Koha itself makes of one whose type was deleted (`Koha/Patron/Restriction/Type.pm`, `delete`). */
  readonly type: (typeof RESTRICTION_TYPES)[number];
  /** It is over with this day (`YYYY-MM-DD`); null: it has no end. */
  readonly until: string | null;
  /** What staff have noted, as it is there; null: nothing, or it was not asked for. */
  readonly comment: string | null;
}

const MOST_OF_PATRON = 100;
const ofPatronSchema = z.object({
  restrictions: boundedList(
    z.object({
      type: z.enum(RESTRICTION_TYPES).catch('MANUAL'),
      until: z.iso.date().nullable(),
      comment: z.string().max(1_000).nullable().default(null),
    }),
    MOST_OF_PATRON,
  ),
});

/**
 * Reads the restrictions of a patron that are in force, with their comments only where those are wanted. Null where the Koha has no plugin
 * that can say, or one that does not serve the service's user. Throws KohaError.
 */
export async function readPatronRestrictions(
  session: Session,
  patronId: number,
  { comments, ...options }: CallOptions & { readonly comments: boolean },
): Promise<readonly PatronRestriction[] | null> {
  const operation = 'GET /contrib/passport/patrons/{patron_id}/restrictions';
  const query: Record<string, string> = comments ? { comments: 'true' } : {};
  const request = { operation, places: { patron_id: patronId }, query } as const;
  const answer = await session.call(request, options);
  // A home library may have set the plugin up for its own desks only.
  if ((answer.status === 404 || answer.status === 403) && parseRefusal(answer) !== null) return null;
  if (answer.status !== 200) throw session.failure(answer);
  return bodyOf(session.library, answer, ofPatronSchema).restrictions;
}

/** Lifts this restriction if it is there, and no other. Throws KohaError. */
export async function liftRestriction(
  session: Session,
  restriction: KohaRestriction,
  options?: CallOptions,
): Promise<RestrictionResult> {
  const operation = 'DELETE /contrib/passport/restrictions/{kind}/{library}/{patron_id}';
  return resultOf(session, await session.call({ operation, places: placesOf(restriction) }, options));
}

/**
 * Lists the restrictions of this kind, all pages under one deadline. Null where the Koha has no plugin that can say.
 * Throws KohaError.
 */
export async function listRestrictions(
  session: Session,
  kind: RestrictionKind,
  options?: CallOptions,
): Promise<readonly KohaRestriction[] | null> {
  const operation = 'GET /contrib/passport/restrictions/{kind}';
  const deadline = performance.now() + LONGEST_IN_CALLS * session.patienceMs(options ?? {});
  const limits = { deadline, ...options };
  const found: KohaRestriction[] = [];
  for (let after = 0, pages = 1; ; pages += 1) {
    const query = { after: String(after), limit: String(ROWS_A_PAGE) };
    let last = after;
    const inOrder = pageSchema.refine(
      (page) => pages <= MOST_PAGES && page.restrictions.every(({ id }) => id > last && (last = id)),
    );
    const page = await readFromPlugin(session, { operation, places: { kind }, query }, inOrder, limits);
    if (page === null) return null;
    for (const { patron_id: patronId, library } of page.restrictions) {
      if (library !== null) found.push({ patronId, kind, library });
    }
    if (page.restrictions.length < ROWS_A_PAGE) return found;
    after = last;
  }
}

/**
 * Whether a restriction of this kind could be set: the same user with the same permission lists them. False where the Koha has no plugin that
 * could. Throws KohaError, also where the plugin does not serve this user.
 */
export async function takesRestrictions(
  session: Session,
  kind: RestrictionKind,
  options?: CallOptions,
): Promise<boolean> {
  const operation = 'GET /contrib/passport/restrictions/{kind}';
  const request = { operation, places: { kind }, query: { limit: '1' } } as const;
  return (await readFromPlugin(session, request, pageSchema, options)) !== null;
}

const placesOf = ({ kind, library, patronId }: KohaRestriction) => ({ kind, library, patron_id: patronId });

function resultOf(session: Session, answer: Answer): RestrictionResult {
  if (answer.status === 204) return 'done';
  const code = parseRefusal(answer)?.errorCode;
  if (answer.status === 404 && code === 'not_found') return 'gone';
  if (answer.status === 409 && code === 'anonymized') return 'anonymized';
  throw session.failure(answer);
}
