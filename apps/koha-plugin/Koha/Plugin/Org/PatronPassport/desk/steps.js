import { isFinal, isHere, isCheckedOut, isLocated } from './scan-state.js';

/** Outcomes about a patron who was found. */
const FOUND = [
  'NOT_ELIGIBLE',
  'LOOKS_LIKE_LOCAL_PATRON',
  'LOCAL_CONFLICT',
  'MERGED_INTO_NATIVE',
  'COPY_ANONYMIZED',
  'LENDING_REFUSED',
  'LENDING_UNREACHABLE',
];

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
  const wasFound = FOUND.includes(state.outcome);
  return { ...steps, search: wasFound ? 'done' : 'failed', copy: wasFound ? 'failed' : 'later' };
}
