import type { Agreement, Library } from '@passport/config';
import { STANDING_REASONS, type StandingReason } from '@passport/contract';
import type { KohaPatron, RememberedCopy, Standing } from '@passport/koha-client';
import type { CopyFinding } from './copy-findings.ts';
import { areSoft, decideEligibility } from './eligibility.ts';
import { isCopy } from './is-copy.ts';
import { type IsWritten, STANDING } from './written-fields.ts';

/** What the standing of a copy's patron depends on. */
export interface StandingCase {
  readonly homeRecord: KohaPatron;
  readonly home: Library;
  readonly lending: Library;
  readonly agreement: Agreement;
  /** The attribute types that mark a copy anywhere: home does not share somebody else's. */
  readonly passportTypes: ReadonlySet<string>;
  /** `YYYY-MM-DD` */
  readonly today: string;
}

/**
 * Why the patron of a copy would not be copied today, in the contract's order; nothing: they are in good standing. Decided as at a first
 * scan (`decideEligibility`), from what home has now.
 */
export function decideStanding(input: StandingCase): readonly StandingReason[] {
  const { homeRecord: patron, home, lending, agreement, passportTypes, today: scannedOn } = input;
  if (patron.anonymized === true) return ['HOME_GONE'];
  if (isCopy(patron, passportTypes)) return ['NOT_SHARED'];
  const decided = decideEligibility({ patron, home, agreement, lending, scannedOn });
  switch (decided.kind) {
    case 'eligible':
      return [];
    case 'not_shared':
      // What home does not show says nothing of what it shares.
      return decided.because === 'unverifiable' ? ['UNVERIFIABLE'] : ['NOT_SHARED'];
    case 'not_eligible':
      return decided.reasons;
    default:
      return decided satisfies never;
  }
}

/**
 * The reasons without those that staff have overridden when the copy was made: until that lapses, and for as long as the lending library
 * calls the rule soft.
 */
export function withoutOverridden(
  reasons: readonly StandingReason[],
  overridden: { readonly reasons: readonly string[]; readonly untilMs: number } | null,
  { eligibility }: Pick<Library, 'eligibility'>,
  nowMs: number,
): readonly StandingReason[] {
  if (overridden === null || nowMs > overridden.untilMs) return reasons;
  return reasons.filter((reason) => !overridden.reasons.includes(reason) || !areSoft([reason], eligibility));
}

/** What becomes of what is shown of a copy's standing, and of the service's own restriction for it. */
export interface StandingChange {
  /** What the lending library gets to know; null: nothing any more. */
  readonly shown: Standing | null;
  /** Whether that is something else than what it was told last. */
  readonly isNews: boolean;
  /** The reasons to restrict the copy for; null: the restriction is not set, or stays as it is. */
  readonly restricted: readonly StandingReason[] | null;
  /** The home libraries whose restriction is lifted: this one, or what it was called before. */
  readonly lifted: readonly string[];
  readonly findings: readonly CopyFinding[];
  /** Whether somebody has to look at it: the patron is in no good standing, and the copy is not restricted for that. */
  readonly isOpen: boolean;
}

/**
 * Decides what a lending library is told of the standing of a copy, and whether the copy is restricted for it. What is only unverifiable
 * restricts nobody and frees nobody: it says nothing of the patron. With `off` what was told and set before is taken back.
 */
export function decideStandingChange(
  reasons: readonly StandingReason[],
  {
    home: { id, name },
    lending: { standing, copy, eligibility },
    remembered,
    isWritten,
  }: {
    readonly home: Pick<Library, 'id' | 'name'>;
    readonly lending: Library;
    readonly remembered: RememberedCopy;
    readonly isWritten: IsWritten;
  },
): StandingChange {
  const restrictedAt = remembered.standingAt;
  if (standing === 'off') {
    const isNews = remembered.standing !== null || restrictedAt.length > 0;
    return { shown: null, isNews, restricted: null, lifted: restrictedAt, findings: [], isOpen: false };
  }
  const isGood = reasons.length === 0;
  const told = eligibility.showReasons ? reasons : [];
  const last = remembered.fields[STANDING];
  const wasGood = remembered.standing?.isGood ?? null;
  const isSame =
    wasGood === isGood &&
    last !== undefined &&
    isWritten(STANDING, standingText(isGood, told), last.hash) === true;
  const isRestricting = standing === 'restrict' && copy.consent === null;
  const isUnknown = reasons.length === 1 && reasons[0] === 'UNVERIFIABLE';
  const isRestricted = restrictedAt.includes(id);
  const lifted = restrictedAt.filter((at) => at !== id || isGood || !isRestricting);
  const restricts = isRestricting && !isGood && !isUnknown && !(isSame && isRestricted);
  return {
    shown: { isGood, reasons: told, homeName: name },
    isNews: !isSame || restricts || lifted.length > 0,
    restricted: restricts ? told : null,
    lifted,
    isOpen: !isGood && !isUnknown && !isRestricting,
    findings: isGood
      ? wasGood === false
        ? ['ELIGIBLE_AGAIN']
        : []
      : ['NOT_ELIGIBLE', ...STANDING_REASONS.filter((reason) => told.includes(reason))],
  };
}

/** The text whose keyed hash says what a lending library was told of a copy's standing. */
export const standingText = (isGood: boolean, reasons: readonly string[]): string =>
  isGood ? 'GOOD' : ['NOT_GOOD', ...reasons].join(' ');
