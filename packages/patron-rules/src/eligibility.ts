import type { Agreement, Eligibility, Library } from '@passport/config';
import { ELIGIBILITY_REASONS, type EligibilityReason, type StandingReason } from '@passport/contract';
import type { KohaPatron } from '@passport/koha-client';
import { passesCategoryFilter } from './category-filter.ts';
import { cleanText } from './clean-text.ts';

/** Everything the eligibility of a patron depends on. */
export interface Case {
  readonly patron: KohaPatron;
  readonly home: Library;
  readonly agreement: Agreement;
  readonly lending: Library;
  /** The day of the scan where it was made (`YYYY-MM-DD`). */
  readonly scannedOn: string;
}

export type EligibilityDecision =
  | { readonly kind: 'eligible' }
  /** The home library does not share this patron: nobody there, as far as the lending library is concerned. */
  | { readonly kind: 'not_shared'; readonly because: 'category' | 'opt_out' | 'unverifiable' }
  /** All reasons that apply, in the contract's order. */
  | { readonly kind: 'not_eligible'; readonly reasons: readonly EligibilityReason[] };

/** A fact the policy needs: a reason against, none, or not known. */
type Finding = EligibilityReason | null;

/**
 * Decides the eligibility of a patron: the home library's own say first, then the lending library's policy. A fact that is
 * needed and missing is `UNVERIFIABLE` (towards the home's say: not shared), never a yes.
 */
export function decideEligibility(input: Case): EligibilityDecision {
  const withheld = decideShare(input);
  if (withheld !== null) return { kind: 'not_shared', because: withheld };
  const found = new Set(findings(input));
  const reasons = ELIGIBILITY_REASONS.filter((reason) => found.has(reason));
  return reasons.length === 0 ? { kind: 'eligible' } : { kind: 'not_eligible', reasons };
}

/** Whether staff of the lending library may override a refusal for these reasons: each is a rule that it calls soft. */
export const areSoft = (
  reasons: readonly StandingReason[],
  { override }: Pick<Eligibility, 'override'>,
): boolean =>
  override !== null && reasons.every((reason) => override.reasons.some((soft) => soft === reason));

/** Whether the home library does not share this patron with any library. */
export function isWithheld(patron: KohaPatron, home: Library): boolean {
  return decideShare({ patron, home }) !== null;
}

function decideShare({
  patron,
  home: { share },
}: Pick<Case, 'patron' | 'home'>): 'category' | 'opt_out' | 'unverifiable' | null {
  const shared = passesCategoryFilter(share.categories, patron.categoryId);
  if (shared === false) return 'category';
  if (share.optOutAttribute !== null) {
    if (patron.attributes === null) return 'unverifiable';
    if (patron.attributes.some(({ type }) => type === share.optOutAttribute)) return 'opt_out';
  }
  return shared === null ? 'unverifiable' : null;
}

function findings({ patron, agreement, lending: { eligibility }, scannedOn }: Case): Finding[] {
  const agreed = passesCategoryFilter(agreement.categories, patron.categoryId);
  return [
    expiry(patron, eligibility, scannedOn),
    restriction(patron, eligibility),
    flagged(eligibility.cardLost, patron.cardLost, 'CARD_LOST'),
    flagged(eligibility.addressUnconfirmed, patron.incorrectAddress, 'ADDRESS_UNCONFIRMED'),
    debt(patron, eligibility),
    age(patron, eligibility, scannedOn),
    agreed === null ? 'UNVERIFIABLE' : agreed ? null : 'CATEGORY_NOT_ELIGIBLE',
    // Without its attributes nobody can distinguish a patron from somebody else's copy.
    patron.attributes === null ? 'UNVERIFIABLE' : null,
    cleanText(patron.surname ?? '') === '' ? 'INCOMPLETE_RECORD' : null,
  ];
}

/** By the date and by Koha's flag, whichever the release has; a patron is still good on the last day, as in Koha. */
function expiry(patron: KohaPatron, { expired }: Eligibility, scannedOn: string): Finding {
  if (expired === 'allow') return null;
  if (patron.expired === true) return 'EXPIRED';
  if (patron.expiryDate !== null) return patron.expiryDate < scannedOn ? 'EXPIRED' : null;
  return patron.expired === null ? 'UNVERIFIABLE' : null;
}

/** Who is restricted is copied with the restriction, so that whether they are has to be known in any case. */
function restriction({ restricted: flag }: KohaPatron, { restricted: policy }: Eligibility): Finding {
  if (policy === 'allow') return flag === null ? 'UNVERIFIABLE' : null;
  return flagged(policy, flag, 'RESTRICTED');
}

function flagged(policy: 'refuse' | 'allow', flag: boolean | null, reason: EligibilityReason): Finding {
  if (policy === 'allow') return null;
  if (flag === null) return 'UNVERIFIABLE';
  return flag ? reason : null;
}

function debt({ accountBalance }: KohaPatron, { maxDebt }: Eligibility): Finding {
  if (maxDebt === null) return null;
  if (accountBalance === null) return 'UNVERIFIABLE';
  // In cents: sums of Koha's decimals do not come out even in binary.
  return Math.round(accountBalance * 100) > Math.round(maxDebt * 100) ? 'DEBT_OVER_LIMIT' : null;
}

function age({ dateOfBirth }: KohaPatron, { minAge }: Eligibility, scannedOn: string): Finding {
  if (minAge === null) return null;
  if (dateOfBirth === null) return 'UNVERIFIABLE';
  return ageOn(scannedOn, dateOfBirth) < minAge ? 'UNDER_AGE' : null;
}

/** Completed years of life on a day. Both are `YYYY-MM-DD`; who was born on 29 February grows older on 1 March. */
function ageOn(day: string, dateOfBirth: string): number {
  const years = Number(day.slice(0, 4)) - Number(dateOfBirth.slice(0, 4));
  return day.slice(5) < dateOfBirth.slice(5) ? years - 1 : years;
}
