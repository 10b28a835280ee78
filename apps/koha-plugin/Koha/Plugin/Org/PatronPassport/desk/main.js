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
import { cardOfPage, completeCard, isUnknownHere, looksLikeCard } from './koha-search.js';
import { createNextScan } from './next-scan.js';
import { noteLost, startListOf } from './noted-scans.js';
import { focusCheckout, focusIsSet, heldKeys, isBusyElsewhere, remembered, watchTyping } from './page.js';
import { isCardAgain } from './read-code.js';
import { cardToRegister, fillCard } from './register.js';
import { followNoted } from './scan-list.js';
import { showStanding } from './standing-line.js';
import { createWords } from './words.js';
import { startWorkflow } from './workflow.js';

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
  await serve(keys, { messages, language, cards }).finally(() => keys.give(null, () => noteLost('code')));
}

/**
 * The desk on this page, in the order in which it happens: Koha's boxes are guarded, the panel comes where there is one, and then, or once they can wait no
 * longer, the keys that were typed before go to whom they are for.
 */
async function serve(keys, { messages, language, cards }) {
  const isSet = focusIsSet();
  const t = createWords(messages, language);
  const boxes = guardBoxes(cards, t);
  const { nextScan, patronId } = boxes;
  const card = cardOfPanel(cards);
  const handOver = createHandOver(keys, boxes, card, cards);
  let panel = null;
  const listOthers = once(() => {
    const isOwn = (eventId) => Boolean(panel) && panel.isOwn(eventId);
    void followNoted({ t, language, isOwn, patronId });
  });

  // Koha's search takes longer, and what is typed may be for another box
  keys.whenLate(() => {
    if (card) handOver.letGo();
    else handOver.toKoha();
    listOthers();
  });
  panel = await startPanel({ card, cards, messages, language, nextScan, isSet }).catch(() => null);
  await isSet;
  if (panel) handOver.toPanel(panel);
  else handOver.toKoha();
  listOthers();
}

/** Koha's own boxes for cards and for items, null where this page has none: from now on the next card is known in both. `patronId`: whose checkout this is. */
function guardBoxes(cards, t) {
  const cardBox = document.getElementById('findborrower');
  const itemBox = document.querySelector('#mainform #barcode');
  watchTyping([cardBox, itemBox]);
  const patron = document.querySelector('#mainform [name="borrowernumber"], #hiddenborrowernumber');
  const patronId = patron ? Number(patron.value) : undefined;
  const nextScan = createNextScan(cards, patronId);
  if (cardBox) nextScan.guard(cardBox);
  const guarded = patron && itemBox ? guardItemBox(itemBox, patronId, t, cards, nextScan) : null;
  return { cardBox, itemBox, guarded, nextScan, patronId };
}

/** To whom the keys go that were typed before the desk was there: `toPanel(panel)` or `toKoha()`; `letGo()` while nobody knows which. */
function createHandOver(keys, { cardBox, itemBox, guarded }, card, cards) {
  const lose = (code) => noteLost(lostAs(code, cards), { card });
  const loseHere = (code) => {
    lose(code);
    if (mayBeCard(code, cards)) keys.tellNext();
  };
  const isNext = (code) => isCard(code, cards) && !isCardAgain(code, card);
  return {
    toPanel: (panel) => keys.give(panel.box, panel.lose, panel.lose),
    toKoha() {
      // Koha waits for an answer of staff: its box takes nothing, and no other page may come in the place of this one
      if (itemBox && itemBox.disabled) keys.give(null, loseHere);
      // Koha prints the patron's slip where its box is sent empty (circulation.tt)
      else if (guarded) keys.give(itemBox, guarded.lose, () => itemBox.form.requestSubmit());
      else keys.give(cardBox, lose);
    },
    letGo: () => keys.letGo(cardBox, isNext, loseHere),
  };
}

/** A function that does this the first time only. */
function once(run) {
  let isDone = false;
  return () => {
    if (isDone) return;
    isDone = true;
    run();
  };
}

const isCard = (code, { patterns, anyCard }) => !anyCard && looksLikeCard(code, patterns);

/** As what a code is lost of which only the look is known. */
function lostAs(code, cards) {
  if (code !== undefined && isCard(code, cards)) return 'card';
  return mayBeCard(code, cards) ? 'code' : 'item';
}

/** Whether what was lost can have been a card, or the end of one. */
const mayBeCard = (code, { patterns, anyCard }) =>
  code === undefined || anyCard || looksLikeCard(code, patterns) || completeCard(code, patterns) !== code;

/** The card of this page, which may get the panel, or null. */
function cardOfPanel({ patterns }) {
  const card = cardOfPage(location);
  const saved = remembered();
  return card && looksLikeCard(card, patterns) && !(saved && saved.isCancelled) ? card : null;
}

/** The panel, where this is the page of a card that nobody here has. */
async function startPanel({ card, nextScan, ...page }) {
  if (!card) return null;

  const saved = remembered();
  const isFollowed = Boolean(saved && saved.eventId);
  if (!isFollowed) nextScan.after(card);
  await page.isSet;
  // Koha's own patron search has it, which would take the next card for a name
  if (!isBusyElsewhere(null)) focusCheckout();
  const [arrival] = performance.getEntriesByType('navigation');
  const cameBack = arrival !== undefined && arrival.type === 'back_forward';
  const isUnknown = isFollowed || (await isUnknownHere(card));
  // where Koha has not answered, the next card comes before this one was looked up
  if (isUnknown !== null) nextScan.after(null);
  return isUnknown ? startWorkflow({ ...page, card, nextScan, cameBack }) : null;
}

// Whatever goes wrong in here, the page stays Koha's; and whatever goes wrong with the line, the panel is there.
try {
  showStanding();
} catch {
  // the desk sees Koha's own page
}
start().catch(() => {});
