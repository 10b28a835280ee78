import { element, setText } from './element.js';
import { languageOf } from './words.js';

/** The library's own text in the page's language, in its base language, in English, or as there is one: {language, text}. */
export function textFor(texts, language) {
  const known = texts || {};
  const found = languageOf(known, language);
  return { language: found, text: known[found] || '' };
}

/** The question that an event waits for, unless this page has answered it or cancels: {text_id, texts}, or null. */
export function questionOf({ state, cancel, answered }) {
  const isOpen = Boolean(state) && state.state === 'waiting' && Boolean(state.consent) && !cancel;
  return isOpen && answered !== state.event_id ? state.consent : null;
}

/** The box of the question, hidden; it calls `answer('yes')` or `answer('no')`. */
export function buildConsent(t, answer) {
  const text = element('p', { class: 'text', id: 'consent-text' });
  const consentFault = element('p', { class: 'fault', role: 'alert' });
  const buttons = ['yes', 'no'].map((said) => {
    const button = element('button', { type: 'button' }, t(`consent.${said}`));
    button.addEventListener('click', () => answer(said));
    return button;
  });
  const consent = element(
    'div',
    {
      class: 'consent',
      hidden: true,
      role: 'group',
      'aria-label': t('consent.label'),
      'aria-describedby': 'consent-text',
    },
    text,
    element('div', { class: 'answers' }, ...buttons),
    consentFault,
  );
  return { consent, consentText: text, consentButtons: buttons, consentFault };
}

/**
 * Shows the question while an event waits for its answer. The focus stays in the box for what is scanned, and comes to none of its
 * buttons: a scanner ends with Enter, and would agree for the patron.
 */
export function showConsent({ panel, view, language, isAnswering }) {
  const question = questionOf(view);
  panel.consent.hidden = !question;
  if (!question) return;
  const shown = textFor(question.texts, language);
  panel.consentText.setAttribute('lang', shown.language);
  setText(panel.consentText, shown.text);
  for (const button of panel.consentButtons) button.disabled = Boolean(isAnswering);
}
