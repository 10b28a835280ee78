import type { Outcome } from '@passport/contract';

/**
 * Whether nobody can say, at this outcome, if a copy that was sent is there: then its home is named all the same. A new outcome does
 * not compile without a row.
 */
export const COPY_MAY_BE_THERE: Readonly<Record<Outcome, boolean>> = {
  COPIED: false,
  ALREADY_LOCAL: false,
  NOT_FOUND: false,
  NOT_A_CARD: false,
  AMBIGUOUS_HOME: false,
  NOT_ELIGIBLE: false,
  LOOKS_LIKE_LOCAL_PATRON: false,
  LOCAL_CONFLICT: false,
  HOME_GONE: false,
  MERGED_INTO_NATIVE: false,
  COPY_ANONYMIZED: false,
  OBSERVED: false,
  CANCELLED: true,
  CONSENT_REFUSED: false,
  CONSENT_LAPSED: false,
  CONSENT_AT_DESK: false,
  HOME_UNREACHABLE: true,
  LENDING_UNREACHABLE: true,
  LENDING_REFUSED: false,
  MISCONFIGURED: false,
  TOO_LATE: false,
};
