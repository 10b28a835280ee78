import { z } from 'zod';
import { parseJsonBody } from './answer-body.ts';
import { badAnswer } from './failure-of.ts';
import type { CallOptions, Session } from './session.ts';

/** For whom a stored rule is; `*` stands for all. */
export interface RuleScope {
  readonly branch: string;
  readonly category: string;
  readonly itemType: string;
}

const scope = z
  .string()
  .nullish()
  .transform((code) => code ?? '*');
const rowsSchema = z.array(
  z.object({ context: z.object({ library_id: scope, patron_category_id: scope, item_type_id: scope }) }),
);

/**
 * For whom one lending rule is stored at all (24.11 on): a library may have rules for single item types only, which the question
 * for the rule in force over all item types does not show. Throws KohaError.
 */
export async function readRuleScopes(
  session: Session,
  rule: string,
  options?: CallOptions,
): Promise<RuleScope[]> {
  const operation = 'GET /circulation_rules';
  const query = { rules: rule, effective: 'false' };
  const answer = await session.call({ operation, method: 'GET', path: '/circulation_rules', query }, options);
  if (answer.status !== 200) throw session.failure(answer);
  const rows = rowsSchema.safeParse(parseJsonBody(answer));
  if (!rows.success) throw badAnswer(session.library, answer);
  return rows.data.map(({ context }) => ({
    branch: context.library_id,
    category: context.patron_category_id,
    itemType: context.item_type_id,
  }));
}
