export { readAnswer } from './answer.ts';
export type { Answer } from './answer.ts';
export { meaningOf } from './failure.ts';
export { decideCandidates, libraryById } from './candidates.ts';
export type { Candidate } from './candidates.ts';
export { passesCategoryFilter } from './category-filter.ts';
export { cleanText } from './clean-text.ts';
export { explain } from './explain.ts';
export type { Explanation } from './explanation.ts';
export { fitText } from './fit-text.ts';
export { isCopy, passportTypes } from './is-copy.ts';
export { decideEligibility, isWithheld } from './eligibility.ts';
export type { Case, EligibilityDecision } from './eligibility.ts';
export { decideLocalMatch } from './local-match.ts';
export {
  copyCategoriesOf,
  homeKeysOf,
  isInForeignCategory,
  isMergedCopy,
  isRenumbered,
  isSomebodyElse,
} from './merged-copy.ts';
export type { CopyTraits } from './merged-copy.ts';
export type { LocalMatch, LocalRecords } from './local-match.ts';
export { decideHome, locate } from './locate.ts';
export type { Located, Location, Silent } from './locate.ts';
export type { CopyFinding } from './copy-findings.ts';
export { decideRefresh, isBlind, isNobodyShown, refreshBody, wantedValues } from './refresh.ts';
export type { RefreshCase, RefreshDecision, RestrictionChange } from './refresh.ts';
export { WRITTEN_FIELD, writtenText, writtenValues } from './written-fields.ts';
export { buildPatronCopy, homeKeyOf } from './patron-copy.ts';
export type { CopyCase, PatronCopy } from './patron-copy.ts';
