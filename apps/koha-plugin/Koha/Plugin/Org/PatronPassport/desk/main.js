/*
 * Patron Passport at the desk: on the page that Koha shows for an unknown card, a panel that says what the partner
 * libraries are doing about it, takes the item that waits, and opens the checkout when the patron is there. Where the
 * desk registers the patron instead, Koha's form is filled with the card. On the checkout page of a copy, the line with its standing.
 *
 * No library, no global. What is known of the event is kept in the history entry of the page: it survives reload and
 * back, and holds neither card nor item.
 */
import { cardOfPage, isUnknownHere, looksLikeCard } from './koha-search.js';
import { focusIsSet, remembered } from './page.js';
import { cardToRegister, fillCard } from './register.js';
import { showStanding } from './standing-line.js';
import { startWorkflow } from './workflow.js';

async function start() {
  if (showStanding()) return;
  const registered = cardToRegister(location);
  if (registered) {
    fillCard(registered);
    return;
  }
  const facts = document.getElementById('passport-desk');
  if (!facts || document.getElementById('passport-panel')) return;
  const config = JSON.parse(facts.textContent);
  const card = cardOfPage(location);
  if (!card || !looksLikeCard(card, config.patterns)) return;

  const saved = remembered();
  if (saved && saved.isCancelled) return;
  await focusIsSet();
  const [arrival] = performance.getEntriesByType('navigation');
  const cameBack = arrival !== undefined && arrival.type === 'back_forward';
  if (!(saved && saved.eventId) && !(await isUnknownHere(card))) return;
  startWorkflow({
    card,
    messages: config.messages,
    language: document.documentElement.lang || 'en',
    cameBack,
  });
}

// Whatever goes wrong in here, the page stays Koha's.
start().catch(() => {});
