/*
 * What the desk can do next: `open` the checkout, try `again`, `reload` the page, `register` the patron, search by `name`,
 * scan the `next` card. The first is the one to take.
 */

export const AFTER_OUTCOMES = {
  NOT_FOUND: ['register', 'name'],
  NOT_A_CARD: ['name', 'register'],
  AMBIGUOUS_HOME: ['register'],
  HOME_GONE: ['register', 'name'],
  NOT_ELIGIBLE: [],
  LOOKS_LIKE_LOCAL_PATRON: ['name'],
  LOCAL_CONFLICT: ['name'],
  MERGED_INTO_NATIVE: ['name'],
  OBSERVED: ['register'],
  COPY_ANONYMIZED: ['register', 'name'],
  HOME_UNREACHABLE: ['again', 'register'],
  LENDING_UNREACHABLE: ['again', 'register'],
  CONSENT_REFUSED: ['register'],
  CONSENT_LAPSED: ['again', 'register'],
  CONSENT_AT_DESK: ['again'],
  CANCELLED: ['again'],
  LENDING_REFUSED: ['again', 'register'],
  MISCONFIGURED: ['register', 'again'],
  TOO_LATE: ['again', 'register'],
};

const AFTER_FAULTS = {
  refused: ['register', 'again'],
  lost: ['again', 'register'],
  not_a_card: ['name', 'register'],
  session: ['reload'],
  forbidden: ['reload', 'register'],
};

export function nextAfterOutcome(outcome) {
  return [...(AFTER_OUTCOMES[outcome] || ['again', 'register']), 'next'];
}

export function nextAfterFault(fault) {
  return [...(AFTER_FAULTS[fault] || ['again', 'register']), 'next'];
}

/** With the patron here there is nothing left but to open the checkout; a card that is scanned now is a new scan. */
export const NEXT_WHEN_HERE = ['open', 'next'];

/** Nobody has to wait with us. */
export const NEXT_WHILE_WAITING = ['next', 'register'];
