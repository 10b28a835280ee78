import type { EligibilityReason } from '@passport/contract';
import type { Misconfiguration } from './failure.ts';
import type { EligibilityDecision } from './eligibility.ts';
import type { LocalMatch } from './local-match.ts';
import type { Located, Refusing, Silent } from './locate.ts';

/** What the worker would do with a scan: names and codes, no value of any patron. */
export interface Explanation {
  readonly lending: string;
  /** Who was queried, as the worker would, in the configuration's order. Empty: `NOT_A_CARD`. */
  readonly queried: readonly string[];
  readonly located: Located['kind'] | 'not_a_card';
  /** Where the card is at home; several when it is ambiguous. */
  readonly homes: readonly string[];
  readonly silent: readonly Silent[];
  readonly refused: readonly Refusing[];
  readonly judgement: EligibilityDecision['kind'] | null;
  /** Why the home library does not share the patron, or all reasons of the lending library's policy. */
  readonly notSharedBecause: string | null;
  readonly reasons: readonly EligibilityReason[];
  readonly problem: (Misconfiguration & { readonly library: string }) | null;
  readonly copy: ExplainedCopy | null;
  /** Who already has the card or the home key at the lending library. */
  readonly local: LocalMatch | null;
  /** Whether somebody of this name and birth date is there, where nobody has the card, and where such a copy is not made. */
  readonly lookAlike: boolean;
}

/** The copy that would be made, by names. */
export interface ExplainedCopy {
  readonly category: string;
  readonly branch: string;
  readonly homeKey: string;
  readonly expiryDate: string | null;
  /** Fields whose values come from home. */
  readonly fields: readonly string[];
  /** Every property of the body, the fixed ones among them. */
  readonly properties: readonly string[];
  readonly attributeTypes: readonly string[];
  /** Whether it gets the restriction that the patron has at home. */
  readonly restricted: boolean;
}
