import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { OVERRIDE_REASONS } from '@passport/contract';
import { LANGUAGES, CHECKOUT_RESULTS, OUTCOMES, WAITS } from './a-state.ts';
import { loadDesk, MESSAGES } from './load-desk.ts';

const desk = await loadDesk();

const REASONS = new URL('../../../packages/koha-client/src/checkouts/checkout-keys.ts', import.meta.url);
/** Values that stand beside a key, what only warns, and what no copy meets: it has no guarantor, and takes nothing out on site. */
const NO_KEYS = new Set(
  `TOO_MANY_CHECKOUTS NO_RULE_DEFINED OTHER_CHARGES RETURNED_FROM_ANOTHER STATS BOOKED CURRENTISSUE INVALID_DATE
  DEBT_GUARANTEES DEBT_GUARANTORS DEBT_LINKED_ACCOUNTS ONSITE_CHECKOUT_WILL_BE_SWITCHED TOO_MANY_ONSITE_CHECKOUTS`.split(
    /\s+/,
  ),
);

/** What can prevent a checkout, as Koha's source has it. */
function keysAgainstCheckouts(): string[] {
  const [, known = ''] = /`([^`]+)`\.split/.exec(readFileSync(REASONS, 'utf8')) ?? [];
  return known.split(/\s+/).filter((key) => !NO_KEYS.has(key));
}

describe('the words', () => {
  const codes = [
    ...OUTCOMES.map((code) => `outcome.${code}`),
    ...CHECKOUT_RESULTS.map((code) => `checkout.${code}`),
    // what may be overridden is said as the refusal
    ...WAITS.filter((code) => code !== 'OVERRIDE').map((code) => `now.waiting.${code}`),
    ...OVERRIDE_REASONS.map((code) => `override.${code}`),
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

  test.each(LANGUAGES)(
    'in %s there is one for each key that Koha can name against a checkout',
    (language) => {
      const keys = keysAgainstCheckouts();
      expect(keys).toEqual(
        expect.arrayContaining(['DEBARRED', 'ISSUED_TO_ANOTHER', 'PROCESSING', 'TOO_MANY']),
      );
      expect(keys.filter((key) => MESSAGES[language]?.[`key.${key}`] === undefined)).toEqual([]);
    },
  );

  test('the page says its language; one that is not there is English, and so is a word that is missing', () => {
    const messages = { en: { a: 'A {x}', b: 'B' }, fr: { a: 'Ah {x}' }, 'pt-BR': { a: 'Á' } };
    const translated = (language: string, key: string): string | undefined =>
      desk.createWords(messages, language)(key, { x: '$& {x}' });
    expect(translated('fr-FR', 'a')).toBe('Ah $& {x}');
    expect(translated('fr-FR', 'b')).toBe('B');
    expect(translated('pt-BR', 'a')).toBe('Á');
    expect(translated('nl-NL', 'a')).toBe('A $& {x}');
    expect(translated('', 'b')).toBe('B');
    expect(translated('en', 'nothing')).toBeUndefined();
    const languages = ['fr-FR', 'pt-BR', 'pt', 'nl-NL', ''];
    expect(languages.map((language) => desk.languageOf(messages, language))).toEqual([
      'fr',
      'pt-BR',
      'en',
      'en',
      'en',
    ]);
    // the page is sent the texts of one language only
    expect(desk.languageOf({ fr: { a: 'Ah {x}' } }, 'nl-NL')).toBe('fr');
    expect(desk.createWords({ fr: { a: 'Ah {x}' } }, 'nl-NL')('a', { x: '1' })).toBe('Ah 1');
  });
});
