import type { Double } from '../double.ts';
import type { ItemRow } from '../items/item-table.ts';
import { patronFields } from '../patrons/patron-fields.ts';
import { isExpired, isRestricted, restrictedUntil, type PatronRow } from '../patrons/patron-table.ts';
import { isRecord } from '../record.ts';
import { isFrom } from '../release.ts';
import { effectiveRule, type CirculationRuleRow } from '../setup/setup-rows.ts';
import type { CheckoutRow } from './checkout-table.ts';

/** Koha's reasons about one checkout: upper-case keys, and in lower case the data that goes with them. */
export interface Availability {
  readonly blockers: Record<string, unknown>;
  readonly confirms: Record<string, unknown>;
  readonly warnings: Record<string, unknown>;
}

/** One checkout that is requested. */
export interface Wish {
  readonly double: Double;
  readonly patron: PatronRow;
  readonly item: ItemRow;
  readonly actingLibrary: string;
  /** A superlibrarian is not bound by `IndependentBranches`. */
  readonly isSuperlibrarian: boolean;
}

/** What prevents a checkout, without making one (`C4/Circulation.pm`, `CanBookBeIssued`). */
export function findAvailability(wish: Wish): Availability {
  const found: Availability = { blockers: {}, confirms: {}, warnings: {} };
  patronReasons(wish, found);
  debtReasons(wish, found);
  checkoutReasons(wish, found);
  limitReasons(wish, found);
  itemReasons(wish, found);
  holdReasons(wish, found);
  for (const { hidden } of [wish.patron, wish.item]) addScripted(hidden['circulation_extra'], found);
  return found;
}

/** Any further key that a test wants Koha to name, from the hidden column `circulation_extra`. */
function addScripted(extra: unknown, found: Availability): void {
  if (!isRecord(extra)) return;
  for (const group of ['blockers', 'confirms', 'warnings'] as const)
    Object.assign(found[group], extra[group]);
}

/** The circulation rule in force for this checkout. */
export function ruleFor(wish: Wish, name: string): CirculationRuleRow | undefined {
  const { double, patron, item, actingLibrary } = wish;
  return effectiveRule(double.db.circulationRules, name, {
    library_id: actingLibrary,
    patron_category_id: patron.columns.category_id,
    item_type_id: item.columns.item_type_id ?? '',
  });
}

const isBound = ({ double, isSuperlibrarian }: Wish): boolean =>
  double.settings.preferences.IndependentBranches === '1' && !isSuperlibrarian;

/** Reasons in the patron: flags, restriction, expiry, overdue checkouts, branch. */
function patronReasons(wish: Wish, { blockers, confirms }: Availability): void {
  const { patron, double, actingLibrary } = wish;
  const { columns } = patron;
  const today = double.clock.today();
  if (columns.incorrect_address === true) blockers['GNA'] = 1;
  if (columns.patron_card_lost === true) blockers['CARD_LOST'] = 1;
  if (isExpired(patron, today)) blockers['EXPIRED'] = 1;
  const now = double.clock.timestamp();
  const overdues = double.db.checkouts.ofPatron(patron.patron_id).filter(({ due_date }) => due_date < now);
  if (isRestricted(patron, today)) {
    const until = restrictedUntil(patron);
    blockers['DEBARRED'] = 1;
    blockers[until === '9999-12-31' ? 'USERBLOCKEDNOENDDATE' : 'USERBLOCKEDWITHENDDATE'] = until;
  } else if (overdues.length > 0) {
    const { OverduesBlockCirc: rule } = double.settings.preferences;
    if (rule === 'block') blockers['USERBLOCKEDOVERDUE'] = overdues.length;
    if (rule === 'confirmation') confirms['USERBLOCKEDOVERDUE'] = overdues.length;
  }
  if (isBound(wish) && columns.library_id !== actingLibrary) {
    confirms['BORRNOTSAMEBRANCH'] = columns.library_id;
  }
}

