import { setImmediate } from 'node:timers/promises';
import * as z from 'zod';
import { badAnswer } from '../errors/failure-of.ts';
import { parseRefusal } from '../errors/refusal.ts';
import { SET_UP_PAGES, listRows, parseRows } from '../transport/list-rows.ts';
import type { CallOptions, Session } from '../transport/session.ts';
import { codeSchema, isCode, ruleValueSchema } from './koha-codes.ts';

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

// Names are left where they are: a code is what the set-up is about, and free text of a stranger is not passed on.
// What cannot be a code is nobody's branch or category, and is left out.
const branchSchema = z.object({ library_id: z.string() });
const categorySchema = z.object({
  patron_category_id: z.string(),
  category_type: z.enum(['A', 'C', 'P', 'I', 'S', 'X']).nullable().catch(null),
  enrolment_fee: z.coerce.number().nullable().catch(null),
  can_be_guarantee: z.boolean().nullable().catch(null),
});
/** All branches (permission `catalogue: 1`). Throws KohaError. */
export async function branches(session: Session, options?: CallOptions): Promise<KohaBranch[]> {
  const request = { operation: 'GET /libraries', key: 'library_id', maxPages: SET_UP_PAGES } as const;
  const rows = await listRows(session, request, branchSchema, options);
  return rows.map(({ library_id: branch }) => ({ branch })).filter(({ branch }) => isCode(branch));
}

/**
 * The patron categories allowed for the acting branch (24.05 on; permission `parameters: manage_patron_categories`). Koha can
 * answer 500 when a category has an age limit, which does not fit its own description
 * (`api/v1/swagger/definitions/patron_category.yaml`: a boolean). Throws KohaError.
 */
export async function categories(session: Session, options?: CallOptions): Promise<KohaCategory[]> {
  const key = 'patron_category_id';
  const request = { operation: 'GET /patron_categories', key, maxPages: SET_UP_PAGES } as const;
  const rows = await listRows(session, request, categorySchema, options);
  return rows
    .map((row) => ({
      category: row.patron_category_id,
      type: row.category_type,
      enrolmentFee: row.enrolment_fee,
      canBeGuarantee: row.can_be_guarantee,
    }))
    .filter(({ category }) => isCode(category));
}

/** A lending rule as it is stored: for whom, and what it says; `*` stands for all. */
export interface StoredRule {
  readonly branch: string;
  readonly category: string;
  readonly itemType: string;
  /** As Koha has it; empty: no limit. */
  readonly value: string;
}

const scope = z
  .union([codeSchema, z.null()])
  .optional()
  .transform((code) => code ?? '*');
const contextSchema = z.object({
  context: z.object({ library_id: scope, patron_category_id: scope, item_type_id: scope }),
});
const valueSchema = ruleValueSchema.nullish();

/** One row for each branch, category and item type that has a rule of its own. */
const MAX_ROWS = 50_000;
/** So many are read in a few milliseconds. */
const ROWS_AT_ONCE = 500;

/**
 * For whom one lending rule is stored at all, and with what value (24.11 on): a library may have rules for single item types only,
 * which the question for the rule in force over all item types does not show. Koha lists whoever has any rule at all, with null where it
 * is not this one. Throws KohaError.
 */
export async function storedRules(
  session: Session,
  rule: string,
  options?: CallOptions,
): Promise<StoredRule[]> {
  const operation = 'GET /circulation_rules';
  const query = { rules: rule, effective: '0' };
  const answer = await session.call({ operation, query }, options);
  const ruleSchema = z.object({ [rule]: valueSchema });
  const found: StoredRule[] = [];
  for (const [place, row] of parseRows(session, answer, MAX_ROWS).entries()) {
    // Whoever reads 50,000 rows does other work meanwhile: a worker has desks to serve.
    if (place % ROWS_AT_ONCE === ROWS_AT_ONCE - 1) await setImmediate();
    const scoped = contextSchema.safeParse(row);
    const value = ruleSchema.safeParse(row);
    if (!scoped.success || !value.success) throw badAnswer(session.library, answer);
    const text = value.data[rule] ?? null;
    const { library_id: branch, patron_category_id: category, item_type_id: itemType } = scoped.data.context;
    if (text !== null) found.push({ branch, category, itemType, value: text });
  }
  return found;
}

/** Nobody's: the request goes without the key's own secret, which another library must never see. */
const NOBODYS_SECRET = 'patron-passport-asks-whether-you-know-this-key';

/**
 * Whether this Koha knows an API key by its id: Koha answers an unknown id and a wrong secret differently
 * (`Koha/OAuth.pm`, `_verify_client_cb`). Two libraries of which one knows the other's key are the same Koha. Null when the
 * answer is neither. Throws KohaError.
 */
export async function knowsApiKey(
  session: Session,
  clientId: string,
  options?: CallOptions,
): Promise<boolean | null> {
  const form = { grant_type: 'client_credentials', client_id: clientId, client_secret: NOBODYS_SECRET };
  const answer = await session.call({ operation: 'POST /oauth/token', form, anonymous: true }, options);
  switch (parseRefusal(answer)?.error) {
    case 'access_denied':
      return true;
    case 'unauthorized_client':
      return false;
    default:
      return null;
  }
}
