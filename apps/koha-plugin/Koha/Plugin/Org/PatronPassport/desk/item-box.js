import { element, setText } from './element.js';
import { readCode } from './koha-api.js';
import { completeCard, looksLikeCard } from './koha-search.js';
import { noteLeft, noteLost } from './noted-scans.js';
import { isEarly, isUnused } from './page.js';

/**
 * The box for items of Koha's checkout gets the next card where that is scanned right after the one before, whose checkout has just opened. What
 * looks like a card, and all that is scanned as the page comes, is asked about before Koha has it: the next card opens its own page, an item goes on to
 * Koha. Until that is known, and after what was neither and may have been half of a card, an item is nobody's. Without patterns everything looks
 * like a card: then only what is scanned as the page comes is asked about.
 */
export function guardItemBox(box, patronId, t, { patterns, anyCard }, nextScan) {
  const fault = element('div', { class: 'dialog alert alert-warning', role: 'alert', hidden: true });
  box.form.before(fault);
  let isReading = false;
  let isUnclear = false;
  let isKnown = false;
  // before Koha's own, which get the form as if it was sent once
  window.addEventListener('submit', (event) => event.target === box.form && !isKnown && take(event), true);

  function take(event) {
    const code = box.value.trim();
    const early = isEarly();
    const card = early ? completeCard(code, patterns) : code;
    const isCard = looksLikeCard(card, patterns) && (!anyCard || early);
    const isBusy = isReading || nextScan.isOpening();
    if (code === '' || !(isBusy || isUnclear || isCard || early)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    box.select();
    if (isBusy && isCard) void nextScan.open(code);
    else if (isBusy) noteLost('item');
    else if (isUnclear && !isCard) say('code.doubtful');
    else void read(code, card, isCard);
  }

  function say(text) {
    setText(fault, t(text));
    fault.hidden = false;
  }

  async function read(code, card, isCard) {
    isReading = true;
    const { status, body } = await readCode(code);
    isReading = false;
    if (status !== 200 || !body || body.is_item) giveToKoha(code);
    else if (isCard || body.is_patron) {
      if (isUnused()) noteLeft(patronId);
      void nextScan.open(body.is_patron ? code : card);
    } else {
      isUnclear = true;
      say('code.neither');
    }
  }

  function giveToKoha(code) {
    box.value = code;
    isKnown = true;
    box.form.requestSubmit();
    isKnown = false;
  }
}
