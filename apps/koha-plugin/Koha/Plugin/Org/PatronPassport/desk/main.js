/*
 * Patron Passport at the desk: on the page that Koha shows for an unknown card, a panel that says what the partner
 * libraries are doing about it, takes the item that waits, and opens the checkout when the patron is there. There and in the
 * checkout, a list of the other scans of this desk that are under way. Where the desk registers the patron instead, Koha's form
 * is filled with the card. In the checkout of a copy, the line with its standing.
 *
 * No library, no global. What is known of the event is kept in the history entry of the page: it survives reload and
 * back, and holds neither card nor item. Nor does the list, which the window keeps.
 */
import { guardItemBox } from './item-box.js';
import { cardOfPage, isUnknownHere, looksLikeCard } from './koha-search.js';
import { createNextScan } from './next-scan.js';
import { noteLost, startListOf } from './noted-scans.js';
import { focusCheckout, focusIsSet, heldKeys, isBusyElsewhere, remembered, watchTyping } from './page.js';
import { cardToRegister, fillCard } from './register.js';
import { followNoted } from './scan-list.js';
import { showStanding } from './standing-line.js';
import { createWords } from './words.js';
import { startWorkflow } from './workflow.js';

/** So long the keys wait for the panel: Koha's search can take longer, and what is typed may be for another box. */
const HELD_MS = 3000;

async function start() {
  const registered = cardToRegister(location);
  if (registered) {
    await focusIsSet();
    fillCard(registered);
    return;
  }
  const facts = document.getElementById('passport-desk');
  if (!facts || document.getElementById('passport-panel')) return;
  const { messages, staff, ...cards } = JSON.parse(facts.textContent);
  startListOf(staff);
  const language = document.documentElement.lang || 'en';
  const keys = heldKeys();
  await serve(keys, { messages, language, cards }).finally(() => keys.give(null, () => noteLost('card')));
}

/** The desk on this page, with what was typed before it was there. */
async function serve(keys, { messages, language, cards }) {
  const isSet = focusIsSet();
  const box = document.getElementById('findborrower');
  const items = document.querySelector('#mainform #barcode');
  watchTyping([box, items]);
  const nextScan = createNextScan(cards.patterns);
  if (box) nextScan.guard(box);
  const t = createWords(messages, language);
  const patron = document.querySelector('#mainform [name="borrowernumber"], #hiddenborrowernumber');
  const guarded = patron && items ? guardItemBox(items, Number(patron.value), t, cards, nextScan) : null;
  const lost = (code) => noteLost(code === undefined || isCard(code, cards) ? 'card' : 'item');
  const giveToKoha = () => {
    // Koha waits for an answer of staff: its box takes nothing, and no other page may come in the place of this one
    if (items && items.disabled) keys.give(null, lost);
    // Koha prints the patron's slip where its box is sent empty (circulation.tt)
    else if (guarded) keys.give(items, guarded.lose, () => items.form.requestSubmit());
    else keys.give(box, () => {});
  };
  setTimeout(giveToKoha, HELD_MS);
  const panel = await startPanel({ cards, messages, language, nextScan, isSet }).catch(() => null);
  await isSet;
  if (panel) keys.give(panel.box, panel.lose, panel.lose);
  else giveToKoha();
  void followNoted({
    t,
    language,
    isOwn: (eventId) => Boolean(panel) && panel.isOwn(eventId),
    patronId: patron ? Number(patron.value) : undefined,
  });
}

const isCard = (code, { patterns, anyCard }) => !anyCard && looksLikeCard(code, patterns);

/** The panel, where this is the page of a card that nobody here has. */
async function startPanel(page) {
  const card = cardOfPage(location);
  if (!card || !looksLikeCard(card, page.cards.patterns)) return null;

  const saved = remembered();
  if (saved && saved.isCancelled) return null;
  await page.isSet;
  // Koha's own patron search has it, which would take the next card for a name
  if (!isBusyElsewhere(null)) focusCheckout();
  const [arrival] = performance.getEntriesByType('navigation');
  const cameBack = arrival !== undefined && arrival.type === 'back_forward';
  if (!(saved && saved.eventId) && !(await isUnknownHere(card))) return null;
  return startWorkflow({ ...page, card, cameBack });
}

// Whatever goes wrong in here, the page stays Koha's; and whatever goes wrong with the line, the panel is there.
try {
  showStanding();
} catch {
  // the desk sees Koha's own page
}
start().catch(() => {});
