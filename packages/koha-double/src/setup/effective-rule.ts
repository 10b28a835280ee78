import type { CirculationRuleRow } from './setup-rows.ts';

export interface RuleScope {
  readonly library_id: string;
  readonly patron_category_id: string;
  readonly item_type_id: string;
}

/**
 * Koha's order of precedence: library before category before item type, the exact one before `*`.
 * Returns the row in force, or undefined where no rule is defined.
 */
export function effectiveRule(
  rules: readonly CirculationRuleRow[],
  name: string,
  scope: RuleScope,
): CirculationRuleRow | undefined {
  let best: CirculationRuleRow | undefined;
  let bestRank = -1;
  for (const rule of rules) {
    if (rule.rule !== name) continue;
    const rank = rankOf(rule, scope);
    if (rank > bestRank) [best, bestRank] = [rule, rank];
  }
  return best;
}

function rankOf(rule: CirculationRuleRow, scope: RuleScope): number {
  const parts = [
    [rule.library_id, scope.library_id, 4],
    [rule.patron_category_id, scope.patron_category_id, 2],
    [rule.item_type_id, scope.item_type_id, 1],
  ] as const;
  let rank = 0;
  for (const [stored, wanted, weight] of parts) {
    if (stored === '*') continue;
    if (stored !== wanted) return -1;
    rank += weight;
  }
  return rank;
}
