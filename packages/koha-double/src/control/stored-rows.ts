import type { CheckoutRow } from '../checkouts/checkout-table.ts';
import type { Double } from '../double.ts';
import type { ItemRow } from '../items/item-table.ts';
import { isExpired, isRestricted, type AttributeRow, type PatronRow } from '../patrons/patron-row.ts';
import type { CopyRow } from '../plugin/copy-table.ts';
import type { OutcomeRow } from '../plugin/outcome-table.ts';

/** A patron as stored: API names, hidden columns under their database name, attributes inline. */
export interface StoredPatron extends Readonly<Record<string, unknown>> {
  readonly patron_id: number;
  readonly cardnumber: string | null;
  readonly surname: string | null;
  readonly firstname: string | null;
  readonly library_id: string;
  readonly category_id: string;
  readonly expired: boolean;
  readonly restricted: boolean;
  readonly account_balance: number;
  readonly extended_attributes: readonly AttributeRow[];
  readonly permissions: readonly string[];
}

export interface StoredItem extends Readonly<Record<string, unknown>> {
  readonly item_id: number;
  readonly external_id: string | null;
}

/** A checkout as stored, with its barcode and card to make it readable. */
export interface StoredCheckout extends CheckoutRow {
  readonly external_id: string | null;
  readonly cardnumber: string | null;
}

/** All that a double holds, or what belongs to one card. */
export interface DoubleState {
  readonly library: string;
  readonly patrons: readonly StoredPatron[];
  readonly items: readonly StoredItem[];
  /** Current checkouts; those that were returned are in `old_checkouts`. */
  readonly checkouts: readonly StoredCheckout[];
  readonly old_checkouts: readonly StoredCheckout[];
  readonly mails: number;
  readonly fees: number;
  readonly statistics: number;
  readonly outcomes: readonly OutcomeRow[];
  /** What the plugin remembers of copies. */
  readonly copies: readonly CopyRow[];
}

export function readState(double: Double, cardnumber?: string): DoubleState {
  const { db } = double;
  const only = cardnumber === undefined ? undefined : (db.patrons.withCard(cardnumber) ?? null);
  const patrons = only === undefined ? [...db.patrons.rows()] : only === null ? [] : [only];
  const ids = only === undefined ? null : new Set(patrons.map((row) => row.patron_id));
  const checkouts = (rows: Iterable<CheckoutRow>): StoredCheckout[] =>
    [...rows]
      .filter((row) => ids === null || ids.has(row.patron_id))
      .map((row) => storedCheckout(double, row));
  return {
    library: double.library,
    patrons: patrons.map((row) => storedPatron(double, row)),
    items: [...db.items.rows()].map(storedItem),
    checkouts: checkouts(db.checkouts.current()),
    old_checkouts: checkouts(db.checkouts.returned()),
    mails: db.mails,
    fees: db.fees,
    statistics: db.statistics,
    outcomes: db.outcomes.rows(),
    copies: db.copies.rows(),
  };
}

export function storedPatron(double: Double, row: PatronRow): StoredPatron {
  const today = double.clock.today();
  return {
    ...row.hidden,
    ...row.columns,
    expired: isExpired(row, today),
    restricted: isRestricted(row, today),
    account_balance: row.account_balance,
    extended_attributes: row.attributes,
    permissions: [...row.permissions],
  };
}

export function storedItem(row: ItemRow): StoredItem {
  return { ...row.hidden, ...row.columns };
}

function storedCheckout(double: Double, row: CheckoutRow): StoredCheckout {
  const item = row.item_id === null ? undefined : double.db.items.get(row.item_id);
  return {
    ...row,
    external_id: item?.columns.external_id ?? null,
    cardnumber: double.db.patrons.get(row.patron_id)?.columns.cardnumber ?? null,
  };
}
