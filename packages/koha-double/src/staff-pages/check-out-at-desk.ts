import { findAvailability } from '../checkouts/availability.ts';
import type { Availability, Wish } from '../checkouts/wish.ts';
import { checkOut } from '../checkouts/check-out.ts';
import type { Double } from '../double.ts';
import type { PatronRow } from '../patrons/patron-row.ts';

/** What a scanned item came to. */
export type DeskResult =
  | { readonly kind: 'checked_out' }
  | { readonly kind: 'no_item' }
  | { readonly kind: 'blocked'; readonly keys: readonly string[] }
  | { readonly kind: 'unconfirmed'; readonly keys: readonly string[] };

export interface DeskCheckout {
  readonly double: Double;
  readonly patron: PatronRow;
  readonly barcode: string;
  readonly libraryId: string;
  readonly issuerId: number;
  /** Staff saw the reasons and said yes. */
  readonly isConfirmed: boolean;
}

/** Checks an item out to a patron who stands at the desk or at the self-check. */
export function checkOutAtDesk(checkout: DeskCheckout): DeskResult {
  const { double, patron } = checkout;
  const item = double.db.items.withBarcode(checkout.barcode.trim());
  if (item === undefined) return { kind: 'no_item' };
  const wish: Wish = { double, patron, item, actingLibrary: checkout.libraryId, isSuperlibrarian: false };
  const found = findAvailability(wish);
  const blockers = reasons(found.blockers);
  if (blockers.length > 0) return { kind: 'blocked', keys: blockers };
  const confirms = reasons(found.confirms);
  if (confirms.length > 0 && !checkout.isConfirmed) return { kind: 'unconfirmed', keys: confirms };
  checkOut(wish, checkout.issuerId);
  return { kind: 'checked_out' };
}

/** The upper-case keys are reasons, the others only data that goes with them. */
function reasons(group: Availability['blockers']): string[] {
  return Object.keys(group).filter((key) => /^[A-Z_]+$/.test(key));
}
