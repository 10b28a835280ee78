/**
 * Koha's reasons for and against a checkout, 23.11 to 26.05: `CanBookBeIssued` and `TooMany` of `C4/Circulation.pm`, and
 * `Koha::REST::V1::Checkouts`.
 */
const KNOWN: ReadonlySet<string> = new Set(
  `ADDITIONAL_MATERIALS AGE_RESTRICTION BIBLIO_ALREADY_ISSUED BOOKED BOOKED_EARLY BOOKED_TO_ANOTHER
  BORRNOTSAMEBRANCH CARD_LOST CURRENTISSUE DEBARRED DEBT DEBT_GUARANTEES DEBT_GUARANTORS
  DEBT_LINKED_ACCOUNTS EXPIRED GNA HIGHHOLDS INVALID_DATE ISSUED_TO_ANOTHER ITEMNOTSAMEBRANCH
  ITEM_LOST NOT_FOR_LOAN NOT_FOR_LOAN_FORCING NO_MORE_RENEWALS NO_RENEWAL_FOR_ONSITE_CHECKOUTS
  NO_RULE_DEFINED ONSITE_CHECKOUT_WILL_BE_SWITCHED OTHER_CHARGES PATRON_CANT PREVISSUE PROCESSING
  RECALLED RECALLED_INTRANSIT RENEW_ISSUE RENTALCHARGE RESERVED RESERVE_WAITING RESTRICTED
  RETURNED_FROM_ANOTHER RETURN_IMPOSSIBLE STATS TOO_MANY TOO_MANY_CHECKOUTS
  TOO_MANY_ONSITE_CHECKOUTS TRANSFERRED UNKNOWN_BARCODE USERBLOCKEDNOENDDATE USERBLOCKEDOVERDUE
  USERBLOCKEDWITHENDDATE WTHDRAWN`.split(/\s+/),
);

/** Stands for reasons that are not known here. It is in no list of what may be confirmed, so a person decides. */
const OTHER_REASON = 'OTHER';

/**
 * The reasons among the keys of a Koha's answer, sorted, each once. Upper case is a reason; lower case is data that goes with one,
 * another patron's name and card among it, and is dropped. A reason that no release has is not passed on in its own words, but never
 * dropped either: it is counted as `OTHER`.
 */
export function checkoutReasons(keys: readonly string[]): string[] {
  const reasons = keys
    .filter((key) => /^[A-Z]/.test(key))
    .map((key) => (KNOWN.has(key) ? key : OTHER_REASON));
  return [...new Set(reasons)].toSorted();
}
