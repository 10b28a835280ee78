import { addMonths } from '../clock.ts';
import type { Double } from '../double.ts';
import type { CategoryRow } from '../setup/setup-rows.ts';
import { patronFields } from './patron-fields.ts';
import type { PatronColumns } from './patron-row.ts';
import { transformCard } from './transform-card.ts';
import { generateUserid } from './userid.ts';

const privacyOf = { forever: 0, default: 1, never: 2 } as const;

/** All columns of a new patron: those given, and what Koha fills in by itself. */
export function newPatronColumns(
  double: Double,
  id: number,
  given: Readonly<Record<string, unknown>>,
  category: CategoryRow,
): PatronColumns {
  const columns = {
    ...emptyColumns(double),
    ...given,
    patron_id: id,
    privacy: privacyOf[category.default_privacy],
  };
  const filled: Record<string, unknown> = columns;
  const card = textOf(given['cardnumber']) || (nextCard(double) ?? given['cardnumber'] ?? null);
  filled['cardnumber'] = typeof card === 'string' ? transformCard(double, card) : card;
  filled['userid'] = textOf(given['userid']) || generateUserid(double, given);
  filled['preferred_name'] = textOf(given['preferred_name']) || (given['firstname'] ?? null);
  filled['date_enrolled'] = given['date_enrolled'] ?? double.clock.today();
  filled['expiry_date'] = given['expiry_date'] ?? expiryOf(double, category);
  const triggers = double.settings.preferences.TrackLastPatronActivityTriggers.toLowerCase().split(/\s*,\s*/);
  if (triggers.includes('creation')) filled['last_seen'] = double.clock.timestamp();
  return filled as PatronColumns;
}

/** The columns of a row of which nothing is known. */
export function emptyColumns(double: Double): PatronColumns {
  const columns: Record<string, unknown> = {};
  for (const field of patronFields) columns[field.name] = field.nullable ? null : false;
  return {
    ...columns,
    patron_id: 0,
    library_id: '',
    category_id: '',
    privacy: 1,
    autorenew_checkouts: true,
    check_previous_checkout: 'inherit',
    lang: 'default',
    login_attempts: 0,
    updated_on: double.clock.timestamp(),
  } as unknown as PatronColumns;
}

/** Koha's expiry for a category: its fixed date, or its months from today. */
export function expiryOf(double: Double, category: CategoryRow): string | null {
  if (category.enrolment_period_date !== null) return category.enrolment_period_date;
  if (category.enrolment_period === null) return null;
  return addMonths(double.clock.today(), category.enrolment_period);
}

function nextCard(double: Double): string | null {
  if (double.settings.preferences.autoMemberNum !== '1') return null;
  let highest = 0;
  for (const row of double.db.patrons.rows()) {
    const card = row.columns.cardnumber;
    if (card !== null && /^\d{1,15}$/.test(card)) highest = Math.max(highest, Number(card));
  }
  return String(highest + 1);
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
