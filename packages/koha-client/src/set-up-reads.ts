import { z } from 'zod';
import { parseJsonBody } from './answer-body.ts';
import { badAnswer } from './failure-of.ts';
import { KohaError } from './koha-error.ts';
import type { KohaOperation } from './koha-error.ts';
import { listRows } from './list-rows.ts';
import type { CallOptions, Session } from './session.ts';

/** A branch of this Koha; Koha's API calls its code `library_id`. */
export interface KohaBranch {
  readonly branch: string;
  readonly name: string;
}

/** A patron category, as far as a copy is concerned. */
export interface KohaCategory {
  readonly category: string;
  readonly name: string | null;
  /** A, C, P, I, S or X; X (statistical) cannot borrow. */
  readonly type: string | null;
  readonly enrolmentFee: number | null;
  /** Whether patrons of this category can need a guarantor, which the API cannot give. */
  readonly canBeGuarantee: boolean | null;
}

export type CirculationRules =
  | { readonly kind: 'rules'; readonly rules: Readonly<Record<string, string | null>> }
  /** Koha does not know the code that was asked for. */
  | { readonly kind: 'unknown'; readonly what: 'category' | 'branch' | 'item_type' };

const branchesSchema = z.array(z.object({ library_id: z.string(), name: z.string() }));
const categoriesSchema = z.array(
  z.object({
    patron_category_id: z.string(),
    name: z.string().nullable().catch(null),
    category_type: z.string().nullable().catch(null),
    enrolment_fee: z.coerce.number().nullable().catch(null),
    can_be_guarantee: z.boolean().nullable().catch(null),
  }),
);
const ruleValue = z
  .union([z.string(), z.number(), z.boolean(), z.null()])
  .transform((value) => (value === null ? null : String(value)));
const rulesSchema = z.array(
  z
    .object({ context: z.unknown().optional() })
    .catchall(ruleValue)
    .transform(({ context: _context, ...rules }) => rules),
);
const UNKNOWN_PARAMETER = {
  '/query/patron_category_id': 'category',
  '/query/library_id': 'branch',
  '/query/item_type_id': 'item_type',
} as const;
const invalidParameterSchema = z.object({
  path: z.literal(['/query/patron_category_id', '/query/library_id', '/query/item_type_id']),
});

/** All branches (permission `catalogue: 1`). Throws KohaError. */
export async function readBranches(session: Session, options?: CallOptions): Promise<KohaBranch[]> {
  const operation = 'GET /libraries';
  const rows = await listRows(session, { operation, path: '/libraries' }, '+me.library_id', options);
  return parsed(session, operation, branchesSchema, rows).map(({ library_id: branch, name }) => ({
    branch,
    name,
  }));
}

/**
 * The patron categories allowed for the acting branch (24.05 on; permission `parameters: manage_patron_categories`). Koha can
 * answer 500 when a category has an age limit (API.md, surprise 24). Throws KohaError.
 */
export async function readCategories(session: Session, options?: CallOptions): Promise<KohaCategory[]> {
  const operation = 'GET /patron_categories';
  const request = { operation, path: '/patron_categories' } as const;
  const rows = await listRows(session, request, '+me.patron_category_id', options);
  return parsed(session, operation, categoriesSchema, rows).map((row) => ({
    category: row.patron_category_id,
    name: row.name,
    type: row.category_type,
    enrolmentFee: row.enrolment_fee,
    canBeGuarantee: row.can_be_guarantee,
  }));
}

/**
 * The lending rules in force for a patron category at a branch (24.11 on), any item type; also the way to ask whether a code is
 * known at all without the permission for categories. Throws KohaError.
 */
export async function readCirculationRules(
  session: Session,
  at: { readonly category: string; readonly branch: string; readonly rules: readonly string[] },
  options?: CallOptions,
): Promise<CirculationRules> {
  const operation = 'GET /circulation_rules';
  const query = {
    patron_category_id: at.category,
    library_id: at.branch,
    rules: at.rules.join(','),
    effective: 'true',
  };
  const answer = await session.call({ operation, method: 'GET', path: '/circulation_rules', query }, options);
  const json = parseJsonBody(answer);
  if (answer.status === 400) {
    const unknown = invalidParameterSchema.safeParse(json);
    if (unknown.success) return { kind: 'unknown', what: UNKNOWN_PARAMETER[unknown.data.path] };
  }
  if (answer.status !== 200) throw session.failure(answer);
  const [rules] = parsed(session, operation, rulesSchema, json);
  if (rules === undefined) throw badAnswer(session.library, answer);
  return { kind: 'rules', rules };
}

function parsed<T>(session: Session, operation: KohaOperation, schema: z.ZodType<T>, json: unknown): T {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const { library } = session;
  throw new KohaError({ code: 'bad_answer', library, operation, status: 200, effect: 'none' });
}
