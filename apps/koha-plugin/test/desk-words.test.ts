import { describe, expect, test } from '@jest/globals';
import { LANGUAGES, LOANS, OUTCOMES, WAITS } from './a-state.ts';
import { loadDesk, MESSAGES } from './load-desk.ts';

const desk = await loadDesk();

describe('the words', () => {
  const codes = [
    ...OUTCOMES.map((code) => `outcome.${code}`),
    ...LOANS.map((code) => `loan.${code}`),
    ...WAITS.map((code) => `now.waiting.${code}`),
  ];

  test.each(LANGUAGES)(
    'in %s there is one for each code of the contract, and each is translated',
    (language) => {
      const ours = MESSAGES[language] ?? {};
      expect(codes.filter((key) => ours[key] === undefined)).toEqual([]);
      if (language === 'en') return;
      const same = Object.keys(ours).filter((key) => ours[key] === MESSAGES['en']?.[key]);
      expect(same).toEqual([]);
    },
  );

  test('the page says its language; one that is not there is English, and so is a word that is missing', () => {
    const messages = { en: { a: 'A {x}', b: 'B' }, fr: { a: 'Ah {x}' }, 'pt-BR': { a: 'Á' } };
    const said = (language: string, key: string): string | undefined =>
      desk.createWords(messages, language)(key, { x: '$& {x}' });
    expect(said('fr-FR', 'a')).toBe('Ah $& {x}');
    expect(said('fr-FR', 'b')).toBe('B');
    expect(said('pt-BR', 'a')).toBe('Á');
    expect(said('nl-NL', 'a')).toBe('A $& {x}');
    expect(said('', 'b')).toBe('B');
    expect(said('en', 'nothing')).toBeUndefined();
  });
});