function debtReasons({ patron, double }: Wish, { blockers, confirms, warnings }: Availability): void {
  const { preferences } = double.settings;
  const owed = patron.account_balance;
  const category = double.db.categories.get(patron.columns.category_id);
  const limit = category?.no_issues_charge ?? Number(preferences.noissuescharge);
  if (owed > limit) {
    (preferences.AllowFineOverride === '1' ? confirms : blockers)['DEBT'] = owed;
  } else if (owed > 0 && preferences.AllFinesNeedOverride === '1') {
    confirms['DEBT'] = owed;
  }
  const other = patron.hidden['other_charges'];
  if (typeof other === 'number' && other > 0) warnings['OTHER_CHARGES'] = other.toFixed(2);
}

/** Reasons in checkouts: this item is out already, or the patron has or had it. */
function checkoutReasons(wish: Wish, found: Availability): void {
  const { double, patron, item } = wish;
  const checkout = double.db.checkouts.ofItem(item.item_id);
  if (checkout === undefined) otherCheckouts(wish, found);
  else if (checkout.patron_id !== patron.patron_id) ofAnother(wish, checkout, found);
  else if (checkout.onsite_checkout) found.blockers['NO_RENEWAL_FOR_ONSITE_CHECKOUTS'] = 1;
  // No rule for renewals means none are allowed.
  else if (checkout.renewals_count < Number(ruleFor(wish, 'renewalsallowed')?.value ?? 0)) {
    found.confirms['RENEW_ISSUE'] = 1;
  } else found.blockers['NO_MORE_RENEWALS'] = 1;
}

function ofAnother(wish: Wish, checkout: CheckoutRow, found: Availability): void {
  const { double, item, actingLibrary } = wish;
  const { preferences } = double.settings;
  const branches = returnBranches(preferences.AllowReturnToBranch, item);
  if (branches !== null && !branches.includes(actingLibrary)) {
    found.blockers['RETURN_IMPOSSIBLE'] = 1;
    found.blockers['branch_to_return'] = branches[0];
    return;
  }
  const other = double.db.patrons.get(checkout.patron_id);
  if (preferences.AutoReturnCheckedOutItems === '1') {
    found.warnings['RETURNED_FROM_ANOTHER'] = { patron: other === undefined ? null : rawRow(other) };
    return;
  }
  Object.assign(found.confirms, {
    ISSUED_TO_ANOTHER: 1,
    issued_firstname: other?.columns.firstname ?? null,
    issued_surname: other?.columns.surname ?? null,
    issued_cardnumber: other?.columns.cardnumber ?? null,
    issued_borrowernumber: checkout.patron_id,
  });
}

/** Where an item may be returned, the one that is named first; null: anywhere (`C4/Circulation.pm`, `CanBookBeReturned`). */
function returnBranches(allowed: string, { columns }: ItemRow): readonly (string | null)[] | null {
  switch (allowed) {
    case 'homebranch':
      return [columns.home_library_id];
    case 'holdingbranch':
      return [columns.holding_library_id];
    case 'homeorholdingbranch':
      return [columns.home_library_id, columns.holding_library_id];
    default:
      return null;
  }
}

/** The row in database names, password hash and all (`C4/Circulation.pm`, `CanBookBeIssued`; `Koha/Object.pm`, `TO_JSON`). */
function rawRow({ hidden, columns }: PatronRow): Record<string, unknown> {
  const raw = patronFields.fields.map(({ name, column }) => [column, columns[name] ?? null] as const);
  return { ...hidden, ...Object.fromEntries(raw) };
}

