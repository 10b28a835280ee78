import * as z from 'zod';
import { parseJsonBody } from '../errors/answer-body.ts';
import { badAnswer } from '../errors/failure-of.ts';
import { KohaError } from '../errors/koha-error.ts';
import type { KohaOperation } from '../transport/effect-of.ts';
import { SET_UP_PAGES, listRows } from '../transport/list-rows.ts';
import { isCode, ruleValueSchema } from './koha-codes.ts';
import type { CallOptions, Session } from '../transport/session.ts';

/** A branch of this Koha; Koha's API calls its code `library_id`. */
export interface KohaBranch {
  readonly branch: string;
}

/** A patron category, as far as a copy is concerned. */
export interface KohaCategory {
  readonly category: string;
  /** A, C, P, I, S or X; X (statistical) cannot borrow. */
  readonly type: string | null;
  readonly enrolmentFee: number | null;
  /** Whether patrons of this category can need a guarantor, which the API cannot give. */
  readonly canBeGuarantee: boolean | null;
}

export type CirculationRules =
  | { readonly kind: 'rules'; readonly rules: Readonly<Record<string, string | null>> }
  /** Koha does not know the code that was looked up. */
  | { readonly kind: 'unknown'; readonly what: 'category' | 'branch' | 'item_type' };

// Names are left where they are: a code is what the set-up is about, and free text of a stranger is not passed on.
// What cannot be a code is nobody's branch or category, and is left out.
const branchSchema = z.object({ library_id: z.string() });
const categorySchema = z.object({
  patron_category_id: z.string(),
  category_type: z.enum(['A', 'C', 'P', 'I', 'S', 'X']).nullable().catch(null),
  enrolment_fee: z.coerce.number().nullable().catch(null),
  can_be_guarantee: z.boolean().nullable().catch(null),
});
const ruleValue = ruleValueSchema.nullable().catch(null);
/** A list of one; the first release with this route gave the object itself. */
const ruleSetSchema = z.record(z.string(), z.unknown());
const rulesSchema = z.union([z.tuple([ruleSetSchema]).transform(([rules]) => rules), ruleSetSchema]);
const UNKNOWN_PARAMETER = {
  '/query/patron_category_id': 'category',
  '/query/library_id': 'branch',
  '/query/item_type_id': 'item_type',
} as const;
const invalidParameterSchema = z.object({
  path: z.literal(['/query/patron_category_id', '/query/library_id', '/query/item_type_id']),
});

/** All branches (permission `catalogue: 1`). Throws KohaError. */
export async function branches(session: Session, options?: CallOptions): Promise<KohaBranch[]> {
  const operation = 'GET /libraries';
  const request = { operation, path: '/libraries', key: 'library_id', maxPages: SET_UP_PAGES } as const;
  const rows = await listRows(session, request, options);
  return rows
    .map((row) => ({ branch: parsed(session, operation, branchSchema, row).library_id }))
    .filter(({ branch }) => isCode(branch));
}

/**
 * The patron categories allowed for the acting branch (24.05 on; permission `parameters: manage_patron_categories`). Koha can
 * answer 500 when a category has an age limit, which does not fit its own description
 * (`api/v1/swagger/definitions/patron_category.yaml`: a boolean). Throws KohaError.
 */
export async function categories(session: Session, options?: CallOptions): Promise<KohaCategory[]> {
  const operation = 'GET /patron_categories';
  const key = 'patron_category_id';
  const request = { operation, path: '/patron_categories', key, maxPages: SET_UP_PAGES } as const;
  const rows = await listRows(session, request, options);
  return rows
    .map((row) => parsed(session, operation, categorySchema, row))
    .filter(({ patron_category_id: category }) => isCode(category))
    .map((row) => ({
      category: row.patron_category_id,
      type: row.category_type,
      enrolmentFee: row.enrolment_fee,
      canBeGuarantee: row.can_be_guarantee,
    }));
}

/**
 * The lending rules in force for a patron category at a branch (24.11 on), any item type; also the way to find out whether a code is
 * known at all without the permission for categories. Throws KohaError.
 */
export async function circulationRules(
  session: Session,
  at: { readonly category: string; readonly branch: string; readonly rules: readonly string[] },
  options?: CallOptions,
): Promise<CirculationRules> {
  const operation = 'GET /circulation_rules';
  const query = {
    patron_category_id: at.category,
    library_id: at.branch,
    rules: at.rules.join(','),
  };
  const answer = await session.call({ operation, method: 'GET', path: '/circulation_rules', query }, options);
  const json = parseJsonBody(answer);
  if (answer.status === 400) {
    const unknown = invalidParameterSchema.safeParse(json);
    if (unknown.success) return { kind: 'unknown', what: UNKNOWN_PARAMETER[unknown.data.path] };
  }
  if (answer.status !== 200) throw session.failure(answer);
  const rules = rulesSchema.safeParse(json);
  if (!rules.success) throw badAnswer(session.library, answer);
  return {
    kind: 'rules',
    rules: Object.fromEntries(at.rules.map((rule) => [rule, ruleValue.parse(rules.data[rule])])),
  };
}

function parsed<T>(session: Session, operation: KohaOperation, schema: z.ZodType<T>, json: unknown): T {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const { library } = session;
  throw new KohaError({ code: 'bad_answer', library, operation, status: 200, effect: 'none' });
}
