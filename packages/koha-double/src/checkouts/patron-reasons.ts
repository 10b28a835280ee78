import { isExpired, isRestricted, restrictedUntil } from '../patrons/patron-row.ts';
import type { Availability, Wish } from './wish.ts';

/** Reasons in the patron: flags, restriction, expiry, overdue checkouts, debt, branch. */
export function patronReasons(wish: Wish, found: Availability): void {
  const { patron, double } = wish;
  const today = double.clock.today();
  if (patron.columns.incorrect_address === true) found.blockers['GNA'] = 1;
  if (patron.columns.patron_card_lost === true) found.blockers['CARD_LOST'] = 1;
  if (isExpired(patron, today)) found.blockers['EXPIRED'] = 1;
  if (isRestricted(patron, today)) {
    const until = restrictedUntil(patron);
    found.blockers['DEBARRED'] = 1;
    found.blockers[until === '9999-12-31' ? 'USERBLOCKEDNOENDDATE' : 'USERBLOCKEDWITHENDDATE'] = until;
  } else {
    overdueReasons(wish, found);
  }
  debtReasons(wish, found);
  const isBound = double.settings.preferences.IndependentBranches === '1' && !wish.isSuperlibrarian;
  if (isBound && patron.columns.library_id !== wish.actingLibrary) {
    found.confirms['BORRNOTSAMEBRANCH'] = patron.columns.library_id;
  }
}

function overdueReasons({ patron, double }: Wish, found: Availability): void {
  const now = double.clock.timestamp();
  const count = double.db.checkouts
    .ofPatron(patron.patron_id)
    .filter((checkout) => checkout.due_date < now).length;
  if (count === 0) return;
  const rule = double.settings.preferences.OverduesBlockCirc;
  if (rule === 'block') found.blockers['USERBLOCKEDOVERDUE'] = count;
  if (rule === 'confirmation') found.confirms['USERBLOCKEDOVERDUE'] = count;
}

function debtReasons({ patron, double }: Wish, found: Availability): void {
  const { preferences } = double.settings;
  const owed = patron.account_balance;
  const category = double.db.categories.get(patron.columns.category_id);
  const limit = category?.no_issues_charge ?? Number(preferences.noissuescharge);
  if (owed > limit) {
    const mayOverride = preferences.AllowFineOverride === '1';
    (mayOverride ? found.confirms : found.blockers)['DEBT'] = owed;
  } else if (owed > 0 && preferences.AllFinesNeedOverride === '1') {
    found.confirms['DEBT'] = owed;
  }
  const other = patron.hidden['other_charges'];
  if (typeof other === 'number' && other > 0) found.warnings['OTHER_CHARGES'] = other.toFixed(2);
}
