import { element, setText } from './element.js';
import { identify } from './koha-api.js';
import { looksLikeCard } from './koha-search.js';
import { isUnused, noteLeft, noteLost, noteOpened, noteUsed } from './noted-scans.js';
import { isEarly, remember, remembered } from './page.js';
import { afterUnclear, wholeCode } from './read-code.js';

/**
 * The box for items of Koha's checkout gets the next card where that is scanned right after the one before, whose checkout has just opened. Each code is
 * asked about before Koha has it: a card opens its own page, an item goes on to Koha. Until that is known, and after what came to nothing and may have
 * been the next card, an item is nobody's, nor after a reload; nor where an item was held back before this page, until a card is scanned or somebody says
 * whom it is for. Without patterns everything looks like a card: then what nobody here has is one only as the page comes.
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
  const held = createHeldNotice(box, t, nextScan);
  box.form.before(held.notice, fault, choice);
  const unclear = new Map();
  const waiting = [];
  let reading = null;
  let isKnown = false;
  /** Koha has got an item: its page is going. */
  let isGiven = false;
  let asked = null;
  noteOpened(patronId);
  asItem.addEventListener('click', () => answer('item'));
  asCard.addEventListener('click', () => answer('card'));
  // before Koha's own, which get the form as if it was sent once
  window.addEventListener('submit', (event) => event.target === box.form && !isKnown && take(event), true);

  window.addEventListener('pagehide', () => {
    if (reading !== null || [...unclear.values()].includes('unread')) noteLost('code');
    for (const _ of waiting.splice(0)) noteLost('code');
  });

  function take(event) {
    const code = box.value.trim();
    const early = isEarly();
    // Koha prints the patron's slip where its box is sent empty
    if (code === '') return;
    event.preventDefault();
    event.stopImmediatePropagation();
    box.select();
    if (code === reading) return;
    if (nextScan.isOpening()) nextScan.follow(code);
    else if (reading === null) void read(code, early);
    else if (looksLikeCard(code, patterns) && !anyCard) void nextScan.open(code);
    else waiting.push(code);
  }

  async function read(code, early) {
    const isCard = looksLikeCard(code, patterns) && (!anyCard || early);
    reading = code;
    isGiven = false;
    // it may be the next card
    remember({ isUnclear: true });
    const is = await identify(code);
    reading = null;
    remember({ isUnclear: unclear.size > 0 });
    const whole = early ? wholeCode(code, is, patterns) : code;
    // Koha says itself what it does not know; unless it was begun before, or may be a card, and nobody knows whose
    const isKohas = !early && !isCard && unclear.size === 0;
    const meaning =
      is === null && isKohas ? 'item' : meaningHere(whole, is, isCard || whole !== code, !early);
    // what came meanwhile has the page
    if (nextScan.isOpening()) loseTo(meaning);
    else act(code, whole, meaning);
    goOn();
  }

  /** What was scanned while a code was read comes next. Where that one was an item, its page is going: what waits then is told as it goes. */
  function goOn() {
    if (nextScan.isOpening()) for (const code of waiting.splice(0)) nextScan.follow(code);
    else if (waiting.length > 0 && !isGiven) void read(waiting.shift(), false);
  }

  function act(code, whole, meaning) {
    const comesTo = afterUnclear(code, meaning, unclear);
    remember({ isUnclear: unclear.size > 0 });
    fault.hidden = true;
    choice.hidden = comesTo !== 'ask';
    if (comesTo === 'ask') asked = code;
    else if (comesTo === 'item' && nextScan.isItemHeld()) say('item.left');
    else if (comesTo === 'item') giveToKoha(code);
    else if (comesTo === 'card') {
      if (isUnused(patronId)) noteLeft(patronId);
      void nextScan.open(whole);
    } else say(`code.${comesTo}`);
  }

  function say(key) {
    setText(fault, t(key));
    fault.hidden = false;
  }

  /** What was scanned before the card whose page opens: an item of this patron, or who knows. */
  function loseTo(meaning) {
    if (meaning === 'item') noteLost('item', { patronId });
    else noteLost(meaning === 'card' ? 'card' : 'code');
  }

  function answer(said) {
    box.focus();
    act(asked, asked, said);
  }

  function giveToKoha(code) {
    noteUsed(patronId);
    box.value = code;
    isKnown = true;
    box.form.requestSubmit();
    isKnown = false;
    isGiven = true;
  }

  /** What was lost may have been the next card. */
  function lose() {
    unclear.set('', 'lost');
    remember({ isUnclear: true });
    say('scans.lost_code');
  }

  const saved = remembered();
  // of which code is not remembered
  if (saved && saved.isUnclear) lose();
  return { lose };
}

/** What nobody has is an item that Koha may catalogue; as the page comes, it may be half of a card. */
function meaningHere(whole, is, isCard, isWhole) {
  if (!is) return 'unread';
  if (is.isItem) return is.isPatron ? 'ask' : 'item';
  if (whole === null) return 'neither';
  if (isCard || is.isPatron) return 'card';
  return isWhole ? 'item' : 'neither';
}

/**
 * An item was held back before this page was: what is scanned here may be that one. The notice says so, and whose page this is (circulation.tt: the label of the
 * box for items); its button, and Alt+1, say that the next item is for this patron.
 */
function createHeldNotice(box, t, nextScan) {
  const button = element(
    'button',
    { type: 'button', 'aria-keyshortcuts': 'Alt+1' },
    t('code.for_patron'),
    ' ',
    element('kbd', {}, 'Alt+1'),
  );
  const label = document.querySelector(`label[for="${box.id}"]`);
  const whose = element('strong', { dir: 'auto' }, label ? label.textContent.trim() : '');
  const notice = element(
    'div',
    { class: 'dialog alert alert-warning', role: 'alert', hidden: !nextScan.isItemHeld() },
    t('code.held'),
    ' ',
    whose,
    ' ',
    button,
  );
  button.addEventListener('click', () => {
    nextScan.release();
    notice.hidden = true;
    box.focus();
  });
  // on the keypad, some scanners send each character as Alt and its digits
  window.addEventListener('keydown', (event) => {
    const { code, altKey, ctrlKey, metaKey, repeat } = event;
    if (notice.hidden || code !== 'Digit1' || !altKey || ctrlKey || metaKey || repeat) return;
    event.preventDefault();
    button.click();
  });
  return { notice };
}
