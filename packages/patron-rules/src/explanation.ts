import type { EligibilityReason } from '@passport/contract';
import type { Problem } from './failure.ts';
import type { Judgement } from './judge.ts';
import type { LocalHolder } from './local-look.ts';
import type { Located, Refusing, Silent } from './locate.ts';

/** What the worker would do with a scan: names and codes, no value of any patron. */
export interface Explanation {
  readonly lending: string;
  /** Who was asked, as the worker would, in the configuration's order. Empty: `NOT_A_CARD`. */
  readonly asked: readonly string[];
  readonly located: Located['kind'] | 'not_a_card';
  /** Where the card is at home; several when it is ambiguous. */
  readonly homes: readonly string[];
  readonly silent: readonly Silent[];
  readonly refused: readonly Refusing[];
  readonly judgement: Judgement['kind'] | null;
  /** Why the home library does not share the patron, or all reasons of the lending library's policy. */
  readonly notSharedBecause: string | null;
  readonly reasons: readonly EligibilityReason[];
  readonly problem: (Problem & { readonly library: string }) | null;
  readonly copy: ExplainedCopy | null;
  /** Who already holds the card or the home key at the lending library. */
  readonly local: LocalHolder | null;
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
}
