import type { Double } from '../double.ts';
import type { ItemRow } from '../items/item-table.ts';
import { isExpired, isRestricted, restrictedUntil, type PatronRow } from '../patrons/patron-table.ts';
import { isRecord } from '../record.ts';
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

/** As Koha's preferences are by default; with others, keys stand in another group, which a test scripts. */
const MOST_DEBT = 5;

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

/** Reasons in the patron: flags, restriction, expiry, branch. */
function patronReasons(wish: Wish, { blockers, confirms }: Availability): void {
  const { patron, double, actingLibrary } = wish;
  const { columns } = patron;
  const today = double.clock.today();
  if (columns.incorrect_address === true) blockers['GNA'] = 1;
  if (columns.patron_card_lost === true) blockers['CARD_LOST'] = 1;
  if (isExpired(patron, today)) blockers['EXPIRED'] = 1;
  if (isRestricted(patron, today)) {
    const until = restrictedUntil(patron);
    blockers['DEBARRED'] = 1;
    blockers[until === '9999-12-31' ? 'USERBLOCKEDNOENDDATE' : 'USERBLOCKEDWITHENDDATE'] = until;
  }
  if (isBound(wish) && columns.library_id !== actingLibrary) {
    confirms['BORRNOTSAMEBRANCH'] = columns.library_id;
  }
}

function debtReasons({ patron, double }: Wish, { blockers, confirms }: Availability): void {
  const owed = patron.account_balance;
  const category = double.db.categories.get(patron.columns.category_id);
  if (owed > (category?.no_issues_charge ?? MOST_DEBT)) blockers['DEBT'] = owed;
  else if (owed > 0) confirms['DEBT'] = owed;
}

/** Reasons in checkouts: this item is out already. */
function checkoutReasons(wish: Wish, found: Availability): void {
  const { double, patron, item } = wish;
  const checkout = double.db.checkouts.ofItem(item.item_id);
  if (checkout === undefined) return;
  if (checkout.patron_id !== patron.patron_id) ofAnother(wish, checkout, found);
  else if (checkout.onsite_checkout) found.blockers['NO_RENEWAL_FOR_ONSITE_CHECKOUTS'] = 1;
  // No rule for renewals means none are allowed.
  else if (checkout.renewals_count < Number(ruleFor(wish, 'renewalsallowed')?.value ?? 0)) {
    found.confirms['RENEW_ISSUE'] = 1;
  } else found.blockers['NO_MORE_RENEWALS'] = 1;
}

function ofAnother({ double }: Wish, checkout: CheckoutRow, found: Availability): void {
  const other = double.db.patrons.get(checkout.patron_id);
  Object.assign(found.confirms, {
    ISSUED_TO_ANOTHER: 1,
    issued_firstname: other?.columns.firstname ?? null,
    issued_surname: other?.columns.surname ?? null,
    issued_cardnumber: other?.columns.cardnumber ?? null,
    issued_borrowernumber: checkout.patron_id,
  });
}

/** Reasons in the circulation rules: too many checkouts, or no rule that allows any. */
function limitReasons(wish: Wish, { confirms }: Availability): void {
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
  Object.assign(confirms, {
    TOO_MANY: rule === undefined ? 'NO_RULE_DEFINED' : 'TOO_MANY_CHECKOUTS',
    current_loan_count: count,
    max_loans_allowed: allowed,
    circulation_rule_TOO_MANY: rule ?? null,
  });
}

/** Reasons in the item: not for loan, withdrawn, restricted, charge, parts, branch. */
function itemReasons(wish: Wish, { blockers, confirms }: Availability): void {
  const { double, item, actingLibrary } = wish;
  const { columns, hidden } = item;
  const { preferences } = double.settings;
  const type = double.db.itemTypes.get(columns.item_type_id ?? '');
  if (columns.not_for_loan_status !== 0 || type?.not_for_loan === true) {
    Object.assign(blockers, {
      NOT_FOR_LOAN: 1,
      ...(columns.not_for_loan_status === 0
        ? { itemtype_notforloan: columns.item_type_id }
        : { item_notforloan: columns.not_for_loan_status }),
    });
  }
  if (columns.withdrawn !== 0) blockers['WTHDRAWN'] = 1;
  if (columns.restricted_status === 1) blockers['RESTRICTED'] = 1;
  const { rental_charge: own } = hidden;
  const charge = typeof own === 'number' ? own : (type?.rental_charge ?? 0);
  if (charge > 0 && preferences.RentalFeesCheckoutConfirmation === '1') confirms['RENTALCHARGE'] = charge;
  if (preferences.CircConfirmItemParts === '1' && (columns.materials_notes ?? '') !== '') {
    confirms['ADDITIONAL_MATERIALS'] = columns.materials_notes;
  }
  const branch = columns.holding_library_id;
  if (isBound(wish) && branch !== actingLibrary) {
    Object.assign(blockers, { ITEMNOTSAMEBRANCH: 1, itemhomebranch: branch });
  }
}

/** How a hold of somebody else stands, as Koha's confirm keys name it. */
const holdKeys = ['RESERVED', 'RESERVE_WAITING', 'TRANSFERRED', 'PROCESSING'] as const;

/** Reasons in a hold of somebody else, which is read from the hidden column `hold` of the item: `{state, patron_id}`. */
function holdReasons(wish: Wish, found: Availability): void {
  const { hold } = wish.item.hidden;
  if (isRecord(hold) && hold['patron_id'] !== wish.patron.patron_id) addHold(wish, hold, found);
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
