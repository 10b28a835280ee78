import { checkOut } from '../checkouts/check-out.ts';
import type { CheckoutRow } from '../checkouts/checkout-table.ts';
import { recordLoan } from '../checkouts/loans.ts';
import type { Double } from '../double.ts';
import type { FieldTable } from '../fields.ts';
import { newItem } from '../items/item-rows.ts';
import { itemFields, type ItemColumns, type ItemRow } from '../items/item-table.ts';
import { newPatronColumns } from '../patrons/patron-columns.ts';
import { patronFields } from '../patrons/patron-fields.ts';
import {
  isExpired,
  isRestricted,
  type ApiKey,
  type AttributeRow,
  type PatronColumns,
  type PatronRow,
} from '../patrons/patron-table.ts';
import { asText, isRecord, type Columns } from '../record.ts';
import { namedCategory } from '../setup/setup-rows.ts';

/** The columns that the API shows, by its names, and all others. */
function split(table: FieldTable, given: Columns): Readonly<Record<'columns' | 'hidden', Columns>> {
  const columns: Record<string, unknown> = {};
  const hidden: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(given)) {
    const name = table.nameOf(key);
    if (name === undefined) hidden[key] = value;
    else columns[name] = value;
  }
  return { columns, hidden };
}

/**
 * Creates or changes the patron of a card number, past all of Koha's rules. Any column may be given: API names,
 * database names, hidden or unknown ones; also `extended_attributes`, `account_balance`, `permissions`, `api_keys`,
 * and `restricted: true` for a restriction without end.
 */
export function putPatron(double: Double, cardnumber: string, given: Columns): PatronRow {
  const { extended_attributes: attributes, account_balance: balance, permissions, api_keys: keys } = given;
  const { restricted, ...others } = given;
  const { columns, hidden } = split(patronFields, others);
  const before = double.db.patrons.withCard(cardnumber) ?? newPatron(double, cardnumber, columns);
  const { patron_id } = before;
  const row: PatronRow = {
    patron_id,
    columns: { ...before.columns, updated_on: double.clock.timestamp(), ...columns, patron_id },
    hidden: {
      ...before.hidden,
      ...Object.fromEntries(Object.entries(hidden).filter(([name]) => !apart.has(name))),
      ...(restricted === undefined ? {} : { debarred: restricted === true ? '9999-12-31' : null }),
    },
    attributes: Array.isArray(attributes) ? attributesOf(double, attributes) : before.attributes,
    account_balance: typeof balance === 'number' ? balance : before.account_balance,
    permissions: Array.isArray(permissions) ? new Set(permissions.map(String)) : before.permissions,
    api_keys: Array.isArray(keys) ? keysOf(keys) : before.api_keys,
  };
  double.db.patrons.put(row);
  return row;
}

/** What is no column, hidden or not. */
const apart = new Set(['extended_attributes', 'account_balance', 'permissions', 'api_keys', 'expired']);

function newPatron(double: Double, cardnumber: string, given: Columns): PatronRow {
  const { libraries, categories, patrons } = double.db;
  const library_id = given['library_id'] ?? libraries.keys().next().value ?? 'MAIN';
  const category_id = asText(given['category_id'] ?? categories.keys().next().value ?? 'AD');
  const category = categories.get(category_id) ?? namedCategory(category_id);
  const patron_id = patrons.takeId();
  return {
    patron_id,
    columns: newPatronColumns(double, patron_id, { ...given, cardnumber, library_id, category_id }, category),
    hidden: {},
    attributes: [],
    account_balance: 0,
    permissions: new Set(),
    api_keys: [],
  };
}

function attributesOf({ db }: Double, given: readonly unknown[]): AttributeRow[] {
  return given.filter(isRecord).map(({ type, value }) => ({
    extended_attribute_id: db.patrons.takeAttributeId(),
    type: String(type),
    value: value === null || value === undefined ? null : asText(value),
  }));
}

function keysOf(given: readonly unknown[]): readonly ApiKey[] {
  return given.filter(isRecord).map(({ client_id, secret, client_secret, active, description }) => ({
    client_id: String(client_id),
    secret: String(secret ?? client_secret),
    active: active !== false,
    description: typeof description === 'string' ? description : '',
  }));
}

