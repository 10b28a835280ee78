import { describe } from './describe.js';
import { element, setText } from './element.js';
import { isBusyElsewhere } from './page.js';
import { canCancel, checkoutAddress, isCheckedOut, opensByItself } from './scan-state.js';

/** Brings the panel to what is known, and leaves for the checkout when nothing keeps us here. */
export function show(workflow) {
  const { panel, t, view } = workflow;
  const shown = describe(view, t, workflow.language);
  const isHeld = panel.input.value.trim() !== '';
  const keepsForm =
    !view.cancel &&
    (shown.takesItem || workflow.isSendingItem || (shown.canOpen && isHeld && !view.withItem));
  const isReady = !view.cancel && Boolean(view.state) && opensByItself(view.state) && !workflow.isSendingItem;
  const leaves = isReady && !keepsForm && !workflow.cameBack && !isBusyElsewhere(panel.host);

  panel.section.dataset.tone = shown.tone;
  showSteps(panel.steps, shown.steps, t);
  panel.form.hidden = !keepsForm;
  showButtons(workflow, shown);
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
}

export function focusItem({ panel }) {
  if (!isBusyElsewhere(panel.host) && !panel.form.hidden) panel.input.focus();
}

function showButtons({ panel, t, view, card }, shown) {
  panel.open.hidden = !shown.canOpen;
  if (shown.canOpen) panel.open.href = checkoutAddress(view.state, card);
  panel.again.hidden = !shown.canTryAgain;
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
        element('span', { class: 'unseen' }, `(${t(`status.${is}`)})`),
      ),
    ),
  );
}