function otherCheckouts({ double, patron, item }: Wish, { confirms }: Availability): void {
  const { checkouts, items } = double.db;
  const isOfBiblio = ({ item_id: id }: CheckoutRow): boolean =>
    id !== null && items.get(id)?.columns.biblio_id === item.columns.biblio_id;
  const hasBiblio = checkouts.ofPatron(patron.patron_id).some(isOfBiblio);
  if (hasBiblio && double.settings.preferences.AllowMultipleIssuesOnABiblio === '0') {
    confirms['BIBLIO_ALREADY_ISSUED'] = 1;
  }
  const past = [...checkouts.returned()].filter(({ patron_id: id }) => id === patron.patron_id);
  if (checksHistory(double, patron) && past.some(isOfBiblio)) confirms['PREVISSUE'] = 1;
}

/** `hardyes` and `hardno` bind everybody, the soft ones leave it to the patron. */
function checksHistory({ settings }: Double, { columns }: PatronRow): boolean {
  const { CheckPrevCheckout: preference } = settings.preferences;
  if (preference.startsWith('hard')) return preference === 'hardyes';
  const own = columns['check_previous_checkout'];
  return own === 'yes' || (own === 'inherit' && preference === 'softyes');
}

/** Reasons in the circulation rules: too many checkouts, or no rule that allows any. */
function limitReasons(wish: Wish, { blockers, confirms }: Availability): void {
  const { double, patron } = wish;
  const rule = ruleFor(wish, 'maxissueqty');
  const count = double.db.checkouts.countOfPatron(patron.patron_id);
  const allowed = Number(rule?.value ?? 0);
  // An empty value is "unlimited".
  const isWithin = rule !== undefined && (rule.value === '' || count < allowed);
  if (Object.hasOwn(confirms, 'RENEW_ISSUE') || isWithin) return;
  if (allowed === 0) {
    confirms['PATRON_CANT'] = 1;
    confirms['circulation_rule_PATRON_CANT'] = rule ?? null;
  }
  const mayOverride = double.settings.preferences.AllowTooManyOverride === '1';
  Object.assign(mayOverride ? confirms : blockers, {
    TOO_MANY: rule === undefined ? 'NO_RULE_DEFINED' : 'TOO_MANY_CHECKOUTS',
    current_loan_count: count,
    max_loans_allowed: allowed,
  });
  // From 25.05 on this key stands among the confirms even when TOO_MANY blocks (`C4/Circulation.pm`, `CanBookBeIssued`).
  if (mayOverride || isFrom(double.settings.release, '25.05')) {
    confirms['circulation_rule_TOO_MANY'] = rule ?? null;
  }
}

/** Reasons in the item: not for loan, withdrawn, restricted, lost, age, charge, parts, branch. */
function itemReasons(wish: Wish, { blockers, confirms, warnings }: Availability): void {
  const { double, item, patron, actingLibrary } = wish;
  const { columns, hidden } = item;
  const { preferences } = double.settings;
  const type = double.db.itemTypes.get(columns.item_type_id ?? '');
  if (columns.not_for_loan_status !== 0 || type?.not_for_loan === true) {
    const mayForce = preferences.AllowNotForLoanOverride === '1';
    Object.assign(mayForce ? confirms : blockers, {
      [mayForce ? 'NOT_FOR_LOAN_FORCING' : 'NOT_FOR_LOAN']: 1,
      ...(columns.not_for_loan_status === 0
        ? { itemtype_notforloan: columns.item_type_id }
        : { item_notforloan: columns.not_for_loan_status }),
    });
  }
  if (columns.withdrawn !== 0) blockers['WTHDRAWN'] = 1;
  if (columns.restricted_status === 1) blockers['RESTRICTED'] = 1;
  const { IssueLostItem: lostRule } = preferences;
  if (columns.lost_status !== 0 && lostRule !== 'nothing') {
    const group = lostRule === 'confirm' ? confirms : warnings;
    group['ITEM_LOST'] = `Lost (${columns.lost_status})`;
  }
  const limit = hidden['age_restriction'];
  if (typeof limit === 'number' && ageOf(patron, double.clock.today()) < limit) {
    const group = preferences.AgeRestrictionOverride === '1' ? confirms : blockers;
    group['AGE_RESTRICTION'] = `Age ${limit}`;
  }
  const { rental_charge: own } = hidden;
  const charge = typeof own === 'number' ? own : (type?.rental_charge ?? 0);
  if (charge > 0 && preferences.RentalFeesCheckoutConfirmation === '1') confirms['RENTALCHARGE'] = charge;
  if (preferences.CircConfirmItemParts === '1' && (columns.materials_notes ?? '') !== '') {
    confirms['ADDITIONAL_MATERIALS'] = columns.materials_notes;
  }
  const isHome = preferences.HomeOrHoldingBranch === 'homebranch';
  const branch = columns[isHome ? 'home_library_id' : 'holding_library_id'];
  if (isBound(wish) && branch !== actingLibrary) {
    Object.assign(blockers, { ITEMNOTSAMEBRANCH: 1, itemhomebranch: branch });
  }
}

