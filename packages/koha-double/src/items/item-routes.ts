import { buildRoute, embed, filter, listParameters, type Operation } from '../api/operation.ts';
import { listOf, reference } from '../api/schema.ts';
import type { Double } from '../double.ts';
import { candidateIds } from '../query/condition.ts';
import { listAnswer, simpleFilters, type Source } from '../query/list-answer.ts';
import { catalogueRoutes } from './catalogue-routes.ts';
import { renderItem } from './item-rows.ts';
import { itemFields, type ItemRow } from './item-table.ts';

function itemSource({ db: { items } }: Double, embeds: readonly string[]): Source<ItemRow> {
  return {
    rows: () => items.rows(),
    count: () => items.size,
    column: (name) => itemFields.nameOf(name),
    read: (row, column) => row.columns[column],
    isAmbiguous: (name) =>
      embeds.includes('biblio') && ['biblio_id', 'timestamp'].includes(itemFields.nameOf(name) ?? name),
    candidates: (condition) => {
      const ids = candidateIds(condition, (column, value) => {
        if (column === 'external_id' && typeof value === 'string') return items.ids('barcode', value);
        return column === 'item_id' ? new Set([Number(value)]) : null;
      });
      return ids === null ? null : items.inOrder(ids);
    },
  };
}

const listItems = buildRoute(
  'GET',
  '/items',
  {
    parameters: [filter('external_id'), embed('+strings', 'biblio'), ...listParameters],
    answers: { 200: listOf(reference('item')) },
    permissions: { catalogue: '1' },
  },
  (call) =>
    listAnswer(
      call,
      itemSource(call.double, call.embeds),
      simpleFilters(call.query, ['external_id']),
      (row) => renderItem(call.double, row, call.embeds),
    ),
);

export const itemRoutes: readonly Operation[] = [listItems, ...catalogueRoutes];
