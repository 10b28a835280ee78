import { readFileSync } from 'node:fs';
import { createContext, runInContext } from 'node:vm';
import { beforeEach, expect, test } from '@jest/globals';

const SCRIPT = readFileSync(
  new URL('../Koha/Plugin/Org/PatronPassport/first-keys.js', import.meta.url),
  'utf8',
);
const CARD = '21234000000017';

type Taken = { readonly typed: string; readonly isCut: boolean };
type Keys = {
  readonly leftMs: number;
  take(): Taken;
  keep(typed: string, isCut: boolean): void;
};
type Key = Readonly<Record<string, unknown>>;

let stored: Map<string, string>;
let nowMs: number;
beforeEach(() => {
  [stored, nowMs] = [new Map<string, string>(), 1_000_000];
});

/** A page of the desk, from its first moment; `focused` has the focus, and so many keys came before anything could hear them. */
function openPage(focused: object = body, missed = 0) {
  const listeners = new Map<string, (event: object) => void>();
  const addEventListener = (name: string, listener: (event: object) => void) => listeners.set(name, listener);
  const send = (name: string, event: object = {}) => listeners.get(name)?.(event);
  const timers: (() => void)[] = [];
  const page = {
    window: { addEventListener },
    document: { activeElement: focused },
    sessionStorage: {
      getItem: (key: string) => stored.get(key) ?? null,
      setItem: (key: string, value: string) => stored.set(key, value),
      removeItem: (key: string) => stored.delete(key),
    },
    Date: { now: () => nowMs },
    performance: { eventCounts: new Map([['keydown', missed]]) },
    setTimeout: (run: () => void) => timers.push(run),
  };
  runInContext(SCRIPT, createContext(page));
  /** Whether the page itself gets the key. */
  const press = (key: string, more: Key = {}): boolean => {
    let isTaken = false;
    const stop = () => (isTaken = true);
    send('keydown', {
      key,
      getModifierState: () => false,
      ...more,
      preventDefault: stop,
      stopImmediatePropagation: () => undefined,
    });
    return !isTaken;
  };
  return {
    press,
    type: (code: string) => Array.from(code, (key) => press(key)),
    send,
    passTime: () => timers.forEach((run) => run()),
    /** As the desk's script does when it is there; it says when it takes what was held. */
    keys(): Keys {
      let keys: Keys | undefined;
      send('passport-keys', { detail: (held: Keys) => (keys = held) });
      if (keys === undefined) throw new Error('nobody holds keys');
      return keys;
    },
    meet(): () => Taken {
      return this.keys().take;
    },
  };
}
const body = { closest: () => null, matches: () => false };
function aBox(more = {}) {
  const box = { closest: () => null, matches: () => true, value: '', selectionStart: 0, selected: '' };
  return Object.assign(box, { select: () => (box.selected = box.value) }, more);
}

test('what is typed before the desk can take it reaches nothing else, and is there when it can', () => {
  const page = openPage();
  expect([...page.type(CARD), page.press('Enter'), ...page.type('39')]).not.toContain(true);
  const take = page.meet();
  expect(page.press('9')).toBe(false);
  expect(take()).toEqual({ typed: `${CARD}\n399`, isCut: false });
  expect([page.press('9'), page.press('Enter')]).toEqual([true, true]);
  expect(take().typed).toBe('');
});

test('keys of a shortcut, of a composed letter and of no letter stay the page’s', () => {
  const page = openPage();
  const pressed = [
    page.press('u', { altKey: true, code: 'KeyU' }),
    page.press('r', { ctrlKey: true }),
    page.press('ä', { isComposing: true }),
    page.press('Shift'),
    page.press('Tab'),
  ];
  expect(pressed).not.toContain(false);
  expect(page.meet()().typed).toBe('');
});

