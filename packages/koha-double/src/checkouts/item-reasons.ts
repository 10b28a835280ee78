import type { PatronRow } from '../patrons/patron-row.ts';
import type { Availability, Wish } from './wish.ts';

/** Reasons in the item: not for loan, withdrawn, restricted, lost, age, charge, parts, branch. */
export function itemReasons(wish: Wish, found: Availability): void {
  const { columns } = wish.item;
  notForLoan(wish, found);
  if (columns.withdrawn !== 0) found.blockers['WTHDRAWN'] = 1;
  if (columns.restricted_status === 1) found.blockers['RESTRICTED'] = 1;
  lost(wish, found);
  ageLimit(wish, found);
  charge(wish, found);
  const { preferences } = wish.double.settings;
  if (preferences.CircConfirmItemParts === '1' && (columns.materials_notes ?? '') !== '') {
    found.confirms['ADDITIONAL_MATERIALS'] = columns.materials_notes;
  }
  const branch =
    columns[preferences.HomeOrHoldingBranch === 'homebranch' ? 'home_library_id' : 'holding_library_id'];
  if (preferences.IndependentBranches === '1' && !wish.isSuperlibrarian && branch !== wish.actingLibrary) {
    found.blockers['ITEMNOTSAMEBRANCH'] = 1;
    found.blockers['itemhomebranch'] = branch;
  }
}

function notForLoan({ double, item }: Wish, found: Availability): void {
  const own = item.columns.not_for_loan_status;
  const type = item.columns.item_type_id;
  const isTypeBarred = type !== null && double.db.itemTypes.get(type)?.not_for_loan === true;
  if (own === 0 && !isTypeBarred) return;
  const mayForce = double.settings.preferences.AllowNotForLoanOverride === '1';
  const group = mayForce ? found.confirms : found.blockers;
  group[mayForce ? 'NOT_FOR_LOAN_FORCING' : 'NOT_FOR_LOAN'] = 1;
  if (own === 0) group['itemtype_notforloan'] = type;
  else group['item_notforloan'] = own;
}

function lost({ double, item }: Wish, found: Availability): void {
  const status = item.columns.lost_status;
  if (status === 0) return;
  const rule = double.settings.preferences.IssueLostItem;
  if (rule === 'confirm') found.confirms['ITEM_LOST'] = `Lost (${status})`;
  if (rule === 'alert') found.warnings['ITEM_LOST'] = `Lost (${status})`;
}

function ageLimit({ double, patron, item }: Wish, found: Availability): void {
  const limit = item.hidden['age_restriction'];
  if (typeof limit !== 'number') return;
  const age = ageOf(patron, double.clock.today());
  if (age === null || age >= limit) return;
  const group = double.settings.preferences.AgeRestrictionOverride === '1' ? found.confirms : found.blockers;
  group['AGE_RESTRICTION'] = `Age ${limit}`;
}

function charge({ double, item }: Wish, found: Availability): void {
  const own = item.hidden['rental_charge'];
  const type = item.columns.item_type_id;
  const ofType = type === null ? 0 : (double.db.itemTypes.get(type)?.rental_charge ?? 0);
  const amount = typeof own === 'number' ? own : ofType;
  const isOn = double.settings.preferences.RentalFeesCheckoutConfirmation === '1';
  if (amount > 0 && isOn) found.confirms['RENTALCHARGE'] = amount;
}

function ageOf(patron: PatronRow, today: string): number | null {
  const born = patron.columns.date_of_birth;
  if (born === null) return null;
  const years = Number(today.slice(0, 4)) - Number(born.slice(0, 4));
  return today.slice(5) < born.slice(5) ? years - 1 : years;
}
