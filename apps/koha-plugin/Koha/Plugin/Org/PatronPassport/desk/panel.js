import { buildConsent } from './consent.js';
import { element } from './element.js';
import { dress } from './panel-style.js';

/**
 * The panel as it is before anything is known, not yet on the page. `registrations` are the links to Koha's form for a new
 * patron. It calls `on.item(barcode)`, `on.typing()`, `on.answer(said)`, `on.cancel()`, and the next steps of the desk that are no links:
 * `on.again()`, `on.reload()`, `on.name()`, `on.next()`.
 */
export function buildPanel(t, language, registrations, on) {
  const host = element('div', { id: 'passport-panel' });
  const root = host.attachShadow({ mode: 'open' });
  const headline = element('p', { class: 'headline', role: 'status', 'aria-live': 'polite', tabindex: '-1' });
  const advice = element('p', { class: 'advice', role: 'status', 'aria-live': 'polite' });
  const steps = element('ol', { 'aria-label': t('steps') });
  const box = buildItemBox(t, on);
  const question = buildConsent(t, (said) => on.answer(said));
  const { actions, next, cancel } = buildActions(t, registrations, on);
  const section = element(
    'section',
    { 'aria-labelledby': 'title', 'data-tone': 'wait', lang: language },
    element('header', {}, element('h2', { id: 'title' }, t('title'))),
    element('div', { class: 'result' }, element('span', { class: 'sign', 'aria-hidden': 'true' }), headline),
    advice,
    question.consent,
    steps,
    box.form,
    actions,
  );
  dress(root);
  root.append(section);
  return { host, root, section, headline, advice, steps, ...box, ...question, next, cancel };
}

function buildItemBox(t, on) {
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
  const submit = element('button', { type: 'submit' }, t('item.submit'));
  const form = element(
    'form',
    { autocomplete: 'off', hidden: true },
    element('label', { for: 'item' }, t('item.label'), element('small', {}, t('item.hint'))),
    input,
    submit,
    itemFault,
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const barcode = input.value.trim();
    if (barcode) on.item(barcode);
  });
  input.addEventListener('input', () => on.typing());
  return { form, input, submit, itemFault };
}

/** `next`: an element for each next step of the desk that this page has. */
function buildActions(t, registrations, on) {
  const next = { open: element('a', { class: 'go', href: '#', hidden: true }, t('button.open')) };
  for (const step of ['again', 'reload', 'name', 'next']) {
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
  if (more.length === 0) return element('a', { class: 'go', href: only.address, hidden: true }, label);
  const links = registrations.map(({ label: category, address }) =>
    element('li', {}, element('a', { href: address }, category)),
  );
  return element(
    'details',
    { class: 'register', hidden: true },
    element('summary', { class: 'go' }, label),
    element('ul', {}, ...links),
  );
}
