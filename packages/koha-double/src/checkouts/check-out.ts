import { isFrom } from '../release.ts';
import { ruleFor, type Wish } from './availability.ts';
import type { CheckoutRow } from './checkout-table.ts';
import { recordLoan } from './loans.ts';

const defaultDays = 21;

/** Checks the item out. The patron's own checkout is renewed; another patron's is returned first. */
export function checkOut(wish: Wish): CheckoutRow {
  const { checkouts } = wish.double.db;
  const before = checkouts.ofItem(wish.item.item_id);
  if (before?.patron_id === wish.patron.patron_id) return renew(wish, before);
  if (before !== undefined) {
    checkouts.close(before, wish.double.clock.timestamp(), wish.actingLibrary);
    recordLoan(wish.double, 'return', { branch: wish.actingLibrary, patron_id: before.patron_id });
  }
  const row = newCheckout(wish);
  checkouts.put(row);
  moveItem(wish, row);
  recordLoan(wish.double, 'issue', { branch: wish.actingLibrary, patron_id: row.patron_id });
  return row;
}

function newCheckout(wish: Wish): CheckoutRow {
  const { double, patron, item, actingLibrary } = wish;
  const now = double.clock.timestamp();
  return {
    checkout_id: double.db.checkouts.takeId(),
    patron_id: patron.patron_id,
    item_id: item.item_id,
    due_date: dueDate(wish),
    library_id: actingLibrary,
    issuer_id: null,
    checkin_date: null,
    checkin_library_id: null,
    last_renewed_date: null,
    renewals_count: 0,
    unseen_renewals: 0,
    auto_renew: false,
    auto_renew_error: null,
    timestamp: now,
    checkout_date: now,
    onsite_checkout: false,
    booking_id: null,
    note: null,
    note_date: null,
    note_seen: false,
  };
}

function renew(wish: Wish, before: CheckoutRow): CheckoutRow {
  const now = wish.double.clock.timestamp();
  const row: CheckoutRow = {
    ...before,
    due_date: dueDate(wish),
    last_renewed_date: now,
    renewals_count: before.renewals_count + 1,
    timestamp: now,
  };
  wish.double.db.checkouts.put(row);
  recordLoan(wish.double, 'renew', { branch: wish.actingLibrary, patron_id: row.patron_id });
  return row;
}

/** The item now is at the acting library and out; the patron has been seen. */
function moveItem(wish: Wish, checkout: CheckoutRow): void {
  const { double, item } = wish;
  double.db.items.put({
    ...item,
    columns: {
      ...item.columns,
      holding_library_id: wish.actingLibrary,
      checked_out_date: checkout.due_date.slice(0, 10),
      last_checkout_date: double.clock.today(),
      last_seen_date: double.clock.timestamp(),
      timestamp: double.clock.timestamp(),
      checkouts_count: (item.columns.checkouts_count ?? 0) + 1,
      ...(isFrom(double.settings.release, '24.11') ? { lost_status: 0 } : {}),
    },
  });
}

function dueDate(wish: Wish): string {
  const { clock } = wish.double;
  const days = Number(ruleFor(wish, 'issuelength')?.value ?? defaultDays);
  return `${clock.dayFromToday(days)}T23:59:00${clock.timestamp().slice(19)}`;
}
