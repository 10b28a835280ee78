import type { Double } from '../double.ts';
import type { ItemRow } from '../items/item-table.ts';
import type { PatronRow } from '../patrons/patron-row.ts';
import { patronFields } from '../patrons/patron-fields.ts';
import { effectiveRule } from '../setup/effective-rule.ts';
import type { Availability, Wish } from './wish.ts';
import type { CheckoutRow } from './checkout-table.ts';

/** Reasons in checkouts: this item is out already, or the patron has or had it. */
export function checkoutReasons(wish: Wish, found: Availability): void {
  const { double, patron, item } = wish;
  const checkout = double.db.checkouts.ofItem(item.item_id);
  if (checkout === undefined) {
    otherCheckouts(wish, found);
  } else if (checkout.patron_id === patron.patron_id) {
    renewal(wish, checkout, found);
  } else {
    ofAnother(wish, checkout, found);
  }
}

function renewal(wish: Wish, checkout: CheckoutRow, found: Availability): void {
  if (checkout.onsite_checkout) found.blockers['NO_RENEWAL_FOR_ONSITE_CHECKOUTS'] = 1;
  else if (checkout.renewals_count >= renewalsAllowed(wish)) found.blockers['NO_MORE_RENEWALS'] = 1;
  else found.confirms['RENEW_ISSUE'] = 1;
}

function ofAnother(wish: Wish, checkout: CheckoutRow, found: Availability): void {
  const { double, item, actingLibrary } = wish;
  const { preferences } = double.settings;
  const allowed = preferences.AllowReturnToBranch;
  const branches = returnBranches(allowed, item);
  if (branches !== null && !branches.includes(actingLibrary)) {
    found.blockers['RETURN_IMPOSSIBLE'] = 1;
    found.blockers['branch_to_return'] = branches[0];
    return;
  }
  const other = double.db.patrons.get(checkout.patron_id);
  if (preferences.AutoReturnCheckedOutItems === '1') {
    found.warnings['RETURNED_FROM_ANOTHER'] = { patron: other === undefined ? null : rawRow(other) };
    return;
  }
  Object.assign(found.confirms, {
    ISSUED_TO_ANOTHER: 1,
    issued_firstname: other?.columns.firstname ?? null,
    issued_surname: other?.columns.surname ?? null,
    issued_cardnumber: other?.columns.cardnumber ?? null,
    issued_borrowernumber: checkout.patron_id,
  });
}

/** Where an item may be returned, the one that is named first; null: anywhere (`C4/Circulation.pm`, `CanBookBeReturned`). */
function returnBranches(allowed: string, { columns }: ItemRow): readonly (string | null)[] | null {
  switch (allowed) {
    case 'homebranch':
      return [columns.home_library_id];
    case 'holdingbranch':
      return [columns.holding_library_id];
    case 'homeorholdingbranch':
      return [columns.home_library_id, columns.holding_library_id];
    default:
      return null;
  }
}

/** The row in database names, password hash and all (`C4/Circulation.pm`, `CanBookBeIssued`; `Koha/Object.pm`, `TO_JSON`). */
function rawRow(row: PatronRow): Record<string, unknown> {
  const raw: Record<string, unknown> = { ...row.hidden };
  for (const field of patronFields) raw[field.column] = row.columns[field.name] ?? null;
  return raw;
}

function otherCheckouts({ double, patron, item }: Wish, found: Availability): void {
  const { preferences } = double.settings;
  const { checkouts } = double.db;
  const biblioOf = (itemId: number | null): number | undefined =>
    itemId === null ? undefined : double.db.items.get(itemId)?.columns.biblio_id;
  const hasBiblio = checkouts
    .ofPatron(patron.patron_id)
    .some((checkout) => biblioOf(checkout.item_id) === item.columns.biblio_id);
  if (hasBiblio && preferences.AllowMultipleIssuesOnABiblio === '0')
    found.confirms['BIBLIO_ALREADY_ISSUED'] = 1;
  if (checksHistory(double, patron)) {
    for (const checkout of checkouts.returned()) {
      if (checkout.patron_id === patron.patron_id && biblioOf(checkout.item_id) === item.columns.biblio_id) {
        found.confirms['PREVISSUE'] = 1;
      }
    }
  }
}

/** `hardyes` and `hardno` bind everybody, the soft ones leave it to the patron. */
function checksHistory(double: Double, patron: PatronRow): boolean {
  const preference = double.settings.preferences.CheckPrevCheckout;
  if (preference.startsWith('hard')) return preference === 'hardyes';
  const own = patron.columns['check_previous_checkout'];
  return own === 'yes' || (own === 'inherit' && preference === 'softyes');
}

/** No rule for renewals means none are allowed. */
export function renewalsAllowed({ double, patron, item, actingLibrary }: Wish): number {
  const rule = effectiveRule(double.db.circulationRules, 'renewalsallowed', {
    library_id: actingLibrary,
    patron_category_id: patron.columns.category_id,
    item_type_id: item.columns.item_type_id ?? '',
  });
  return Number(rule?.value ?? 0);
}
