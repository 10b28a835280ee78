import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { loadNotedScans } from './load-desk.ts';

const {
  isUnused,
  itemIsHeld,
  noteLeft,
  noteLost,
  noteOpened,
  noteScan,
  noteUsed,
  notedScans,
  releaseItem,
  startListOf,
} = await loadNotedScans();

describe('the list of scans that a window keeps', () => {
  let kept: Map<string, string>;
  const before = Object.getOwnPropertyDescriptor(globalThis, 'sessionStorage');
  beforeEach(() => {
    kept = new Map();
    const value = {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, text: string) => void kept.set(key, text),
      removeItem: (key: string) => void kept.delete(key),
    };
    Object.defineProperty(globalThis, 'sessionStorage', { value, configurable: true });
  });
  afterEach(() => {
    if (before === undefined) Reflect.deleteProperty(globalThis, 'sessionStorage');
    else Object.defineProperty(globalThis, 'sessionStorage', before);
  });
  function work(): void {
    noteLeft(4711);
    noteLost('card');
    noteScan('evt_1', false);
  }

  test('goes on from page to page of one member of staff', () => {
    startListOf(51);
    work();
    startListOf(51);
    expect(notedScans()).toMatchObject([{ patronId: 4711 }, { lost: 'card' }, { id: 'evt_1' }]);
  });

  test.each([
    ['somebody else', 52],
    ['somebody whose number Koha does not say', undefined],
  ])('is gone once %s has logged in to the same window', (_who, next) => {
    startListOf(51);
    work();
    startListOf(next);
    expect(notedScans()).toEqual([]);
    expect([...kept.values()].join()).not.toContain('4711');
  });

  test('is gone where an older page has kept it for nobody', () => {
    work();
    startListOf(51);
    expect(notedScans()).toEqual([]);
  });

  test.each([
    ['21234000000017', '0017'],
    ['LAKE.1377', '1377'],
    ['1377', ''],
    ['Kovač, Ana', ''],
    ['Anastasia', ''],
    [undefined, ''],
  ])('has of the card %s before what was lost %p', (card, ends) => {
    noteLost('item', card === undefined ? {} : { card });
    expect(notedScans()).toMatchObject([{ ends }]);
  });

  test('after all that may be an item, the next page takes none, but for that of its own patron', () => {
    noteLost('card');
    expect(itemIsHeld(7)).toBe(false);
    for (const lost of ['item', 'unsure', 'code'] as const) {
      noteLost(lost);
      expect([itemIsHeld(7), itemIsHeld()]).toEqual([true, true]);
      releaseItem();
      expect(itemIsHeld(7)).toBe(false);
    }
    noteLost('item', { patronId: 7 });
    expect([itemIsHeld(8), itemIsHeld(), itemIsHeld(7), itemIsHeld(8)]).toEqual([true, true, false, false]);
    noteLost('item', { patronId: 7 });
    noteLost('item', { patronId: 8 });
    expect([itemIsHeld(7), itemIsHeld(8)]).toEqual([true, true]);
    startListOf(52);
    expect(itemIsHeld(7)).toBe(false);
  });

  test('a checkout is unused until it gets an item, and again once that of another was open', () => {
    noteOpened(7);
    expect(isUnused(7)).toBe(true);
    noteUsed(7);
    noteOpened(7);
    expect(isUnused(7)).toBe(false);
    noteOpened(8);
    noteOpened(7);
    expect(isUnused(7)).toBe(true);
  });
});
