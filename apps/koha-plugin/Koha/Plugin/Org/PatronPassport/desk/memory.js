/** What this page's history entry knows of the event: {eventId, withItem, startedAt, events,
 * unanswered, isUnsure, isCancelled}, or null. No item: it is kept by the browser. */
export function remembered() {
  const state = history.state && history.state.passport;
  return state && typeof state === 'object' ? state : null;
}

/** Adds to it; what others keep in the entry stays. */
export function remember(facts) {
  history.replaceState({ ...history.state, passport: { ...remembered(), ...facts } }, '');
}
