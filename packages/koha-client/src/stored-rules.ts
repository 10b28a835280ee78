import { z } from 'zod';
import { parseJsonBody } from './answer-body.ts';
import { badAnswer } from './failure-of.ts';
import type { CallOptions, Session } from './session.ts';

/** A lending rule as it is stored: for whom, and what it says; `*` stands for all. */
export interface StoredRule {
  readonly branch: string;
  readonly category: string;
  readonly itemType: string;
  /** As Koha has it; empty: no limit. */
  readonly value: string;
}

const scope = z
  .string()
  .nullish()
  .transform((code) => code ?? '*');
const context = z.object({ library_id: scope, patron_category_id: scope, item_type_id: scope });
const value = z.union([z.string(), z.number().transform(String), z.null()]);
const rowsSchema = z.array(
  z
    .object({ context })
    .catchall(value)
    .transform(({ context: of, ...rules }) => ({ of, rules })),
);

/**
 * For whom one lending rule is stored at all, and with what value (24.11 on): a library may have rules for single item types only,
 * which the question for the rule in force over all item types does not show. Koha lists whoever has any rule at all, with null where it
 * is not this one. Throws KohaError.
 */
export async function readStoredRules(
  session: Session,
  rule: string,
  options?: CallOptions,
): Promise<StoredRule[]> {
  const operation = 'GET /circulation_rules';
  const query = { rules: rule, effective: 'false' };
  const answer = await session.call({ operation, method: 'GET', path: '/circulation_rules', query }, options);
  if (answer.status !== 200) throw session.failure(answer);
  const rows = rowsSchema.safeParse(parseJsonBody(answer));
  if (!rows.success) throw badAnswer(session.library, answer);
  return rows.data.flatMap(({ of, rules }) => {
    const said = rules[rule] ?? null;
    if (said === null) return [];
    return [
      { branch: of.library_id, category: of.patron_category_id, itemType: of.item_type_id, value: said },
    ];
  });
}
