import { buildConsent } from './consent.js';
import { buildDecision } from './decision.js';
import { element } from './element.js';
import { dress } from './panel-style.js';

/**
 * The panel as it is before anything is known, not yet on the page. `registrations` are the links to Koha's form for a new
 * patron. It calls `on.code(code)` with what was scanned into its box, `on.choose(said)` what that is, `on.typing()`, `on.answer(said)`, `on.decide(option)`, `on.cancel()`, and the next steps
 * of the desk that are no links: `on.again()`, `on.card()`, `on.reload()`, `on.name()`, `on.next()`.
 */
export function buildPanel(t, language, registrations, on) {
  const host = element('div', { id: 'passport-panel' });
  const root = host.attachShadow({ mode: 'open' });
  const headline = element('p', { class: 'headline', role: 'status', 'aria-live': 'polite', tabindex: '-1' });
  const advice = element('p', { class: 'advice', role: 'status', 'aria-live': 'polite' });
  const steps = element('ol', { 'aria-label': t('steps') });
  const box = buildBox(on, t);
  const question = buildConsent(t, (said) => on.answer(said));
  const decided = buildDecision((option) => on.decide(option));
  const { actions, next, cancel } = buildActions(t, registrations, on);
  const section = element(
    'section',
    { 'aria-labelledby': 'title', 'data-tone': 'wait', lang: language },
    element('header', {}, element('h2', { id: 'title' }, t('title'))),
    element('div', { class: 'result' }, element('span', { class: 'sign', 'aria-hidden': 'true' }), headline),
    advice,
    question.consent,
    decided.decision,
    steps,
    box.form,
    actions,
  );
  dress(root);
  root.append(section);
  return { host, root, section, headline, advice, steps, ...box, ...question, ...decided, next, cancel };
}

function buildBox(on, t) {
  const input = element('input', {
    id: 'item',
    type: 'text',
    autocomplete: 'off',
    autocapitalize: 'off',
    spellcheck: 'false',
    maxlength: '64',
    'aria-describedby': 'item-fault',
  });
  const itemFault = element('p', { class: 'fault', id: 'item-fault', role: 'alert' });
  const submit = element('button', { type: 'submit' });
  const label = element('span', {});
  const hint = element('small', {});
  const asItem = element('button', { type: 'button' }, t('code.as_item'));
  const asCard = element('button', { type: 'button' }, t('code.as_card'));
  const choice = element(
    'div',
    { class: 'choice', role: 'alert', hidden: true },
    element('p', { class: 'fault' }, t('code.ask')),
    asItem,
    asCard,
  );
  const form = element(
    'form',
    { autocomplete: 'off' },
    element('label', { for: 'item' }, label, hint),
    input,
    submit,
    itemFault,
    choice,
  );
  asItem.addEventListener('click', () => on.choose('item'));
  asCard.addEventListener('click', () => on.choose('card'));
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const code = input.value.trim();
    input.value = '';
    if (code) on.code(code);
  });
  input.addEventListener('input', () => on.typing());
  return { form, input, label, hint, submit, itemFault, choice };
}

/** `next`: an element for each next step of the desk that this page has. */
function buildActions(t, registrations, on) {
  const next = { open: element('a', { class: 'go', href: '#', hidden: true }, t('button.open')) };
  for (const step of ['again', 'card', 'reload', 'name', 'next']) {
    next[step] = element('button', { type: 'button', hidden: true }, t(`button.${step}`));
    next[step].addEventListener('click', () => on[step]());
  }
  const register = buildRegister(t, registrations);
  if (register) next.register = register;
  const cancel = element('button', { type: 'button' }, t('button.cancel'));
  cancel.addEventListener('click', () => on.cancel());
  const actions = element('div', { class: 'actions' }, ...Object.values(next), cancel);
  return { actions, next, cancel };
}

/** A choice of the patron's category, as on Koha's own button. */
function buildRegister(t, registrations) {
  const [only, ...more] = registrations;
  if (!only) return null;
  const label = t('button.register');
  if (more.length === 0)
    return element(
      'a',
      { class: 'go', href: only.address, hidden: true, 'aria-keyshortcuts': 'Alt+N' },
      label,
    );
  const links = registrations.map(({ label: category, address }) =>
    element('li', {}, element('a', { href: address }, category)),
  );
  const register = element(
    'details',
    { class: 'register', hidden: true },
    element('summary', { class: 'go', 'aria-keyshortcuts': 'Alt+N' }, label),
    element('ul', {}, ...links),
  );
  // the next key chooses the first category
  register.addEventListener('toggle', () => register.open && register.querySelector('a').focus());
  return register;
}

/** Opens Koha's form for a new patron, or the choice of its category. */
export function openRegister({ next: { register } }) {
  const opener = register && (register.querySelector('summary') || register);
  if (opener && !register.hidden) opener.click();
}
