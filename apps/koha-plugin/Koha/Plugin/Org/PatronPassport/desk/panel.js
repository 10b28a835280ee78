import { element } from './element.js';
import { dress } from './panel-style.js';

/**
 * The panel as it is before anything is known, not yet on the page. It calls `on.item(barcode)`, `on.typing()`,
 * `on.again()` and `on.cancel()`.
 */
export function buildPanel(t, on) {
  const host = element('div', { id: 'passport-panel' });
  const root = host.attachShadow({ mode: 'open' });
  const headline = element('p', { class: 'headline', role: 'status', 'aria-live': 'polite', tabindex: '-1' });
  const advice = element('p', { class: 'advice', role: 'status', 'aria-live': 'polite' });
  const steps = element('ol', { 'aria-label': t('steps') });
  const box = buildItemBox(t, on);
  const { open, again, cancel } = buildButtons(t, on);
  const section = element(
    'section',
    { 'aria-labelledby': 'title', 'data-tone': 'wait' },
    element('header', {}, element('h2', { id: 'title' }, t('title'))),
    headline,
    advice,
    steps,
    box.form,
    element('div', { class: 'actions' }, open, again, cancel),
  );
  dress(root);
  root.append(section);
  return { host, root, section, headline, advice, steps, ...box, open, again, cancel };
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

function buildButtons(t, on) {
  const open = element('a', { class: 'go main', href: '#', hidden: true }, t('button.open'));
  const again = element('button', { type: 'button', class: 'main', hidden: true }, t('button.again'));
  const cancel = element('button', { type: 'button' }, t('button.cancel'));
  again.addEventListener('click', () => on.again());
  cancel.addEventListener('click', () => on.cancel());
  return { open, again, cancel };
}
