import { OUTCOMES } from './outcomes.js';
import {
  cancelEnd,
  checkoutOf,
  hasNoWorker,
  isCancelOver,
  isCheckedOut,
  isCheckoutPending,
  isFinal,
  isHere,
  isLocated,
} from './scan-state.js';

/** A fault here is no failure of the search. */
const FAULT_HERE = { search: 'done', copy: 'failed' };

/** Results for the item that are no failure: Koha said why, nobody knows, or the item waited too long. */
const CHECKOUT_ENDS = {
  NEEDS_CONFIRMATION: 'stopped',
  BLOCKED: 'stopped',
  ITEM_NOT_FOUND: 'stopped',
  NO_ANSWER: 'unknown',
};

/** A scan that is taken is taken at once; of one that is not yet after so long, it is said. */
export const LONG_QUEUED_MS = 4000;

const stepsAs = (report, search, copy, checkout) => ({ report, search, copy, checkout });

/** The steps of the workflow and the outcome of each; the checkout is one where there is an item. */
export function stepsOf(view) {
  const { checkout, ...steps } = allStepsOf(view);
  const hasItem = view.withItem || (view.state && isCheckoutPending(view.state));
  return hasItem ? { ...steps, checkout } : steps;
}

function allStepsOf(view) {
  const { state, fault, isOver } = view;
  if (isCancelOver(view)) return cancelledSteps(view.cancel);
  if (state) {
    if (isFinal(state)) return endedSteps(state);
    return isOver ? unheard(runningSteps(view)) : runningSteps(view);
  }
  if (!isOver) return stepsAs('now', 'later', 'later', 'later');
  const isNoCard = ['not_a_card', 'item_here', 'elsewhere'].includes(fault);
  return stepsAs(isNoCard ? 'skipped' : 'failed', 'skipped', 'skipped', 'skipped');
}

/** How far a cancelled scan had come; what it did not come to is not done any more. */
function cancelledSteps(end) {
  if (end === 'forgotten') return unheard(cancelledSteps('nothing'));
  const search = end === 'nothing' ? 'skipped' : 'done';
  const copy = { nothing: 'skipped', sent: 'unknown' }[end] || 'done';
  return stepsAs('done', search, copy, end === 'checked_out' ? 'done' : 'skipped');
}

function runningSteps({ state, followedMs }) {
  // while it waits for the patron, nothing is done
  if (state.consent) return stepsAs('done', 'done', 'later', 'later');
  if (state.asks && state.state === 'waiting')
    return state.asks.question === 'OVERRIDE'
      ? stepsAs('done', 'done', 'stopped', 'skipped')
      : stepsAs('done', 'several', 'later', 'later');
  if (isCheckoutPending(state)) return stepsAs('done', 'done', 'done', 'now');
  if (isLocated(state)) return stepsAs('done', 'done', 'now', 'later');
  const isHeld = hasNoWorker(state) || (state.state === 'queued' && followedMs > LONG_QUEUED_MS);
  return stepsAs('done', isHeld ? 'later' : 'now', 'later', 'later');
}

function endedSteps(state) {
  const checkout = isCheckedOut(state) ? 'done' : CHECKOUT_ENDS[checkoutOf(state)] || 'skipped';
  if (isHere(state)) return stepsAs('done', 'done', 'done', checkout);
  if (state.outcome === 'CANCELLED') return cancelledSteps(cancelEnd(state));
  const isFaultHere =
    state.outcome === 'MISCONFIGURED' && state.problem && state.problem.library === state.library;
  const { search = 'unknown', copy = 'unknown' } = isFaultHere ? FAULT_HERE : OUTCOMES[state.outcome] || {};
  return stepsAs('done', search, copy, checkout);
}

function unheard(steps) {
  return Object.fromEntries(
    Object.entries(steps).map(([step, is]) => [step, is === 'done' ? is : 'unknown']),
  );
}
