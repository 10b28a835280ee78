const FRAGMENT = '#passport-card=';

/**
 * Koha's own links to its form for a new patron, one for each category, with the card: [{label, address}]. A page for staff
 * who may not register patrons has none (patron-toolbar.inc). Koha's form takes no card from an address, in no release
 * (memberentry.pl fills it only when it is sent); the fragment never leaves the browser. `destination=circ` opens the checkout
 * once the patron is saved.
 */
export function registrations(document, card) {
  const links = document.querySelectorAll('#new-patron-button a[href*="/members/memberentry.pl?op=add"]');
  return [...links].map((link) => ({
    label: link.textContent.trim(),
    address: `${link.getAttribute('href')}&destination=circ${FRAGMENT}${encodeURIComponent(card)}`,
  }));
}

/** The card that Koha's form for a new patron is to be filled with, or null. */
export function cardToRegister(url) {
  if (!url.pathname.endsWith('/members/memberentry.pl') || !url.hash.startsWith(FRAGMENT)) return null;
  try {
    return decodeURIComponent(url.hash.slice(FRAGMENT.length)) || null;
  } catch {
    return null;
  }
}

/** Fills the form with the card and nothing else, for the name to be typed, and takes the card out of the address. */
export function fillCard(card) {
  const box = document.getElementById('cardnumber');
  if (box && box.value === '') box.value = card;
  const surname = document.getElementById('surname');
  if (surname) surname.focus();
  history.replaceState(history.state, '', `${location.pathname}${location.search}`);
}
