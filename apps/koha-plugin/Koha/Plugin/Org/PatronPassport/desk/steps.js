import {
  cancelEnd,
  checkoutOf,
  hasNoWorker,
  isCheckedOut,
  isCheckoutPending,
  isFinal,
  isHere,
  isLocated,
} from './scan-state.js';

/*
 * What became of a step: `done`, `now` or `later`; `none`: nobody knows the card; `several`: too many do; `stopped`: there
 * is a reason not to do it; `skipped`: there was no occasion to; `failed`: something that should work does not;
 * `unknown`: nothing is heard of it any more.
 */

/**
 * How the search and the copy ended, for each outcome after which nothing can be checked out; of a cancelled scan it depends
 * on when it was cancelled.
 */
export const ENDS = {
  NOT_FOUND: { search: 'none', copy: 'skipped' },
  NOT_A_CARD: { search: 'skipped', copy: 'skipped' },
  AMBIGUOUS_HOME: { search: 'several', copy: 'skipped' },
  HOME_GONE: { search: 'none', copy: 'skipped' },
  HOME_UNREACHABLE: { search: 'failed', copy: 'skipped' },
  TOO_LATE: { search: 'skipped', copy: 'skipped' },
  NOT_ELIGIBLE: { search: 'done', copy: 'stopped' },
  LOOKS_LIKE_LOCAL_PATRON: { search: 'done', copy: 'stopped' },
  LOCAL_CONFLICT: { search: 'done', copy: 'stopped' },
  MERGED_INTO_NATIVE: { search: 'done', copy: 'stopped' },
  COPY_ANONYMIZED: { search: 'done', copy: 'stopped' },
  OBSERVED: { search: 'done', copy: 'skipped' },
  CONSENT_REFUSED: { search: 'done', copy: 'stopped' },
  CONSENT_LAPSED: { search: 'done', copy: 'stopped' },
  CONSENT_AT_DESK: { search: 'done', copy: 'stopped' },
  LENDING_REFUSED: { search: 'done', copy: 'failed' },
  LENDING_UNREACHABLE: { search: 'done', copy: 'failed' },
  MISCONFIGURED: { search: 'failed', copy: 'skipped' },
};
/** A fault here is no failure of the search. */
const FAULT_HERE = { search: 'done', copy: 'failed' };

/** Results for the item that are no failure: Koha said why, or the item waited too long. */
const CHECKOUT_ENDS = { NEEDS_CONFIRMATION: 'stopped', BLOCKED: 'stopped', ITEM_NOT_FOUND: 'stopped' };

/** How far a cancelled scan had come; what it did not come to is not done any more. */
export function cancelledSteps(end, withItem) {
  if (end === 'forgotten') return unheard(cancelledSteps('nothing', withItem));
  const copy = { nothing: 'skipped', sent: 'unknown' }[end] || 'done';
  const checkout = end === 'checked_out' ? 'done' : 'skipped';
  return {
    report: 'done',
    search: end === 'nothing' ? 'skipped' : 'done',
    copy,
    ...(withItem ? { checkout } : {}),
  };
}

/** The steps of the workflow and what became of each. */
export function stepsOf(view) {
  const steps = { report: 'now', search: 'later', copy: 'later' };
  if (view.withItem) steps.checkout = 'later';
  if (!view.state) return view.isOver ? { ...steps, ...unreported(view) } : steps;

  const reported = { ...steps, report: 'done' };
  const known = isFinal(view.state) ? endedSteps(view, reported) : runningSteps(view, reported);
  return view.isOver && !isFinal(view.state) ? unheard(known) : known;
}

function unreported({ fault, withItem }) {
  const skipped = {
    report: fault === 'not_a_card' ? 'skipped' : 'failed',
    search: 'skipped',
    copy: 'skipped',
  };
  return withItem ? { ...skipped, checkout: 'skipped' } : skipped;
}

function runningSteps({ state, followedMs }, steps) {
  // while it waits for the patron, nothing is done
  if (state.consent) return { ...steps, search: 'done' };
  if (isCheckoutPending(state)) return { ...steps, search: 'done', copy: 'done', checkout: 'now' };
  if (isLocated(state)) return { ...steps, search: 'done', copy: 'now' };
  const isHeld = hasNoWorker(state) || (state.state === 'queued' && followedMs > LONG_QUEUED_MS);
  return { ...steps, search: isHeld ? 'later' : 'now' };
}

/** A scan that is taken is taken at once; of one that is not yet after so long, it is said. */
export const LONG_QUEUED_MS = 4000;

function endedSteps({ state, withItem }, steps) {
  if (isHere(state)) {
    const checkout = isCheckedOut(state) ? 'done' : CHECKOUT_ENDS[checkoutOf(state)] || 'skipped';
    return { ...steps, search: 'done', copy: 'done', ...(withItem ? { checkout } : {}) };
  }
  if (state.outcome === 'CANCELLED') return { ...steps, ...cancelledSteps(cancelEnd(state), withItem) };
  const isFaultHere =
    state.outcome === 'MISCONFIGURED' && state.problem && state.problem.library === state.library;
  const ends = isFaultHere ? FAULT_HERE : ENDS[state.outcome] || { search: 'unknown', copy: 'unknown' };
  return { ...steps, ...ends, ...(withItem ? { checkout: 'skipped' } : {}) };
}

function unheard(steps) {
  return Object.fromEntries(
    Object.entries(steps).map(([step, is]) => [step, is === 'done' ? is : 'unknown']),
  );
}
