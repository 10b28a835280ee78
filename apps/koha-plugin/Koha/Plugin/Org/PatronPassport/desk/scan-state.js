const CHECKOUT = '/cgi-bin/koha/circ/circulation.pl';

export function isFinal(state) {
  return state.state === 'done' || state.state === 'failed';
}

export function isHere(state) {
  return isFinal(state) && (state.outcome === 'COPIED' || state.outcome === 'ALREADY_LOCAL');
}

/** True while only the checkout is left: the patron is here, and staff can check the item out themselves. */
export function isCheckoutPending(state) {
  return !isFinal(state) && Boolean(state.patron_id);
}

/** True while no worker of the service is there: nothing happens until one is. */
export function hasNoWorker(state) {
  return Boolean(state.waiting_for && state.waiting_for.reason === 'NO_WORKER');
}

/** True when an item that is scanned now would wait for longer than it may. */
export function isTooLateForItem(state) {
  const { next_try_at: nextTry, checkout_by: by } = state.waiting_for || {};
  return Boolean(nextTry && by) && Date.parse(nextTry) > Date.parse(by);
}

/** True when only this library is left to act: the home is known. Nobody is queried for one that is paused. */
export function isLocated(state) {
  const held = state.waiting_for;
  return Boolean(held && held.library === state.library && held.reason !== 'PAUSED' && !hasNoWorker(state));
}

/** The result of the checkout; null without an item or while it is not known yet. */
export function checkoutOf(state) {
  const result = state.checkout && state.checkout.result;
  return result && result !== 'NOT_ASKED' ? result : null;
}

export function isCheckedOut(state) {
  const checkout = checkoutOf(state);
  return checkout === 'CHECKED_OUT' || checkout === 'ALREADY_CHECKED_OUT';
}

/** Ends at which a copy that was sent may be there: then a home is named. */
const COPY_MAY_BE_THERE = { CANCELLED: 'sent', HOME_UNREACHABLE: 'failed', LENDING_UNREACHABLE: 'failed' };

/**
 * What an event that was cancelled came to, from its last state: 'nothing', 'sent', 'copied' (which a patron who was here before
 * may be, too), 'checked_out', or 'failed' where nobody can say.
 */
export function cancelEnd(state) {
  if (isCheckedOut(state)) return 'checked_out';
  if (checkoutOf(state) === 'NO_ANSWER') return 'failed';
  // reasons name what was changed in a record that was here
  if (state.outcome === 'ALREADY_LOCAL' && (state.reasons || []).length === 0) return 'nothing';
  if (state.patron_id) return 'copied';
  return ((state.homes || []).length > 0 && COPY_MAY_BE_THERE[state.outcome]) || 'nothing';
}

/** Of two, the one that staff must know of. */
export function worseEnd(one, other) {
  const order = ['nothing', 'sent', 'copied', 'checked_out', 'forgotten', 'failed'];
  return order.indexOf(one) < order.indexOf(other) ? other : one;
}

/** Whether a cancel has come to its end; one that failed can be tried again. */
export function isCancelOver({ cancel }) {
  return Boolean(cancel) && !['pending', 'stopped', 'failed'].includes(cancel);
}

/** Whether there is something to cancel that is not being cancelled. */
export function canCancel({ cancel, isOver, state }) {
  if (cancel) return cancel === 'failed';
  return !isOver && !(state && isFinal(state));
}

/** True when the patron is here and the item is still on the desk. */
export function isItemLeft(state, withItem) {
  return isHere(state) && !isCheckedOut(state) && (Boolean(withItem) || checkoutOf(state) !== null);
}

/** Koha's retry: the checkout with the patron open. */
export function checkoutAddress(state, card) {
  return state.patron_id
    ? `${CHECKOUT}?borrowernumber=${encodeURIComponent(state.patron_id)}`
    : `${CHECKOUT}?findborrower=${encodeURIComponent(card)}`;
}
