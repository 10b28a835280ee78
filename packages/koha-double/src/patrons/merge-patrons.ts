import type { Double } from '../double.ts';
import { isRecord } from '../record.ts';
import { attributeFault } from './attribute-check.ts';
import type { PatronRow } from './patron-row.ts';
import { restrictionsOf } from './restrictions.ts';

/**
 * `Koha::Patron->merge_with` (`Koha/Patron.pm`): attributes, checkouts, holds and restrictions of `other` move to the patron that is
 * kept, a second value of a single attribute is dropped, and `other` goes. Returns null and changes nothing where
 * Koha skips the merge: one of the two is protected or the anonymous patron, or both are the same.
 */
export function mergePatrons(double: Double, keeper: PatronRow, other: PatronRow): PatronRow | null {
  const { patrons, checkouts } = double.db;
  if (keeper.patron_id === other.patron_id || [keeper, other].some((row) => isLeftAlone(double, row)))
    return null;
  patrons.delete(other.patron_id);
  const attributes = [...keeper.attributes];
  for (const { type, value } of other.attributes) {
    if (attributeFault(double, keeper.patron_id, [{ type, value }], attributes) !== null) continue;
    attributes.push({ extended_attribute_id: patrons.takeAttributeId(), type, value });
  }
  const restrictions = [...restrictionsOf(keeper), ...restrictionsOf(other)];
  const row = {
    ...keeper,
    attributes,
    hidden: { ...keeper.hidden, restrictions },
    columns: { ...keeper.columns, updated_on: double.clock.timestamp() },
  };
  patrons.put(row);
  checkouts.movePatron(other.patron_id, keeper.patron_id);
  moveHolds(double, other.patron_id, keeper.patron_id);
  return row;
}

function isLeftAlone(double: Double, row: PatronRow): boolean {
  return row.columns.protected || String(row.patron_id) === double.settings.preferences.AnonymousPatron;
}

function moveHolds({ db }: Double, from: number, to: number): void {
  for (const item of db.items.rows()) {
    const { hold } = item.hidden;
    if (!isRecord(hold) || hold['patron_id'] !== from) continue;
    db.items.put({ ...item, hidden: { ...item.hidden, hold: { ...hold, patron_id: to } } });
  }
}
