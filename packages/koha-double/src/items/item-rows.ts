import type { Double } from '../double.ts';
import { itemFields, type ItemColumns, type ItemRow } from './item-table.ts';

/** A new item of this barcode, which is not stored yet. */
export function newItem(double: Double, barcode: string | null): ItemRow {
  const { items, libraries, itemTypes } = double.db;
  const item_id = items.takeId();
  const branch = libraries.keys().next().value ?? 'MAIN';
  const columns = {
    ...Object.fromEntries(
      itemFields.fields.map(({ name, kind, nullable }) => [
        name,
        nullable ? null : kind === 'boolean' ? false : 0,
      ]),
    ),
    item_id,
    biblio_id: item_id,
    external_id: barcode,
    home_library_id: branch,
    holding_library_id: branch,
    item_type_id: itemTypes.keys().next().value ?? 'BK',
    timestamp: double.clock.timestamp(),
  };
  return { item_id, columns: columns as unknown as ItemColumns, hidden: {} };
}

/** An item as the API answers it. */
export function renderItem({ db }: Double, { columns }: ItemRow): unknown {
  const { item_type_id: itemType } = columns;
  const type = itemType === null ? undefined : db.itemTypes.get(itemType);
  return {
    ...columns,
    effective_item_type_id: itemType,
    effective_not_for_loan_status: columns.not_for_loan_status || Number(type?.not_for_loan === true),
  };
}
