import { expect, test } from '@jest/globals';
import { aState } from './a-state.ts';
import { loadDesk } from './load-desk.ts';

const desk = await loadDesk();

test('nobody answers twice: while an answer is on its way the buttons take none', () => {
  const consent = { text_id: 'text-1', texts: { en: 'May we?' } };
  const state = aState({ state: 'waiting', outcome: null, consent });
  const consentButtons = [{ disabled: false }, { disabled: false }];
  const consentText = { textContent: '', setAttribute: () => undefined };
  const panel = { consent: { hidden: true }, consentText, consentButtons };
  for (const isAnswering of [false, true, false]) {
    desk.showConsent({ panel, view: { state }, language: 'en', isAnswering });
    expect([panel.consent.hidden, consentText.textContent]).toEqual([false, 'May we?']);
    expect(consentButtons).toEqual([{ disabled: isAnswering }, { disabled: isAnswering }]);
  }
});