/** In years; of somebody without a birth date more than any limit. */
function ageOf({ columns: { date_of_birth: born } }: PatronRow, today: string): number {
  if (born === null) return Infinity;
  const years = Number(today.slice(0, 4)) - Number(born.slice(0, 4));
  return today.slice(5) < born.slice(5) ? years - 1 : years;
}

/** How a hold of somebody else stands, as Koha's confirm keys name it. */
const holdKeys = ['RESERVED', 'RESERVE_WAITING', 'TRANSFERRED', 'PROCESSING'] as const;

/**
 * Reasons in holds, recalls and bookings of others. They are read from hidden columns of the item: `hold`
 * `{state, patron_id}`, `recall` `{patron_id, in_transit?}`, `booking` `{patron_id, start_date?}`.
 */
function holdReasons(wish: Wish, found: Availability): void {
  const { hold, recall, booking } = wish.item.hidden;
  const own = wish.patron.patron_id;
  if (isRecord(hold) && hold['patron_id'] !== own) addHold(wish, hold, found);
  if (isRecord(recall)) {
    const group = recall['patron_id'] === own ? found.warnings : found.confirms;
    if (recall['in_transit'] === true) found.blockers['RECALLED_INTRANSIT'] = 1;
    else group['RECALLED'] = recall['recall_id'] ?? 1;
  }
  if (isRecord(booking)) addBooking(wish, booking, found);
}

/** A booking of somebody else blocks while it runs, and has to be confirmed when it begins later. */
function addBooking(wish: Wish, booking: Readonly<Record<string, unknown>>, found: Availability): void {
  const { start_date: start, patron_id = null } = booking;
  const isLater = typeof start === 'string' && start > wish.double.clock.today();
  const fact = { patron_id, ...(isLater ? { start_date: start } : {}) };
  const isOwn = patron_id === wish.patron.patron_id;
  if (!isOwn) (isLater ? found.confirms : found.blockers)['BOOKED_TO_ANOTHER'] = fact;
  else if (isLater) found.confirms['BOOKED_EARLY'] = fact;
}

function addHold(wish: Wish, hold: Readonly<Record<string, unknown>>, { confirms }: Availability): void {
  const state = holdKeys.find((key) => key === hold['state']) ?? 'RESERVED';
  const other = wish.double.db.patrons.get(Number(hold['patron_id']));
  const since = hold['date'] ?? wish.double.clock.today();
  Object.assign(confirms, {
    [state]: 1,
    resfirstname: other?.columns.firstname ?? null,
    ressurname: other?.columns.surname ?? null,
    rescardnumber: other?.columns.cardnumber ?? null,
    resborrowernumber: hold['patron_id'] ?? null,
    resbranchcode: other?.columns.library_id ?? null,
    reserve_id: hold['hold_id'] ?? 1,
    [state === 'RESERVE_WAITING' ? 'reswaitingdate' : 'resreservedate']: since,
  });
}
