import { describe, expect, test } from '@jest/globals';
import { aState } from './a-state.ts';
import { loadDesk, MESSAGES, type Shown, type View } from './load-desk.ts';

const desk = await loadDesk();

const shown = (view: Partial<View>): Shown =>
  desk.describe({ state: null, followedMs: 0, ...view }, desk.createWords(MESSAGES, 'en'), 'en');

describe('while it waits for a known time', () => {
  const now = Date.parse('2026-11-25T09:00:00Z');
  const held = {
    library: 'midland',
    reason: 'NO_ANSWER',
    next_try_at: '2026-11-25T09:00:20Z',
    gives_up_at: '2026-11-25T09:15:00Z',
    checkout_by: '2026-11-25T09:01:30Z',
  };
  const waiting = (changed: Partial<typeof held> = {}) =>
    aState({ state: 'waiting', outcome: null, homes: [], waiting_for: { ...held, ...changed } });

  test('it says until when, and takes an item', () => {
    const actual = shown({ state: waiting(), now });
    expect(actual.advice).toMatch(/It is tried until .*15.*\.$/);
    expect(actual.takesItem).toBe(true);
  });

  test('no item is taken that could not be checked out any more, and the one that waits is not promised', () => {
    const late = waiting({ next_try_at: '2026-11-25T09:02:00Z' });
    expect(shown({ state: late, now }).takesItem).toBe(false);
    expect(shown({ state: late, now, withItem: true }).advice).toMatch(/^The item will not be checked out/);
    expect(shown({ state: waiting(), now, withItem: true }).advice).toMatch(/^One item is waiting/);
  });
});
