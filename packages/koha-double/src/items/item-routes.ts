import { notFound, ok } from '../answer.ts';
import type { Operation } from '../api/operation.ts';
import { embed, filter, listParameters, pathId, withErrors } from '../api/parameters.ts';
import type { Double } from '../double.ts';
import { reference } from '../json-schema.ts';
import { candidateIds } from '../query/candidates.ts';
import { simpleFilters } from '../query/filters.ts';
import { listAnswer } from '../query/list-answer.ts';
import type { Source } from '../query/source.ts';
import { itemFieldNames, itemNameByColumn } from './item-fields.ts';
import type { ItemRow } from './item-table.ts';
import { renderItem } from './render-item.ts';

const item = reference('item');
const permissions = { catalogue: '1' };
const barcodeOnly = new Set(['external_id']);

function itemSource(double: Double, embeds: readonly string[]): Source<ItemRow> {
  const { items } = double.db;
  return {
    rows: () => items.rows(),
    count: () => items.size,
    column: (name) => {
      const canonical = itemNameByColumn.get(name) ?? name;
      return itemFieldNames.has(canonical) ? canonical : undefined;
    },
    read: (row, column) => row.columns[column],
    isAmbiguous: (name) => {
      const column = itemNameByColumn.get(name) ?? name;
      return embeds.includes('biblio') && (column === 'biblio_id' || column === 'timestamp');
    },
    candidates: (condition) => {
      const ids = candidateIds(condition, (column, value) => {
        if (column === 'external_id' && typeof value === 'string') return items.idsWithBarcode(value);
        if (column !== 'item_id') return null;
        return new Set(items.get(Number(value)) === undefined ? [] : [Number(value)]);
      });
      return ids === null ? null : [...ids].sort((a, b) => a - b).flatMap((id) => items.get(id) ?? []);
    },
  };
}

const listItems: Operation = {
  method: 'GET',
  path: '/items',
  spec: () => ({
    parameters: [filter('external_id'), embed('+strings', 'biblio'), ...listParameters],
    responses: withErrors({ '200': { type: 'array', items: item } }),
    permissions,
  }),
  handle: (call) =>
    listAnswer(call, itemSource(call.double, call.embeds), simpleFilters(call.query, barcodeOnly), (row) =>
      renderItem(call.double, row, call.embeds),
    ),
};

const getItem: Operation = {
  method: 'GET',
  path: '/items/{item_id}',
  spec: () => ({
    parameters: [pathId('item_id'), embed('+strings')],
    responses: withErrors({ '200': item }, 404),
    permissions,
  }),
  handle: (call) => {
    const row = call.double.db.items.get(Number(call.path['item_id']));
    if (row === undefined) return notFound(call.release, 'Item');
    return ok(renderItem(call.double, row, call.embeds));
  },
};

export const itemRoutes: readonly Operation[] = [listItems, getItem];
