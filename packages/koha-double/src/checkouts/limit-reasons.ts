import { isFrom } from '../release.ts';
import { effectiveRule } from '../setup/effective-rule.ts';
import type { Availability, Wish } from './wish.ts';

/** Reasons in the circulation rules: too many checkouts, or no rule that allows any. */
export function limitReasons(wish: Wish, found: Availability): void {
  if (Object.hasOwn(found.confirms, 'RENEW_ISSUE')) return;
  const limit = limitOf(wish);
  if (limit === null) return;
  const mayOverride = wish.double.settings.preferences.AllowTooManyOverride === '1';
  if (limit.allowed === 0) {
    found.confirms['PATRON_CANT'] = 1;
    found.confirms['circulation_rule_PATRON_CANT'] = limit.rule;
  }
  Object.assign(mayOverride ? found.confirms : found.blockers, {
    TOO_MANY: limit.reason,
    current_loan_count: limit.count,
    max_loans_allowed: limit.allowed,
  });
  // From 25.05 on this key stands among the confirms even when TOO_MANY blocks (`C4/Circulation.pm`, `CanBookBeIssued`).
  if (mayOverride || isFrom(wish.double.settings.release, '25.05')) {
    found.confirms['circulation_rule_TOO_MANY'] = limit.rule;
  }
}

interface Limit {
  readonly reason: 'TOO_MANY_CHECKOUTS' | 'NO_RULE_DEFINED';
  readonly count: number;
  readonly allowed: number;
  readonly rule: unknown;
}

function limitOf({ double, patron, item, actingLibrary }: Wish): Limit | null {
  const rule = effectiveRule(double.db.circulationRules, 'maxissueqty', {
    library_id: actingLibrary,
    patron_category_id: patron.columns.category_id,
    item_type_id: item.columns.item_type_id ?? '',
  });
  const count = double.db.checkouts.countOfPatron(patron.patron_id);
  if (rule === undefined) return { reason: 'NO_RULE_DEFINED', count, allowed: 0, rule: null };
  // An empty value is "unlimited".
  if (rule.value === '') return null;
  const allowed = Number(rule.value);
  return count >= allowed ? { reason: 'TOO_MANY_CHECKOUTS', count, allowed, rule } : null;
}