test('Enter on a button of Koha’s is its own, and after a code it is the end of that; so is Space', () => {
  const page = openPage({ closest: () => ({}), matches: () => false });
  expect([page.press('Enter'), page.press(' ')]).toEqual([true, true]);
  expect([page.press('A'), page.press(' '), page.press('1'), page.press('Enter')]).not.toContain(true);
  expect(page.meet()().typed).toBe('A 1\n');
});

test('an Enter alone is kept for Koha, and is the end of a code where keys came before they could be held', () => {
  const page = openPage();
  expect(page.press('Enter')).toBe(false);
  expect(page.meet()()).toEqual({ typed: '\n', isCut: false });
  const late = openPage(body, 13);
  late.press('Enter');
  expect(late.meet()()).toEqual({ typed: '\n', isCut: true });
  expect(openPage(body, 13).meet()().isCut).toBe(false);
});

test('a page that is left in the middle of a code says so to the next one, once, and keeps no key', () => {
  const first = openPage();
  first.meet()();
  first.type('2123');
  first.send('pagehide');
  expect(JSON.stringify([...stored])).not.toContain('2123');
  expect(openPage().meet()()).toEqual({ typed: '', isCut: true });
  expect(openPage().meet()()).toEqual({ typed: '', isCut: false });
});

test.each<[string, (page: ReturnType<typeof openPage>) => void]>([
  ['with the end of a code', (page) => page.press('Enter')],
  ['by sending a form', (page) => page.send('submit')],
  ['by a click', (page) => page.send('pointerdown')],
  ['long after the last key', () => (nowMs += 5_000)],
])('a page that is left %s says nothing', (_how, leave) => {
  const page = openPage();
  page.meet()();
  page.type(CARD);
  leave(page);
  page.send('pagehide');
  expect(openPage().meet()().isCut).toBe(false);
});

test('what nobody has taken when the page is left is lost, and so is what was begun before a click where nothing has the focus', () => {
  const left = openPage();
  left.type(CARD);
  left.press('Enter');
  left.send('pagehide');
  expect(openPage().meet()().isCut).toBe(true);
  const clicked = openPage();
  clicked.type(CARD);
  clicked.send('pointerdown');
  expect(clicked.press('1')).toBe(true);
  expect(clicked.meet()()).toEqual({ typed: '', isCut: true });
});

test.each<[string, (page: ReturnType<typeof openPage>) => unknown]>([
  ['clicks', (page) => page.send('pointerdown')],
  ['pastes', (page) => page.send('paste')],
  ['goes back in it', (page) => page.press('ArrowLeft')],
  ['undoes', (page) => page.press('z', { ctrlKey: true })],
  ['goes to another box', (page) => page.press('Tab')],
  ['composes a letter', (page) => page.press('n', { isComposing: true })],
])('whoever %s has what they have begun in the box where they are, and types on there', (_what, act) => {
  const box = aBox();
  const page = openPage(box);
  page.type('smi');
  act(page);
  expect([box.value, page.press('t')]).toEqual(['smi', true]);
  expect(page.meet()()).toEqual({ typed: '', isCut: false });
});

test.each<[string, string, Key]>([
  ['composes a letter', 'é', { isComposing: true }],
  ['opens a box by a shortcut of Koha’s', 'r', { altKey: true, code: 'KeyR' }],
])('whoever %s types on there, also where nothing was begun', (_what, key, more) => {
  const page = openPage();
  page.type(CARD);
  page.press('Enter');
  page.press(key, more);
  expect([page.press('3'), page.press('9')]).toEqual([true, true]);
  expect(page.meet()()).toEqual({ typed: `${CARD}\n`, isCut: false });
});

test('a scanner that sends each character as Alt and digits of the keypad has not chosen a box', () => {
  const page = openPage();
  page.press('5', { altKey: true, code: 'Numpad5' });
  expect(page.press('3')).toBe(false);
});

test('what a browser fills in by itself, with an event that has no key, is nobody’s key', () => {
  const page = openPage();
  expect(() => page.send('keydown', {})).not.toThrow();
});

