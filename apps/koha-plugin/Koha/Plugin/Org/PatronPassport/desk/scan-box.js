import { setText } from './element.js';
import { identify } from './koha-api.js';
import { isEarly, remember } from './page.js';
import { afterUnclear, isCardAgain, itemMeaning, meaningOf, wholeCode } from './read-code.js';
import { checkoutAddress, isHere } from './scan-state.js';
import { focusBox, show, shownOf } from './show.js';

/**
 * Takes what was scanned into the panel's box. One code after the other: an item that follows a card is not for the patron before it.
 * `checkOut(barcode)` reports an item.
 */
export function takeCode(workflow, code, checkOut) {
  const early = isEarly();
  inTurn(workflow, code, () => readNext(workflow, code, checkOut, early));
}

function inTurn(workflow, code, step) {
  workflow.readings += 1;
  workflow.departure.stay();
  workflow.nextScan.hold();
  workflow.reading = stepAfter(workflow.reading, workflow, code, step);
}

async function stepAfter(before, workflow, code, step) {
  await before;
  try {
    await step();
  } catch {
    afterUnclear(code, 'unread', workflow.unclear);
    setText(workflow.panel.itemFault, workflow.t('code.unread'));
  } finally {
    workflow.readings -= 1;
    remember({ isUnclear: workflow.unclear.size > 0 });
    if (workflow.readings === 0) workflow.nextScan.goOn();
    if (!workflow.isGone) show(workflow);
  }
}

async function readNext(workflow, code, checkOut, early) {
  const { panel } = workflow;
  if (workflow.isGone) return;
  setText(panel.itemFault, '');
  panel.choice.hidden = true;
  const isAgain = isCardAgain(code, workflow.card);
  const is = isAgain ? null : await identify(code);
  const whole = early && !isAgain ? wholeCode(code, is, workflow.cards.patterns) : code;
  if (whole === null) await act(workflow, code, is ? 'neither' : 'unread', checkOut);
  // as everything is by now
  else await act(workflow, whole, meaningOf(whole, factsOf(workflow), is, workflow.cards), checkOut);
}

function factsOf(workflow) {
  const { state, withItem } = workflow.view;
  const { isOver, takesItem } = shownOf(workflow);
  return { card: workflow.card, isOver, takesItem, withItem, isHere: Boolean(state) && isHere(state) };
}

async function act(workflow, code, meaning, checkOut) {
  const { panel, t, nextScan, view } = workflow;
  const comesTo = afterUnclear(code, meaning, workflow.unclear);
  if (comesTo === 'ignored') return;
  if (comesTo === 'card') await openNext(workflow, code);
  else if (comesTo === 'ask') ask(workflow, code, checkOut);
  else if (nextScan.isOpening()) setText(panel.itemFault, t('code.opening'));
  else if (comesTo === 'item') await checkOut(code);
  else if (comesTo === 'open') location.assign(checkoutAddress(view.state, workflow.card));
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
  inTurn(workflow, code, async () => {
    if (workflow.isGone) return;
    const { isOver, isHere: isHereNow, takesItem, withItem } = factsOf(workflow);
    const meaning = said === 'card' ? said : itemMeaning(isOver, isHereNow, takesItem, withItem);
    await act(workflow, code, meaning, checkOut);
  });
}
