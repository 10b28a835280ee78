import { judgeAvailability } from '../checkouts/availability.ts';
import type { Availability, Wish } from '../checkouts/wish.ts';
import { lend } from '../checkouts/lend.ts';
import type { Double } from '../double.ts';
import type { PatronRow } from '../patrons/patron-row.ts';

/** What a scanned item came to. */
export type Lent =
  | { readonly kind: 'lent' }
  | { readonly kind: 'no_item' }
  | { readonly kind: 'blocked'; readonly keys: readonly string[] }
  | { readonly kind: 'unconfirmed'; readonly keys: readonly string[] };

export interface DeskLoan {
  readonly double: Double;
  readonly patron: PatronRow;
  readonly barcode: string;
  readonly libraryId: string;
  readonly issuerId: number;
  /** Staff saw the reasons and said yes. */
  readonly isConfirmed: boolean;
}

/** Lends an item to a patron who stands at the desk or at the self-check. */
export function lendAtDesk(loan: DeskLoan): Lent {
  const { double, patron } = loan;
  const item = double.db.items.withBarcode(loan.barcode.trim());
  if (item === undefined) return { kind: 'no_item' };
  const wish: Wish = { double, patron, item, actingLibrary: loan.libraryId, isSuperlibrarian: false };
  const found = judgeAvailability(wish);
  const blockers = reasons(found.blockers);
  if (blockers.length > 0) return { kind: 'blocked', keys: blockers };
  const confirms = reasons(found.confirms);
  if (confirms.length > 0 && !loan.isConfirmed) return { kind: 'unconfirmed', keys: confirms };
  lend(wish, loan.issuerId);
  return { kind: 'lent' };
}

/** The upper-case keys are reasons, the others only data that goes with them. */
function reasons(group: Availability['blockers']): string[] {
  return Object.keys(group).filter((key) => /^[A-Z_]+$/.test(key));
}
