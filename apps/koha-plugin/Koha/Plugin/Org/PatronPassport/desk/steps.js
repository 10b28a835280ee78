import { cancelEnd, isCheckedOut, isFinal, isHere, isLocated } from './scan-state.js';

/**
 * The step that failed, for each outcome after which nothing can be checked out: the patron was found, or not. A cancel is no failure.
 */
export const FAILED_STEPS = {
  NOT_FOUND: 'search',
  NOT_A_CARD: 'search',
  AMBIGUOUS_HOME: 'search',
  HOME_GONE: 'search',
  HOME_UNREACHABLE: 'search',
  MISCONFIGURED: 'search',
  TOO_LATE: 'search',
  NOT_ELIGIBLE: 'copy',
  LOOKS_LIKE_LOCAL_PATRON: 'copy',
  LOCAL_CONFLICT: 'copy',
  MERGED_INTO_NATIVE: 'copy',
  COPY_ANONYMIZED: 'copy',
  OBSERVED: 'copy',
  CANCELLED: null,
  LENDING_REFUSED: 'copy',
  LENDING_UNREACHABLE: 'copy',
};

/** How far a cancelled scan had come; what it did not come to is not done any more. */
export function cancelledSteps(end) {
  const isCopied = end === 'copied' || end === 'checked_out';
  return {
    report: 'done',
    search: end === 'nothing' ? 'later' : 'done',
    copy: isCopied ? 'done' : 'later',
    ...(end === 'checked_out' ? { checkout: 'done' } : {}),
  };
}

/** The steps of the workflow and how far each is: done, now, later or failed. */
export function stepsOf(view) {
  const steps = { report: 'now', search: 'later', copy: 'later' };
  if (view.withItem) steps.checkout = 'later';
  if (view.fault && !view.state) return { ...steps, report: view.isOver ? 'failed' : 'now' };
  if (!view.state) return steps;

  const state = view.state;
  steps.report = 'done';
  if (!isFinal(state)) {
    const isFound = isLocated(state);
    return { ...steps, search: isFound ? 'done' : 'now', copy: isFound ? 'now' : 'later' };
  }
  if (isHere(state)) {
    steps.search = 'done';
    steps.copy = 'done';
    if (view.withItem) steps.checkout = isCheckedOut(state) ? 'done' : 'failed';
    return steps;
  }
  if (state.outcome === 'CANCELLED') return { ...steps, ...cancelledSteps(cancelEnd(state)) };
  const wasFound = FAILED_STEPS[state.outcome] === 'copy';
  return { ...steps, search: wasFound ? 'done' : 'failed', copy: wasFound ? 'failed' : 'later' };
}
