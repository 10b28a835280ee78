import { readCode } from './koha-api.js';
import { completeCard, looksLikeCard } from './koha-search.js';
import { noteLeft, noteLost } from './noted-scans.js';
import { isEarly } from './page.js';

/**
 * The box for items of Koha's checkout gets the next card where that is scanned right after the one before, whose checkout has just opened. What
 * looks like a card is asked about before Koha has it: the next card opens its own page, an item goes on to Koha, and what is scanned until
 * that is known is nobody's item. Without patterns everything looks like a card: then only what is scanned as the page comes.
 */
export function guardItemBox(box, patronId, { patterns, anyCard }, nextScan) {
  let isReading = false;
  let isKnown = false;
  // before Koha's own, which get the form as if it was sent once
  window.addEventListener('submit', (event) => event.target === box.form && !isKnown && take(event), true);

  function take(event) {
    const code = box.value.trim();
    const isBusy = isReading || nextScan.isOpening();
    const card = isEarly() ? completeCard(code, patterns) : code;
    const isCard = looksLikeCard(card, patterns) && (!anyCard || isEarly());
    if (code === '' || !(isBusy || isCard)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    box.select();
    if (!isBusy) void read(code, card, isEarly());
    else if (isCard) void nextScan.open(code);
    else noteLost('item');
  }

  async function read(code, card, early) {
    isReading = true;
    const { status, body } = await readCode(code);
    isReading = false;
    if (status === 200 && body && !body.is_item) {
      if (early) noteLeft(patronId);
      void nextScan.open(body.is_patron ? code : card);
      return;
    }
    box.value = code;
    isKnown = true;
    box.form.requestSubmit();
    isKnown = false;
  }
}
