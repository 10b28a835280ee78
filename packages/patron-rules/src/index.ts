export { readAnswer, type Answer } from './answer.ts';
export { meaningOf } from './failure.ts';
export {
  cardsOfCopy,
  decideCandidates,
  isNumberOf,
  isOwnCard,
  libraryById,
  numbersAt,
  type Candidate,
} from './candidates.ts';
export {
  carriedFields,
  carriedRestriction,
  carriedText,
  carriesRestriction,
  sharesComments,
  type CarriedRestriction,
} from './carried-restriction.ts';
export { passesCategoryFilter } from './category-filter.ts';
export { cleanText } from './clean-text.ts';
export { explain, type Search } from './explain.ts';
export type { Explanation } from './explanation.ts';
export { fitText } from './fit-text.ts';
export { isCopy, passportTypes } from './is-copy.ts';
export {
  areSoft,
  decideEligibility,
  isWithheld,
  type Case,
  type EligibilityDecision,
} from './eligibility.ts';
export { decideLocalMatch, type LocalMatch, type LocalRecords } from './local-match.ts';
export {
  copyCategoriesOf,
  homeKeysOf,
  isInForeignCategory,
  isMergedCopy,
  isSomebodyElse,
  type CopyTraits,
} from './merged-copy.ts';
export { comparedFields, personIn, personToSearch } from './compare-persons.ts';
export { decideHome, locate, type Located, type Location, type Silent } from './locate.ts';
export { isRenumbered } from './renumbered.ts';
export type { CopyFinding } from './copy-findings.ts';
export {
  decideRefresh,
  equalValues,
  isBlind,
  isNobodyShown,
  isLeftAlone,
  refreshBody,
  wantedValues,
  type RefreshCase,
  type RefreshDecision,
  type RestrictionChange,
} from './refresh.ts';
export {
  decideStanding,
  withoutOverridden,
  decideStandingChange,
  standingText,
  type StandingCase,
  type StandingChange,
} from './standing.ts';
export {
  CARD_LOST,
  RESTRICTED,
  STANDING,
  WRITTEN_FIELD,
  type IsWritten,
  buildIsWritten,
  hashedFields,
  writtenText,
  writtenValues,
} from './written-fields.ts';
export { buildPatronCopy, chooseCategory, homeKeyOf, type CopyCase, type PatronCopy } from './patron-copy.ts';
