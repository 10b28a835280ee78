import { showConsent } from './consent.js';
import { describe } from './describe.js';
import { element, setText } from './element.js';
import { isBusyElsewhere } from './page.js';
import { canCancel, checkoutAddress, isCheckedOut, opensByItself } from './scan-state.js';

/** Brings the panel to what is known, and leaves for the checkout when nothing keeps us here. */
export function show(workflow) {
  const { panel, t, view } = workflow;
  const shown = describe(view, t, workflow.language);
  const isHeld = panel.input.value.trim() !== '';
  const canOpen = shown.next.includes('open');
  const keepsForm =
    !view.cancel && (shown.takesItem || workflow.isSendingItem || (canOpen && isHeld && !view.withItem));
  const isReady =
    !view.cancel &&
    Boolean(view.state) &&
    opensByItself(view.state, view.withItem) &&
    !workflow.isSendingItem;
  const leaves = isReady && !keepsForm && !workflow.cameBack && !isBusyElsewhere(panel.host);

  panel.section.dataset.tone = shown.tone;
  showSteps(panel.steps, shown.steps, t);
  panel.form.hidden = !keepsForm;
  showNext(workflow, shown);
  showConsent(workflow);
  if (workflow.isHeard) {
    setText(panel.headline, shown.headline);
    setText(panel.advice, isReady && keepsForm ? t('item.held') : leaves ? t('going') : shown.advice);
  }
  if (leaves)
    workflow.departure.leaveSoon(
      checkoutAddress(view.state, workflow.card),
      isCheckedOut(view.state) ? 1200 : 500,
    );
  else workflow.departure.stay();

  // what had the focus is gone: a keyboard user continues from the headline
  const focused = panel.root.activeElement;
  if (focused && focused.closest('[hidden]')) panel.headline.focus();
  if (shown.isOver && !keepsForm && !leaves) goOn(workflow, isHeld);
}

export function focusItem({ panel }) {
  if (!isBusyElsewhere(panel.host) && !panel.form.hidden) panel.input.focus();
}

/** Once for each result: from here on the desk belongs to the next card. */
function goOn(workflow, isTyping) {
  if (!workflow.isHeard || workflow.settledRun === workflow.run) return;
  workflow.settledRun = workflow.run;
  workflow.nextScan.ready(isTyping);
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
