/*
 * The outcome of a step: `done`, `now` or `later`; `none`: nobody knows the card; `several`: too many do; `stopped`: there
 * is a reason not to do it; `skipped`: there was no occasion to; `failed`: something that should work does not;
 * `unknown`: nothing is heard of it any more.
 *
 * What the desk can do next: `open` the checkout, try `again`, look an item's barcode up as a `card`, `reload` the page, `register` the patron, search by `name`,
 * scan the `next` card. The first is the one to take.
 */

/**
 * Each outcome after which nothing can be checked out: how the search and the copy ended (of a cancelled scan it depends on when it
 * was cancelled), and what is next.
 */
export const OUTCOMES = {
  NOT_FOUND: { search: 'none', copy: 'skipped', next: ['register', 'name'] },
  NOT_A_CARD: { search: 'skipped', copy: 'skipped', next: ['name', 'register'] },
  AMBIGUOUS_HOME: { search: 'several', copy: 'skipped', next: ['register'] },
  HOME_GONE: { search: 'none', copy: 'skipped', next: ['register', 'name'] },
  HOME_UNREACHABLE: { search: 'failed', copy: 'skipped', next: ['again', 'register'] },
  TOO_LATE: { search: 'skipped', copy: 'skipped', next: ['again', 'register'] },
  NOT_ELIGIBLE: { search: 'done', copy: 'stopped', next: [] },
  LOOKS_LIKE_LOCAL_PATRON: { search: 'done', copy: 'stopped', next: ['name'] },
  LOCAL_CONFLICT: { search: 'done', copy: 'stopped', next: ['name'] },
  MERGED_INTO_NATIVE: { search: 'done', copy: 'stopped', next: ['name'] },
  COPY_ANONYMIZED: { search: 'done', copy: 'stopped', next: ['register', 'name'] },
  OBSERVED: { search: 'done', copy: 'skipped', next: ['register'] },
  CONSENT_REFUSED: { search: 'done', copy: 'stopped', next: ['register'] },
  CONSENT_LAPSED: { search: 'done', copy: 'stopped', next: ['again', 'register'] },
  CONSENT_AT_DESK: { search: 'done', copy: 'stopped', next: ['again'] },
  LENDING_REFUSED: { search: 'done', copy: 'failed', next: ['again', 'register'] },
  LENDING_UNREACHABLE: { search: 'done', copy: 'failed', next: ['again', 'register'] },
  MISCONFIGURED: { search: 'failed', copy: 'skipped', next: ['register', 'again'] },
  CANCELLED: { next: ['again'] },
};

const AFTER_FAULTS = {
  refused: ['register', 'again'],
  lost: ['again', 'register'],
  not_a_card: ['name', 'register'],
  item_here: ['card'],
  session: ['reload'],
  forbidden: ['reload', 'register'],
};

const AFTER_OTHERS = ['again', 'register'];

/** After a pause trying again at once is of no use. */
export function nextAfterOutcome(outcome, reasons) {
  const { next } = OUTCOMES[outcome] || { next: AFTER_OTHERS };
  const isPaused = (reasons || []).includes('PAUSED');
  return [...(isPaused ? next.toReversed() : next), 'next'];
}

export function nextAfterFault(fault) {
  return [...(AFTER_FAULTS[fault] || AFTER_OTHERS), 'next'];
}

/** With the patron here there is nothing left but to open the checkout; a card that is scanned now is a new scan. */
export const NEXT_WHEN_HERE = ['open', 'next'];

/** Nobody has to wait with us. */
export const NEXT_WHILE_WAITING = ['next', 'register'];
