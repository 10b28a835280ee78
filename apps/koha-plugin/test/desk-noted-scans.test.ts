import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { loadNotedScans } from './load-desk.ts';

const { noteLeft, noteLost, noteScan, notedScans, startListOf } = await loadNotedScans();

describe('the list of scans that a window keeps', () => {
  let kept: Map<string, string>;
  const before = Object.getOwnPropertyDescriptor(globalThis, 'sessionStorage');
  beforeEach(() => {
    kept = new Map();
    const value = {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, text: string) => void kept.set(key, text),
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
});
