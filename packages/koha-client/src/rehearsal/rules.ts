import type { CallOptions, Session } from '../transport/session.ts';
import type { StoredRule } from '../setup/set-up-reads.ts';
import { readRemoved } from './catalogue.ts';

/** For whom a rule holds: a branch, a category and an item type of this Koha. */
export type RuleScope = Omit<StoredRule, 'value'>;

/** `refused` with Koha's own word for the reason where it is one that can be one: the branch, category or item type is not there. */
export type RulesSet =
  | { readonly kind: 'set' }
  | { readonly kind: 'refused'; readonly status: number; readonly code: string | null };

/**
 * Stores circulation rules of exactly this scope (25.05 on); null removes one that is there, and an earlier value is lost: whoever calls
 * this has looked. After a lost answer look again: Koha fails to remove a rule that is not there. Throws KohaError.
 */
export async function setRules(
  session: Session,
  { branch, category, itemType }: RuleScope,
  rules: Readonly<Record<string, string | null>>,
  options?: CallOptions,
): Promise<RulesSet> {
  const context = { library_id: branch, patron_category_id: category, item_type_id: itemType };
  const json = { context, ...rules };
  const answer = await session.call({ operation: 'PUT /circulation_rules', json }, options);
  const read = readRemoved(session, answer);
  if (read.kind === 'refused') return read;
  return read.kind === 'removed' ? { kind: 'set' } : { kind: 'refused', status: 404, code: null };
}