test('a click takes no code away that was scanned before it', () => {
  const box = aBox();
  const page = openPage(box);
  page.type(CARD);
  page.press('Enter');
  page.type('39');
  page.send('pointerdown');
  expect([box.value, page.meet()()]).toEqual(['', { typed: `${CARD}\n`, isCut: true }]);
});

test('a key that is held is taken back by Backspace, and no other', () => {
  const page = openPage();
  expect(page.press('Backspace')).toBe(true);
  page.type('12345');
  expect([page.press('Backspace'), page.press('6'), page.press('Enter')]).toEqual([false, false, false]);
  expect(page.press('Backspace')).toBe(true);
  expect(page.meet()()).toEqual({ typed: '12346\n', isCut: false });
});

test('a character of AltGr is one of the code', () => {
  const page = openPage();
  page.type('A');
  const altGr = { ctrlKey: true, altKey: true, getModifierState: () => true };
  expect(page.press('@', altGr)).toBe(false);
  page.type('1');
  expect(page.meet()().typed).toBe('A@1');
});

test('a page whose script does not come holds no key for long', () => {
  const box = aBox();
  const page = openPage(box);
  page.type('smi');
  page.passTime();
  expect([box.value, box.selected, page.press('t')]).toEqual(['smi', '', true]);
  expect(page.meet()()).toEqual({ typed: '', isCut: false });
});

test('the desk is told how long it may leave keys held, from the first moment of the page on', () => {
  const page = openPage();
  nowMs += 1_000;
  expect(page.keys().leftMs).toBe(2_000);
});

test.each([
  ['codes', '399\n', false],
  ['the end of a code that was cut off', '', true],
])('of %s that the desk has taken and not done with, the next page is told once', (_what, typed, isCut) => {
  const page = openPage();
  const { take, keep } = page.keys();
  take();
  keep(typed, isCut);
  expect(take()).toEqual({ typed, isCut });
  keep(typed, isCut);
  page.send('pagehide');
  expect(openPage().meet()().isCut).toBe(true);
  page.send('pagehide');
  expect(openPage().meet()().isCut).toBe(false);
});

test('a page that comes much later does not ask for what was cut off', () => {
  const page = openPage();
  page.type('2123');
  page.send('pagehide');
  nowMs += 10_000;
  expect(openPage().meet()().isCut).toBe(false);
});

test('without the desk’s script Koha’s box gets the code, and every key after it', () => {
  const box = aBox();
  const page = openPage(box);
  page.type('399');
  page.press('Enter');
  page.send('load');
  expect([box.value, page.press('1')]).toEqual(['399', true]);
  page.passTime();
  // as a whole, for the next code to take its place
  expect([box.value, box.selected, openPage().meet()().isCut]).toEqual(['399', '399', false]);
  const met = openPage(box);
  met.type('21');
  met.meet();
  met.send('load');
  expect([box.value, met.press('2')]).toEqual(['399', false]);
});

test.each<[string, object, (page: ReturnType<typeof openPage>) => unknown]>([
  ['of two codes one', aBox(), (page) => page.type('99')],
  ['a code that no box could take', body, () => undefined],
  ['a code where a tick box has the focus', aBox({ selectionStart: null }), () => undefined],
  ['a code where a box is only to be read', aBox({ readOnly: true }), () => undefined],
  ['a code before a click', aBox(), (page) => page.send('pointerdown')],
])('without the desk’s script, the next page says that %s is lost', (_what, focused, act) => {
  const page = openPage(focused);
  page.type('399');
  page.press('Enter');
  act(page);
  page.send('load');
  expect(openPage().meet()().isCut).toBe(true);
});

test('without the desk’s script, the page after it is told what the one before was', () => {
  const first = openPage();
  first.meet()();
  first.type('2123');
  first.send('pagehide');
  openPage().send('load');
  expect(openPage().meet()().isCut).toBe(true);
});
