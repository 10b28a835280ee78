import type { Double } from '../double.ts';
import { isRecord } from '../record.ts';
import type { ItemRow } from './item-table.ts';

/** An item as the API answers it. */
export function renderItem(double: Double, row: ItemRow, embeds: readonly string[]): unknown {
  const itemType = row.columns.item_type_id;
  const type = itemType === null ? undefined : double.db.itemTypes.get(itemType);
  const rendered: Record<string, unknown> = {
    ...row.columns,
    effective_item_type_id: itemType,
    effective_not_for_loan_status: row.columns.not_for_loan_status || Number(type?.not_for_loan === true),
  };
  if (embeds.includes('biblio')) rendered['biblio'] = biblioOf(row);
  if (embeds.includes('+strings')) {
    rendered['_strings'] = { item_type_id: { str: type?.description ?? '', type: 'item_type' } };
  }
  return rendered;
}

function biblioOf(row: ItemRow): unknown {
  const { biblio } = row.hidden;
  return { biblio_id: row.columns.biblio_id, ...(isRecord(biblio) ? biblio : {}) };
}
