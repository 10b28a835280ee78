import { element, setText } from './element.js';
import { identify } from './koha-api.js';
import { completeCard, looksLikeCard } from './koha-search.js';
import { noteLeft, noteLost } from './noted-scans.js';
import { isEarly, isUnused, remember, remembered } from './page.js';
import { afterUnclear, wholeCode } from './read-code.js';

/**
 * The box for items of Koha's checkout gets the next card where that is scanned right after the one before, whose checkout has just opened. What
 * looks like a card, and all that is scanned as the page comes, is asked about before Koha has it: the next card opens its own page, an item goes on to
 * Koha. Until that is known, and after what came to nothing and may have been the next card, an item is nobody's, nor after a reload. Without patterns everything looks
 * like a card: then only what is scanned as the page comes is asked about.
 */
export function guardItemBox(box, patronId, t, { patterns, anyCard }, nextScan) {
  const fault = element('div', { class: 'dialog alert alert-warning', role: 'alert', hidden: true });
  const asItem = element('button', { type: 'button' }, t('code.as_item'));
  const asCard = element('button', { type: 'button' }, t('code.as_card'));
  const choice = element(
    'div',
    { class: 'dialog alert alert-warning', role: 'alert', hidden: true },
    t('code.ask'),
    ' ',
    asItem,
    ' ',
    asCard,
  );
  box.form.before(fault, choice);
  const unclear = new Map();
  let reading = null;
  let isKnown = false;
  let asked = null;
  asItem.addEventListener('click', () => answer('item'));
  asCard.addEventListener('click', () => answer('card'));
  // before Koha's own, which get the form as if it was sent once
  window.addEventListener('submit', (event) => event.target === box.form && !isKnown && take(event), true);

  window.addEventListener('pagehide', () => {
    if (reading !== null || [...unclear.values()].includes('unread')) noteLost('card');
  });

  function take(event) {
    const code = box.value.trim();
    const early = isEarly();
    const isCard = looksLikeCard(code, patterns) && (!anyCard || early);
    const isBusy = reading !== null || nextScan.isOpening();
    if (code === '' || !(isBusy || unclear.size > 0 || isCard || early)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    box.select();
    if (code === reading) return;
    if (!isBusy) void read(code, early, isCard);
    else if (early && completeCard(code, patterns) !== code) noteLost('card');
    else if (isCard) void nextScan.open(code);
    else noteLost('item');
  }

  async function read(code, early, isCard) {
    reading = code;
    // it may be the next card
    remember({ isUnclear: true });
    const is = await identify(code);
    reading = null;
    remember({ isUnclear: unclear.size > 0 });
    const whole = early ? wholeCode(code, is, patterns) : code;
    const meaning = meaningHere(
      whole,
      is,
      isCard || whole !== code,
      !early && unclear.has(code.toLowerCase()),
    );
    // what came meanwhile has the page
    if (nextScan.isOpening()) noteLost(meaning === 'item' ? 'item' : 'card');
    else act(code, whole, meaning);
  }

  function act(code, whole, meaning) {
    const comesTo = afterUnclear(code, meaning, unclear);
    remember({ isUnclear: unclear.size > 0 });
    fault.hidden = true;
    choice.hidden = comesTo !== 'ask';
    if (comesTo === 'ask') asked = code;
    else if (comesTo === 'item') giveToKoha(code);
    else if (comesTo === 'card') {
      if (isUnused()) noteLeft(patronId);
      void nextScan.open(whole);
    } else {
      setText(fault, t(`code.${comesTo}`));
      fault.hidden = false;
    }
  }

  function answer(said) {
    box.focus();
    act(asked, asked, said);
  }

  function giveToKoha(code) {
    box.value = code;
    isKnown = true;
    box.form.requestSubmit();
    isKnown = false;
  }

  /** What was lost may have been the next card. */
  function lose() {
    unclear.set('', 'lost');
    remember({ isUnclear: true });
    setText(fault, t('scans.lost_card'));
    fault.hidden = false;
  }

  const saved = remembered();
  // of which code is not remembered
  if (saved && saved.isUnclear) lose();
  return { lose };
}

/** What nobody has is an item that Koha may catalogue, where it was scanned again in full. */
function meaningHere(whole, is, isCard, isAgain) {
  if (!is) return 'unread';
  if (is.isItem) return is.isPatron ? 'ask' : 'item';
  if (whole === null) return 'neither';
  if (isCard || is.isPatron) return 'card';
  return isAgain ? 'item' : 'neither';
}
