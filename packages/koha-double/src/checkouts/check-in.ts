import type { Double } from '../double.ts';
import type { ItemRow } from '../items/item-table.ts';
import { recordLoan } from './loans.ts';

/** `C4/Circulation.pm`, `AddReturn`; does nothing to an item that is not checked out. */
export function checkIn(double: Double, item: ItemRow, branch: string): void {
  const { checkouts, items } = double.db;
  const checkout = checkouts.ofItem(item.item_id);
  if (checkout === undefined) return;
  checkouts.close(checkout, double.clock.timestamp(), branch);
  recordLoan(double, 'return', { branch, patron_id: checkout.patron_id });
  items.put({ ...item, columns: { ...item.columns, checked_out_date: null, holding_library_id: branch } });
}
