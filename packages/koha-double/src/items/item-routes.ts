import { buildRoute, embed, filter, listParameters, type Operation } from '../api/operation.ts';
import { listOf, reference } from '../api/schema.ts';
import type { Double } from '../double.ts';
import { candidateIds } from '../query/condition.ts';
import { listAnswer, type Source } from '../query/list-answer.ts';
import { catalogueRoutes } from './catalogue-routes.ts';
import { renderItem } from './item-rows.ts';
import { itemFields, type ItemRow } from './item-table.ts';

function itemSource({ db: { items } }: Double): Source<ItemRow> {
  return {
    rows: () => items.rows(),
    column: (name) => itemFields.nameOf(name),
    read: (row, column) => row.columns[column],
    candidates: (condition) => {
      const ids = candidateIds(condition, (of, value) =>
        of.kind === 'column' && of.column === 'external_id' && typeof value === 'string'
          ? items.ids('barcode', value)
          : null,
      );
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
  (call) => listAnswer(call, itemSource(call.double), ['external_id'], (row) => renderItem(call.double, row)),
);

export const itemRoutes: readonly Operation[] = [listItems, ...catalogueRoutes];
