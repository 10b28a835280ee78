import { collate } from '../collation.ts';
import type { Double } from '../double.ts';
import { patronNameByColumn } from './patron-fields.ts';
import type { PatronRow } from './patron-row.ts';

/**
 * Whether a patron with the same matching fields exists (25.11 on). Only filled fields count, so without a birth
 * date every namesake is a match; with no filled field there is none.
 */
export function hasLookAlike(double: Double, given: Readonly<Record<string, unknown>>): boolean {
  const wanted = double.settings.preferences.PatronDuplicateMatchingAddFields.split('|')
    .map((column) => patronNameByColumn.get(column) ?? column)
    .map((name) => [name, textOf(given[name])] as const)
    .filter(([, value]) => value !== '');
  if (wanted.length === 0) return false;
  for (const row of rowsToCompare(double, wanted)) {
    if (wanted.every(([name, value]) => collate(textOf(row.columns[name])) === collate(value))) return true;
  }
  return false;
}

function rowsToCompare(double: Double, wanted: readonly (readonly [string, string])[]): Iterable<PatronRow> {
  const surname = wanted.find(([name]) => name === 'surname')?.[1];
  if (surname === undefined) return double.db.patrons.rows();
  return [...double.db.patrons.idsWithSurname(surname)].flatMap((id) => double.db.patrons.get(id) ?? []);
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value.trim() : '';
}
