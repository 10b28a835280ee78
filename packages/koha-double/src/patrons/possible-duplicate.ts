import { collate } from '../collation.ts';
import type { Double } from '../double.ts';
import { patronNameByColumn } from './patron-fields.ts';
import type { PatronRow } from './patron-row.ts';

/**
 * Whether a patron with the same matching fields exists (25.11 on). A blank is unknown, not different, on both sides
 * (`Koha/Patrons.pm`, `check_for_existing_matches`): without a birth date every namesake is a match, and so is a
 * record that has nothing in any of the fields that are compared. With no filled field there is none.
 */
export function hasPossibleDuplicate(double: Double, given: Readonly<Record<string, unknown>>): boolean {
  const wanted = double.settings.preferences.PatronDuplicateMatchingAddFields.split('|')
    .map((column) => patronNameByColumn.get(column) ?? column)
    .map((name) => [name, textOf(given[name])] as const)
    .filter(([, value]) => value !== '');
  if (wanted.length === 0) return false;
  for (const row of rowsToCompare(double, wanted)) {
    if (wanted.every(([name, value]) => isSameOrBlank(row.columns[name], value))) return true;
  }
  return false;
}

function isSameOrBlank(stored: unknown, value: string): boolean {
  const text = collate(textOf(stored));
  return text === '' || text === collate(value);
}

function rowsToCompare(double: Double, wanted: readonly (readonly [string, string])[]): Iterable<PatronRow> {
  const surname = wanted.find(([name]) => name === 'surname')?.[1];
  const { patrons } = double.db;
  if (surname === undefined) return patrons.rows();
  const ids = [...patrons.idsWithSurname(surname), ...patrons.idsWithSurname('')];
  return ids.flatMap((id) => patrons.get(id) ?? []);
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value.trim() : '';
}
