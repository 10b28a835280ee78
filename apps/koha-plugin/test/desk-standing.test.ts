import { STANDING_REASONS } from '@passport/contract';
import { expect, test } from '@jest/globals';
import { LANGUAGES } from './a-state.ts';
import { MESSAGES, type Standing, loadDesk, startDesk } from './load-desk.ts';

const desk = await loadDesk();
const standing = (changes: Partial<Standing> = {}): Standing => ({
  patron_id: 812,
  home_name: 'Midland Public Library',
  is_good: true,
  reasons: [],
  checked_s: 130,
  is_checking: false,
  ...changes,
});
const say = (changes: Partial<Standing>, passedMs = 0, language = 'en') =>
  desk.describeStanding(standing(changes), passedMs, desk.createWords(MESSAGES, language), language);

test('the line names home, standing and when it was checked, and grows older', () => {
  expect(say({})).toEqual({
    tone: 'good',
    text: 'Visitor of Midland Public Library · in good standing, checked 2 minutes ago.',
    advice: '',
  });
  expect(say({ is_checking: true }, 3_600_000).text).toBe(
    'Visitor of Midland Public Library · in good standing, checked 1 hour ago. Checking now …',
  );
});

test('one that is not good has its reasons, or none where they are not shown, and the advice', () => {
  const { tone, text, advice } = say({ is_good: false, reasons: ['EXPIRED', 'LATER_CODE'] });
  expect([tone, advice]).toEqual(['bad', 'The patron can have this settled at Midland Public Library.']);
  expect(text).toContain('not in good standing: the card has expired, LATER_CODE. Checked 2 minutes ago.');
  expect(say({ is_good: false }).text).toContain('not in good standing. Checked');
});

test.each(LANGUAGES)('in %s there is a word for each reason', (language) => {
  const missing = STANDING_REASONS.filter((code) => MESSAGES[language]?.[`reason.${code}`] === undefined);
  expect(missing).toEqual([]);
  expect(say({ checked_s: 0 }, 0, language).text).not.toMatch(/[{}]|undefined/);
});

test('only the check that runs is waited for, often at first, and for a minute', () => {
  const next = (followedMs: number) => desk.nextStandingMs(standing({ is_checking: true }), followedMs);
  expect([0, 9_999, 10_000, 59_999, 60_000].map(next)).toEqual([500, 500, 3_000, 3_000, null]);
  expect(desk.nextStandingMs(standing(), 0)).toBeNull();
});

test('what goes wrong with the line does not keep the panel away', async () => {
  const lookedFor: string[] = [];
  const getElementById = (id: string): object | null => {
    lookedFor.push(id);
    return id === 'passport-standing' ? { textContent: 'no JSON' } : null;
  };
  Object.assign(globalThis, {
    document: { getElementById, documentElement: { lang: 'en' } },
    location: { pathname: '/cgi-bin/koha/circ/circulation.pl', hash: '' },
  });
  await startDesk();
  expect(lookedFor[0]).toBe('passport-standing');
  expect(lookedFor).toContain('passport-desk');
});
