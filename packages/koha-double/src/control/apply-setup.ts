import type { Double } from '../double.ts';
import { isRecord, type Columns } from '../record.ts';
import {
  completeAttributeType,
  completeCategory,
  completeCirculationRule,
  completeItemType,
  completeLibrary,
  type AttributeTypeDraft,
  type CategoryDraft,
  type CirculationRuleDraft,
  type ItemTypeDraft,
  type LibraryDraft,
} from '../setup/complete-rows.ts';

/** Whole set-up tables, each replaced by what is given. */
export interface SetupChange {
  readonly libraries?: readonly LibraryDraft[];
  readonly categories?: readonly CategoryDraft[];
  readonly item_types?: readonly ItemTypeDraft[];
  readonly attribute_types?: readonly AttributeTypeDraft[];
  readonly circulation_rules?: readonly CirculationRuleDraft[];
}

const needed = {
  libraries: ['library_id'],
  categories: ['patron_category_id'],
  item_types: ['item_type_id'],
  attribute_types: ['code'],
  circulation_rules: ['rule', 'value'],
} as const;

/** Replaces the tables named in `change`; the text says what does not fit. */
export function applySetup(double: Double, change: Columns): string | null {
  for (const [name, rows] of Object.entries(change)) {
    if (!Object.hasOwn(needed, name)) {
      if (name === 'permissions') continue;
      return `"${name}" is no setting, no preference that the double honours, and no table`;
    }
    const keys = needed[name as keyof typeof needed];
    const fits = Array.isArray(rows) && rows.every((row) => isRecord(row) && keys.every((key) => key in row));
    if (!fits) return `"${name}" must be a list of rows with ${keys.join(' and ')}`;
  }
  const { db } = double;
  const tables = change as SetupChange;
  fill(db.libraries, tables.libraries?.map(completeLibrary), (row) => row.library_id);
  fill(db.categories, tables.categories?.map(completeCategory), (row) => row.patron_category_id);
  fill(db.itemTypes, tables.item_types?.map(completeItemType), (row) => row.item_type_id);
  fill(db.attributeTypes, tables.attribute_types?.map(completeAttributeType), (row) => row.code);
  if (tables.circulation_rules !== undefined) {
    db.circulationRules = tables.circulation_rules.map(completeCirculationRule);
  }
  return null;
}

function fill<Row>(
  table: Map<string, Row>,
  rows: readonly Row[] | undefined,
  key: (row: Row) => string,
): void {
  if (rows === undefined) return;
  table.clear();
  for (const row of rows) table.set(key(row), row);
}
