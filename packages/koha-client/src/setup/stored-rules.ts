import * as z from 'zod';
import { badAnswer } from '../errors/failure-of.ts';
import { parseRows } from '../transport/list-rows.ts';
import { codeSchema, ruleValueSchema } from './koha-codes.ts';
import type { CallOptions, Session } from '../transport/session.ts';

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
  const answer = await session.call({ operation, method: 'GET', path: '/circulation_rules', query }, options);
  return parseRows(session, answer, MAX_ROWS).flatMap((row) => {
    const scoped = contextSchema.safeParse(row);
    const value = z.object({ [rule]: valueSchema }).safeParse(row);
    if (!scoped.success || !value.success) throw badAnswer(session.library, answer);
    const said = value.data[rule] ?? null;
    if (said === null) return [];
    const { library_id: branch, patron_category_id: category, item_type_id: itemType } = scoped.data.context;
    return [{ branch, category, itemType, value: said }];
  });
}
