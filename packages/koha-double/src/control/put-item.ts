import { checkOut } from '../checkouts/check-out.ts';
import type { Double } from '../double.ts';
import { itemFieldNames, itemFields, itemNameByColumn } from '../items/item-fields.ts';
import type { ItemColumns, ItemRow } from '../items/item-table.ts';
import type { Columns } from '../record.ts';

/**
 * Creates or changes the item of a barcode. Any column may be given; hidden ones that mean something: `hold`,
 * `recall`, `booking`, `age_restriction`, `rental_charge`, `biblio`, `circulation_extra`. `checked_out_to`
 * (a card number, or null) checks it out or in; `due_date` makes its checkout due then.
 */
export function putItem(double: Double, barcode: string, given: Columns): ItemRow {
  const { items } = double.db;
  const before = items.withBarcode(barcode) ?? newRow(double, barcode);
  const columns: Record<string, unknown> = { ...before.columns };
  const hidden: Record<string, unknown> = { ...before.hidden };
  for (const [key, value] of Object.entries(given)) {
    const name = itemNameByColumn.get(key) ?? key;
    if (name === 'checked_out_to' || name === 'due_date' || name === 'item_id') continue;
    if (itemFieldNames.has(name)) columns[name] = value;
    else hidden[name] = value;
  }
  items.put({ item_id: before.item_id, columns: columns as ItemColumns, hidden });
  if (Object.hasOwn(given, 'checked_out_to')) moveCheckout(double, before.item_id, given['checked_out_to']);
  if (typeof given['due_date'] === 'string') moveDueDate(double, before.item_id, given['due_date']);
  return items.get(before.item_id) ?? before;
}

function moveDueDate({ db }: Double, itemId: number, due_date: string): void {
  const checkout = db.checkouts.ofItem(itemId);
  if (checkout !== undefined) db.checkouts.put({ ...checkout, due_date });
}

function newRow(double: Double, barcode: string): ItemRow {
  const { items, libraries, itemTypes } = double.db;
  const item_id = items.takeId();
  const branch = libraries.keys().next().value ?? 'MAIN';
  const columns: Record<string, unknown> = {};
  for (const field of itemFields) columns[field.name] = field.initial;
  return {
    item_id,
    columns: {
      ...columns,
      item_id,
      biblio_id: item_id,
      external_id: barcode,
      home_library_id: branch,
      holding_library_id: branch,
      item_type_id: itemTypes.keys().next().value ?? 'BK',
      timestamp: double.clock.timestamp(),
    } as unknown as ItemColumns,
    hidden: {},
  };
}

function moveCheckout(double: Double, itemId: number, cardnumber: unknown): void {
  const { checkouts, items, patrons } = double.db;
  const checkout = checkouts.ofItem(itemId);
  const item = items.get(itemId);
  if (item === undefined) return;
  const branch = item.columns.home_library_id ?? 'MAIN';
  if (checkout !== undefined) {
    checkouts.close(checkout, double.clock.timestamp(), branch);
    items.put({ ...item, columns: { ...item.columns, checked_out_date: null } });
  }
  const patron = typeof cardnumber === 'string' ? patrons.withCard(cardnumber) : undefined;
  if (patron === undefined) return;
  checkOut({ double, patron, item, actingLibrary: branch, isSuperlibrarian: true }, patron.patron_id);
}
