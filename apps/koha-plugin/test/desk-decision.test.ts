import { describe, expect, test } from '@jest/globals';
import { aState, LAKESIDE, MIDLAND } from './a-state.ts';
import { loadDesk, MESSAGES, type Shown, type View } from './load-desk.ts';

const desk = await loadDesk();

function shown(view: Partial<View>): Shown {
  const whole = { state: null, followedMs: 0, now: 0, ...view };
  return desk.describe(whole, desk.createWords(MESSAGES, 'en'), 'en');
}

describe('what the panel says while staff are to decide', () => {
  const now = Date.parse('2026-11-25T09:00:00Z');
  const until = '2026-11-25T09:15:00Z';
  const held = (reason: string) => ({ library: 'riverside', reason, next_try_at: until });
  const choice = aState({
    state: 'waiting',
    outcome: null,
    homes: [MIDLAND, LAKESIDE],
    waiting_for: held('HOME_CHOICE'),
    asks: { question: 'HOME_CHOICE', options: ['midland', 'lakeside'], answer_by: until },
  });
  const refusal = aState({
    state: 'waiting',
    outcome: null,
    reasons: ['UNDER_AGE'],
    waiting_for: held('OVERRIDE'),
    asks: { question: 'OVERRIDE', options: ['DOCUMENT_SEEN', 'NEW_IN_2030'], answer_by: until },
  });
  const words = desk.createWords(MESSAGES, 'en');

  test('the libraries are named, nothing is found yet, and an item can be scanned meanwhile', () => {
    expect(shown({ state: choice, now })).toMatchObject({
      tone: 'warn',
      headline: 'Several libraries use this card number: Midland Public Library and Lakeside Library.',
      isOver: false,
      takesItem: true,
      steps: { search: 'several', copy: 'later' },
    });
    expect(shown({ state: choice, now }).advice).toMatch(/^Ask the patron which .+ Answer until .+\.$/);
    expect(shown({ state: choice, now, withItem: true })).toMatchObject({ takesItem: false });
    expect(desk.optionsOf(choice.asks ?? { question: '', options: [] }, choice, words)).toEqual([
      { option: 'midland', label: 'Midland Public Library' },
      { option: 'lakeside', label: 'Lakeside Library' },
    ]);
  });

  test('a refusal that can be overridden is a result: the next card is a new scan', () => {
    expect(shown({ state: refusal, now, withItem: true })).toMatchObject({
      tone: 'warn',
      headline: 'Found at Midland Public Library, but: the patron is too young.',
      isOver: true,
      takesItem: false,
      next: ['next'],
      steps: { search: 'done', copy: 'stopped' },
    });
    expect(desk.optionsOf(refusal.asks ?? { question: '', options: [] }, refusal, words)).toEqual([
      { option: 'DOCUMENT_SEEN', label: 'A document was shown' },
      { option: 'NEW_IN_2030', label: 'NEW_IN_2030' },
    ]);
  });

  test('each question is put once, and a later one of the same event all the same', () => {
    expect(desk.asksOf({ state: choice })).toEqual(choice.asks);
    expect(desk.asksOf({ state: choice, decided: 'scan_1 HOME_CHOICE' })).toBeNull();
    expect(desk.asksOf({ state: refusal, decided: 'scan_1 HOME_CHOICE' })).toEqual(refusal.asks);
    expect(desk.asksOf({ state: choice, cancel: 'pending' })).toBeNull();
    expect(desk.asksOf({ state: { ...choice, state: 'working' } })).toBeNull();
    expect(shown({ state: choice, now, decided: 'scan_1 HOME_CHOICE' }).headline).toBe(
      'The answer is recorded. One moment …',
    );
  });
});
