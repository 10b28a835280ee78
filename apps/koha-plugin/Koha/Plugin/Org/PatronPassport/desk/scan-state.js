const CHECKOUT = '/cgi-bin/koha/circ/circulation.pl';

export function isFinal(state) {
  return state.state === 'done' || state.state === 'failed';
}

export function isHere(state) {
  return isFinal(state) && (state.outcome === 'COPIED' || state.outcome === 'ALREADY_LOCAL');
}

/** True when the rest happens in this library: the home is known. */
export function isLocated(state) {
  return Boolean(state.waiting_for && state.waiting_for.library === state.library);
}

/** How the loan of the item went, null when none was asked for or is not decided yet. */
export function loanOf(state) {
  const result = state.checkout && state.checkout.result;
  return result && result !== 'NOT_ASKED' ? result : null;
}

export function isLent(state) {
  const loan = loanOf(state);
  return loan === 'CHECKED_OUT' || loan === 'ALREADY_CHECKED_OUT';
}

/** True when nobody has to read anything before the checkout opens. */
export function opensByItself(state) {
  return isHere(state) && (loanOf(state) === null || isLent(state));
}

/** Koha's retry: the checkout with the patron open. */
export function checkoutAddress(state, card) {
  return state.patron_id
    ? `${CHECKOUT}?borrowernumber=${encodeURIComponent(state.patron_id)}`
    : `${CHECKOUT}?findborrower=${encodeURIComponent(card)}`;
}