/**
 * Creates or changes the item of a barcode. Any column may be given; hidden ones that mean something: `hold`,
 * `recall`, `booking`, `age_restriction`, `rental_charge`, `biblio`, `circulation_extra`. `checked_out_to`
 * (a card number, or null) checks it out or in; `due_date` makes its checkout due then.
 */
export function putItem(double: Double, barcode: string, given: Columns): ItemRow {
  const { items, checkouts } = double.db;
  const before = items.withBarcode(barcode) ?? newItem(double, barcode);
  const { item_id } = before;
  const { checked_out_to: card, due_date, ...others } = given;
  const { columns, hidden } = split(itemFields, others);
  items.put({
    item_id,
    columns: { ...before.columns, ...columns, item_id },
    hidden: { ...before.hidden, ...hidden },
  });
  if (card !== undefined) moveCheckout(double, item_id, card);
  const checkout = checkouts.ofItem(item_id);
  if (typeof due_date === 'string' && checkout !== undefined) checkouts.put({ ...checkout, due_date });
  return items.get(item_id) ?? before;
}

function moveCheckout(double: Double, itemId: number, cardnumber: unknown): void {
  const { checkouts, items, patrons } = double.db;
  const checkout = checkouts.ofItem(itemId);
  const item = items.get(itemId);
  if (item === undefined) return;
  const branch = item.columns.home_library_id ?? 'MAIN';
  if (checkout !== undefined) {
    checkouts.close(checkout, double.clock.timestamp(), branch);
    recordLoan(double, 'return', { branch, patron_id: checkout.patron_id });
    items.put({ ...item, columns: { ...item.columns, checked_out_date: null } });
  }
  const patron = typeof cardnumber === 'string' ? patrons.withCard(cardnumber) : undefined;
  if (patron === undefined) return;
  checkOut({ double, patron, item, actingLibrary: branch, isSuperlibrarian: true });
}

/** A patron as stored: API names, hidden columns under their database name, attributes inline. */
type StoredPatron = PatronColumns &
  Pick<PatronRow, 'account_balance'> & {
    readonly expired: boolean;
    readonly restricted: boolean;
    readonly extended_attributes: readonly AttributeRow[];
    readonly permissions: readonly string[];
  };

/** A checkout as stored, with its barcode and card to make it readable. */
export interface StoredCheckout extends CheckoutRow {
  readonly external_id: string | null;
  readonly cardnumber: string | null;
}

/** All that a double holds, or what belongs to one card. Checkouts that were returned are in `old_checkouts`; `copies`: what the plugin remembers of them. */
export function readState(double: Double, cardnumber?: string) {
  const { db, library } = double;
  const patrons =
    cardnumber === undefined ? [...db.patrons.rows()] : [db.patrons.withCard(cardnumber) ?? []].flat();
  const ids = new Set(patrons.map((row) => row.patron_id));
  const checkouts = (rows: Iterable<CheckoutRow>): StoredCheckout[] =>
    [...rows]
      .filter((row) => cardnumber === undefined || ids.has(row.patron_id))
      .map((row) => storedCheckout(double, row));
  return {
    library,
    patrons: patrons.map((row) => storedPatron(double, row)),
    items: [...db.items.rows()].map(storedItem),
    biblios: [...db.biblios.rows()],
    checkouts: checkouts(db.checkouts.rows()),
    old_checkouts: checkouts(db.checkouts.returned()),
    mails: db.mails,
    fees: db.fees,
    statistics: db.statistics,
    outcomes: db.outcomes.rows(),
    copies: db.copies.rows(),
    told: db.copies.told(),
  };
}

export function storedPatron({ clock }: Double, row: PatronRow): StoredPatron {
  const today = clock.today();
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

export const storedItem = ({ hidden, columns }: ItemRow): ItemColumns => ({ ...hidden, ...columns });

function storedCheckout({ db }: Double, row: CheckoutRow): StoredCheckout {
  return {
    ...row,
    external_id: db.items.get(row.item_id ?? 0)?.columns.external_id ?? null,
    cardnumber: db.patrons.get(row.patron_id)?.columns.cardnumber ?? null,
  };
}
