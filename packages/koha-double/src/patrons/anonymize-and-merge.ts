import { randomBytes } from 'node:crypto';
import type { Double } from '../double.ts';
import { isFrom } from '../release.ts';
import type { Field } from '../fields.ts';
import { patronFields } from './patron-fields.ts';
import { restrictionsOf, type PatronColumns, type PatronRow } from './patron-table.ts';
import { isRecord } from '../record.ts';
import { attributeFault } from './attributes.ts';

/** What `Koha::Patron->anonymize` leaves alone; it takes the birth date nevertheless. */
const kept =
  /borrowernumber|branchcode|categorycode|^date|password|flags|updated_on|lastseen|lang|login_attempts|anonymized|auth_method/;
const keptHidden = new Set(['password', 'password_expiration_date', 'flags', 'auth_method', 'restrictions']);

/**
 * `Koha::Patron->anonymize`, as the cron job calls it (`Koha/Patron.pm`): every personal column is emptied, those of
 * the preference `BorrowerMandatoryField` and the login get a random word instead, e-mail never; attributes stay.
 * Returns null and changes nothing where the patron has checkouts.
 */
export function anonymizePatron(double: Double, row: PatronRow): PatronRow | null {
  const { patrons, checkouts } = double.db;
  if (checkouts.countOfPatron(row.patron_id) > 0) return null;
  const mandatory = mandatoryColumns(double);
  const columns: Record<string, unknown> = { ...row.columns };
  for (const field of patronFields.fields) {
    if (kept.test(field.column) && field.column !== 'dateofbirth') continue;
    columns[field.name] = anonymized(field, mandatory.has(field.column.toLowerCase()));
  }
  // An enum since 25.11, which gets its default; text before, which is emptied.
  columns['check_previous_checkout'] = isFrom(double.settings.release, '25.11') ? 'inherit' : '';
  const hidden = Object.fromEntries(Object.entries(row.hidden).filter(([name]) => keptHidden.has(name)));
  const changed: PatronRow = {
    ...row,
    columns: {
      ...(columns as PatronColumns),
      preferred_name: columns['firstname'],
      anonymized: true,
      updated_on: double.clock.timestamp(),
    },
    hidden,
  };
  patrons.put(changed);
  return changed;
}

function mandatoryColumns(double: Double): ReadonlySet<string> {
  const named = double.settings.preferences.BorrowerMandatoryField.split('|').map((name) => name.trim());
  return new Set(
    [...named.filter((name) => !name.includes('email')), 'userid'].map((name) => name.toLowerCase()),
  );
}

function anonymized(field: Field, isMandatory: boolean): unknown {
  if (field.kind === 'text') return isMandatory ? randomWord() : field.nullable ? null : '';
  if (field.nullable) return null;
  return field.kind === 'boolean' ? false : 0;
}

/** Ten characters, as `Koha::Token` makes them of `\w{10}`. */
function randomWord(): string {
  return randomBytes(12).toString('base64url').replaceAll('-', '_').slice(0, 10);
}

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
