import { showConsent } from './consent.js';
import { showDecision } from './decision.js';
import { describe } from './describe.js';
import { element, setText } from './element.js';
import { forgetScan } from './noted-scans.js';
import { hasJustMoved, isBusyElsewhere } from './page.js';
import { canCancel, checkoutAddress, isCheckedOut, isHere } from './scan-state.js';

/** Brings the panel to what is known, and leaves for the checkout when nothing keeps us here. */
export function show(workflow) {
  const { panel, t, view } = workflow;
  const shown = shownOf(workflow);
  const isReady = !view.cancel && Boolean(view.state) && isHere(view.state);
  const isHeld = panel.input.value.trim() !== '';
  // what was scanned last may be the next card, or is one: the checkout that opens would take its item
  const isNext = workflow.unclear.size > 0 || workflow.nextScan.isOpening();
  const isBusy = isHeld || isNext || workflow.readings.size > 0 || !panel.choice.hidden;
  const leaves = isReady && !isBusy && !workflow.cameBack && !isBusyElsewhere(panel.host);

  panel.section.dataset.tone = shown.tone;
  showSteps(panel.steps, shown.steps, t);
  showBox(panel, shown.takesItem, shown.takesItem && !isReady, t);
  showNext(workflow, shown);
  showConsent(workflow);
  showDecision(workflow);
  if (workflow.isHeard) {
    const isNew = panel.headline.textContent !== shown.headline;
    setText(panel.headline, shown.headline);
    setText(panel.advice, isReady && isHeld ? t('item.held') : leaves ? t('going') : shown.advice);
    if (isNew) panel.headline.scrollIntoView({ block: 'nearest' });
  }
  if (leaves)
    workflow.departure.leaveSoon(
      checkoutAddress(view.state, workflow.card),
      isCheckedOut(view.state) ? 1200 : 500,
    );
  else workflow.departure.stay();

  const focused = panel.root.activeElement;
  if (focused && focused.closest('[hidden]')) focusBox(workflow);
  if (shown.isOver && workflow.isHeard) goOn(workflow);
}

/** Everything that the panel shows of this workflow ({@link describe}). */
export function shownOf({ view, t, language }) {
  return describe(view, t, language);
}

/** Whatever is scanned next goes into the panel's own box, which knows an item from a card. */
export function focusBox({ panel }) {
  if (!isBusyElsewhere(panel.host)) panel.input.focus({ preventScroll: true });
}

/** Once for each result: somebody has seen it. Who is here is listed until their checkout is open, which says what is left to do. */
function goOn(workflow) {
  const { events, view, run } = workflow;
  if (workflow.settledRun === run) return;
  workflow.settledRun = run;
  if (!hasJustMoved()) focusBox(workflow);
  const isListed = !view.cancel && Boolean(view.state) && isHere(view.state);
  for (const id of isListed ? [] : events) forgetScan(id);
}

/** `isCopying`: the item waits for the patron. */
function showBox(panel, takesItem, isCopying, t) {
  const box = takesItem ? 'item' : 'card';
  setText(panel.label, t(`${box}.label`));
  setText(panel.hint, isCopying ? t('item.hint') : '');
  setText(panel.submit, t(`${box}.submit`));
}

function showNext({ panel, t, view, card }, shown) {
  const first = shown.next.find((step) => panel.next[step]);
  for (const [step, button] of Object.entries(panel.next)) {
    button.hidden = !shown.next.includes(step);
    button.classList.toggle('main', shown.isOver && step === first);
  }
  // the order in which they are seen is the order in which they are reached by keyboard
  const wanted = shown.next.map((step) => panel.next[step]).filter(Boolean);
  const seen = [...panel.cancel.parentNode.children].filter((each) => wanted.includes(each));
  if (wanted.some((button, index) => button !== seen[index])) panel.cancel.before(...wanted);
  if (shown.next.includes('open')) panel.next.open.href = checkoutAddress(view.state, card);
  setText(panel.cancel, t(canCancel(view) ? 'button.cancel' : 'button.close'));
}

function showSteps(list, steps, t) {
  const wanted = Object.entries(steps)
    .map(([step, is]) => `${step}:${is}`)
    .join();
  if (list.dataset.shows === wanted) return;
  list.dataset.shows = wanted;
  list.replaceChildren(
    ...Object.entries(steps).map(([step, is]) =>
      element(
        'li',
        { 'data-step': step, 'data-is': is },
        element('span', { class: 'mark', 'aria-hidden': 'true' }),
        element('span', {}, t(`step.${step}`)),
        element('span', { class: isPlain(is) ? 'unseen' : 'what' }, `(${t(`status.${is}`)})`),
      ),
    ),
  );
}

/** What its mark alone says to everybody who sees it. */
function isPlain(is) {
  return ['done', 'now', 'later'].includes(is);
}
