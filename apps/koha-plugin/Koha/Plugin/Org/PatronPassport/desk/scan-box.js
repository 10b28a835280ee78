import { setText } from './element.js';
import { identify } from './koha-api.js';
import { noteLost } from './noted-scans.js';
import { isEarly, remember } from './page.js';
import { afterUnclear, isCardAgain, isUnclear, itemMeaning, meaningOf, wholeCode } from './read-code.js';
import { checkoutAddress, isHere } from './scan-state.js';
import { focusBox, show, shownOf } from './show.js';

/**
 * Takes what was scanned into the panel's box. One code after the other: an item that follows a card is not for the patron before it.
 * `checkOut(barcode)` reports an item.
 */
export function takeCode(workflow, code, checkOut) {
  const early = isEarly();
  inTurn(workflow, code, (reading) => readNext(workflow, { code, checkOut, reading }, early));
}

/** The page is left, and with it what it says: what nobody has done with is noted. A browser may have ended its requests before. */
export function loseScanned({ card, readings, unclear, unsent, view: { state } }) {
  const patronId = state && state.patron_id;
  for (const { lost } of readings) noteLost(lost, lost === 'code' ? { card } : { card, patronId });
  readings.clear();
  for (const meaning of unclear.values()) if (meaning === 'unread') noteLost('code', { card });
  for (const lost of unsent.values()) noteLost(lost, { card, patronId });
}

function inTurn(workflow, code, step) {
  const reading = { lost: 'code' };
  workflow.readings.add(reading);
  rememberUnclear(workflow);
  workflow.departure.stay();
  workflow.nextScan.hold();
  workflow.lastRead = stepAfter(workflow.lastRead, workflow, code, reading, step);
}

async function stepAfter(before, workflow, code, reading, step) {
  await before;
  try {
    await step(reading);
  } catch {
    afterUnclear(code, 'unread', workflow.unclear);
    setText(workflow.panel.itemFault, workflow.t('code.unread'));
  } finally {
    workflow.readings.delete(reading);
    rememberUnclear(workflow);
    if (workflow.readings.size === 0) workflow.nextScan.goOn();
    if (!workflow.isGone) show(workflow);
  }
}

/** After a reload, too: what is being read may be the next card. */
function rememberUnclear({ readings, unclear }) {
  remember({ isUnclear: unclear.size > 0 || [...readings].some(({ lost }) => lost === 'code') });
}

async function readNext(workflow, scanned, early) {
  const { code } = scanned;
  const { panel } = workflow;
  if (workflow.isGone) return;
  setText(panel.itemFault, '');
  panel.choice.hidden = true;
  const isAgain = isCardAgain(code, workflow.card);
  const is = isAgain ? null : await identify(code);
  const whole = early && !isAgain ? wholeCode(code, is, workflow.cards.patterns) : code;
  if (whole === null) await act(workflow, scanned, is ? 'neither' : 'unread');
  // as everything is by now
  else {
    const meaning = meaningOf(whole, factsOf(workflow), is, workflow.cards);
    await act(workflow, { ...scanned, code: whole }, meaning);
  }
}

function factsOf(workflow) {
  const { state, withItem } = workflow.view;
  const { isOver, takesItem } = shownOf(workflow);
  return { card: workflow.card, isOver, takesItem, withItem, isHere: Boolean(state) && isHere(state) };
}

/** What an item comes to that this patron gets. */
const TAKEN = ['item', 'open'];

async function act(workflow, { code, checkOut, reading }, meaning) {
  const { panel, t, nextScan, view } = workflow;
  const comesTo = afterUnclear(code, meaning, workflow.unclear);
  // the card of this page again: what follows is for its patron
  if (comesTo === 'ignored') nextScan.release();
  if (comesTo === 'ignored') return;
  if (comesTo === 'card') {
    await openNext(workflow, code);
    return;
  }
  if (!isUnclear(meaning)) reading.lost = 'item';
  rememberUnclear(workflow);
  if (nextScan.isOpening()) {
    nextScan.follow(code);
    setText(panel.itemFault, t('code.opening'));
  } else if (comesTo === 'ask') ask(workflow, code, checkOut);
  else if (TAKEN.includes(comesTo) && nextScan.isItemHeld()) setText(panel.itemFault, t('code.held'));
  else if (comesTo === 'item') {
    // the page may be left before the service has answered
    reading.lost = 'unsure';
    await checkOut(code);
  } else if (comesTo === 'open') location.assign(checkoutAddress(view.state, workflow.card));
  else setText(panel.itemFault, t(`code.${comesTo}`));
}

/** The page of the next card; the scan of this one is noted before the page is left. */
async function openNext(workflow, code) {
  const { panel, sending, t } = workflow;
  setText(panel.itemFault, t('code.opening'));
  if (sending.size > 0) await Promise.allSettled(sending);
  void workflow.nextScan.open(code);
}

/** A scanner ends with Enter: the focus stays in the box, and the next code that is scanned is read as any other. */
function ask(workflow, code, checkOut) {
  workflow.asked = { code, checkOut };
  workflow.panel.choice.hidden = false;
}

/** What somebody says the code is: `item` or `card`. */
export function answerChoice(workflow, said) {
  const { code, checkOut } = workflow.asked;
  workflow.panel.choice.hidden = true;
  focusBox(workflow);
  inTurn(workflow, code, async (reading) => {
    if (workflow.isGone) return;
    const { isOver, isHere: isHereNow, takesItem, withItem } = factsOf(workflow);
    const meaning = said === 'card' ? said : itemMeaning(isOver, isHereNow, takesItem, withItem);
    await act(workflow, { code, checkOut, reading }, meaning);
  });
}
