import { element } from './element.js';

/** What one key can choose: Alt with its number. */
const NUMBERED = 9;

/** What staff are asked about an event, unless this page has answered it or cancels: {question, options}, or null. */
export function asksOf({ state, cancel, decided }) {
  const isOpen = Boolean(state) && state.state === 'waiting' && Boolean(state.asks) && !cancel;
  return isOpen && decided !== answeredAs(state) ? state.asks : null;
}

/** How a page remembers that it has answered the question of this state. */
export function answeredAs(state) {
  return `${state.event_id} ${state.asks && state.asks.question}`;
}

/** The options as staff read them: the name of each library, or why a refusal is overridden. */
export function optionsOf({ question, options }, state, t) {
  return options.map((option) => {
    const home = (state.homes || []).find(({ id }) => id === option);
    const label =
      question === 'HOME_CHOICE' ? (home && home.name) || option : t(`override.${option}`) || option;
    return { option, label };
  });
}

/** The list of what staff can decide, hidden; it calls `decide(option)`. */
export function buildDecision(decide) {
  const options = element('ul', {});
  const decisionFault = element('p', { class: 'fault', role: 'alert' });
  const decision = element('div', { class: 'decision', hidden: true, role: 'group' }, options, decisionFault);
  options.addEventListener('click', (event) => {
    const button = event.target.closest('button');
    if (button) decide(button.dataset.option);
  });
  return { decision, decisionOptions: options, decisionFault };
}

/**
 * Shows what staff can decide. The focus stays in the box for what is scanned and comes to no option by itself: a scanner ends with
 * Enter, and would decide. One key does: Alt with the option's number.
 */
export function showDecision({ panel, view, t, isDeciding }) {
  const asks = asksOf(view);
  panel.decision.hidden = !asks;
  if (!asks) return;
  panel.decision.setAttribute('aria-label', t(`asks.${asks.question}.label`));
  const wanted = optionsOf(asks, view.state, t);
  const list = panel.decisionOptions;
  if (list.dataset.shows !== JSON.stringify(wanted)) {
    list.dataset.shows = JSON.stringify(wanted);
    list.replaceChildren(...wanted.map(({ option, label }, index) => rowOf(option, label, index + 1)));
  }
  for (const button of list.querySelectorAll('button')) button.disabled = Boolean(isDeciding);
}

function rowOf(option, label, number) {
  const key = number <= NUMBERED ? { 'aria-keyshortcuts': `Alt+${number}` } : {};
  const shown = number <= NUMBERED ? element('kbd', { 'aria-hidden': 'true' }, `Alt+${number}`) : '';
  const button = element('button', { type: 'button', ...key }, label, shown);
  button.dataset.option = option;
  return element('li', {}, button);
}

/**
 * Presses the option with the number of this key; whether it was one. Not on the keypad: some scanners send each character as Alt and its digits
 * there. AltGr, which types a character, is Ctrl and Alt on Windows. A key that is held decides once.
 */
export function chooseNumber({ decision, decisionOptions }, { code, altKey, ctrlKey, metaKey, repeat }) {
  const isChoice = altKey && !ctrlKey && !metaKey && !repeat;
  const [, number] = (isChoice && /^Digit([1-9])$/.exec(code)) || [];
  const button = number && decisionOptions.querySelectorAll('button')[Number(number) - 1];
  if (decision.hidden || !button) return false;
  button.click();
  return true;
}
