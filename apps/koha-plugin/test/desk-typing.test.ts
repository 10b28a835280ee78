import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { loadTyping } from './load-desk.ts';

const { heldKeys, isEarly, watchTyping } = await loadTyping();
type Taken = { typed: string; isCut: boolean };
let held: Taken | null = null;
const NOTHING: Taken = { typed: '', isCut: false };
let press: (key: string) => void = () => undefined;
const before = {
  window: Reflect.get(globalThis, 'window') as unknown,
  document: Reflect.get(globalThis, 'document') as unknown,
};
/** What has the focus. */
let focused: object | null = null;

beforeEach(() => {
  focused = null;
  const window = {
    addEventListener: (name: string, listener: (event: object) => void) => {
      if (name === 'keydown') press = (key) => listener({ key });
    },
    dispatchEvent: ({ detail }: { readonly detail: (keys: object) => void }) => {
      if (held === null) return;
      const take = (): Taken => {
        const taken = held ?? NOTHING;
        held = NOTHING;
        return taken;
      };
      const keep = (typed: string, isCut: boolean) => (held = { typed, isCut });
      detail({ take, keep, leftMs: 2_000 });
    },
  };
  const document = {
    get activeElement() {
      return focused;
    },
  };
  for (const [name, value] of Object.entries({ window, document })) {
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  }
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
  Object.assign(globalThis, before);
});

test('a code that was begun as the page came is early, however long it takes to be sent, and the next one is not', () => {
  watchTyping([{ value: '', defaultValue: '' }, null]);
  press('2');
  jest.advanceTimersByTime(5_000);
  press('1');
  expect(isEarly()).toBe(true);
  press('Enter');
  expect(isEarly()).toBe(true);
  jest.advanceTimersByTime(1);
  press('3');
  expect(isEarly()).toBe(false);
});

/** A box that tells what it is sent with. */
function aBox() {
  const sent: string[] = [];
  const box = {
    tagName: 'INPUT',
    type: 'text',
    value: '',
    defaultValue: '',
    closest: () => null,
    offsetParent: {},
    focus: () => void (focused = box),
    dispatchEvent: () => true,
    form: { requestSubmit: () => void sent.push(`${box.value} ${isEarly() ? 'early' : 'late'}`) },
  };
  return { box, sent };
}

test('what was held is given as it came: codes are sent, the rest is in the box, and all of it is early', () => {
  watchTyping([]);
  jest.advanceTimersByTime(5_000);
  held = { typed: '21234000000017\n39999000012345\n399', isCut: false };
  const { box, sent } = aBox();
  let lost = 0;
  const keys = heldKeys();
  keys.give(box, () => (lost += 1));
  expect([sent, box.value]).toEqual([['21234000000017 early', '39999000012345 early'], '399']);
  expect([isEarly(), lost]).toEqual([true, 0]);
  keys.give(box, () => (lost += 1));
  expect([sent.length, lost]).toEqual([2, 0]);
});

test.each([
  ['', []],
  ['\n', []],
  ['39999\n', ['39999 early']],
])(
  'where the page before was left in the middle of a code, that is lost, and what follows its end is not',
  (typed, given) => {
    watchTyping([]);
    held = { typed, isCut: true };
    const { box, sent } = aBox();
    let lost = 0;
    heldKeys().give(box, () => (lost += 1));
    expect([lost, sent]).toEqual([1, given]);
  },
);

test('whoever types into another box by now keeps the focus there, and the code before that is sent', () => {
  watchTyping([]);
  held = { typed: '39999\n', isCut: false };
  const name = Object.assign(aBox().box, { value: 'Smi' });
  focused = name;
  const { box, sent } = aBox();
  heldKeys().give(box, () => void sent.push('lost'));
  expect([sent, focused === name]).toEqual([['39999 early'], true]);
});

test('an Enter alone is no code, and for whoever takes the keys to say', () => {
  watchTyping([]);
  held = { typed: '\n', isCut: false };
  const { box, sent } = aBox();
  const took: string[] = [];
  heldKeys().give(
    box,
    () => took.push('lost'),
    () => took.push('end'),
  );
  expect([sent, took]).toEqual([[], ['end']]);
});

test('an Enter after the one of a code sends nothing in the place of that code', () => {
  watchTyping([]);
  held = { typed: '39999\n\n', isCut: false };
  const { box, sent } = aBox();
  heldKeys().give(box, () => void sent.push('lost'));
  expect(sent).toEqual(['39999 early']);
});

test.each([
  ['is disabled', { disabled: true }],
  ['is not there', null],
])('a box that %s gets nothing, and each code is lost', (_how, change) => {
  held = { typed: '21234000000017\n\n399', isCut: false };
  const { box, sent } = aBox();
  const lost: unknown[] = [];
  heldKeys().give(change && Object.assign(box, change), (code) => lost.push(code));
  expect([sent, box.value, lost]).toEqual([[], '', ['21234000000017', '399']]);
});

const isCard = (code: string) => code.startsWith('2');

test('where it is not known yet whom codes are for, they wait for that, and what is begun goes on in the box', () => {
  watchTyping([]);
  held = { typed: '39999000012345\n399', isCut: true };
  const { box, sent } = aBox();
  const lost: unknown[] = [];
  const lose = (code?: string) => lost.push(code);
  const keys = heldKeys();
  keys.letGo(box, isCard, lose);
  expect([sent, box.value, lost]).toEqual([[], '399', []]);
  const panel = aBox();
  keys.give(panel.box, lose);
  expect([panel.sent, lost]).toEqual([['39999000012345 early'], [undefined]]);
});

test('there, the next card does not wait, and what would be for the one before it is lost', () => {
  watchTyping([]);
  held = { typed: '39999000012345\n21234000000017\n', isCut: false };
  const { box, sent } = aBox();
  const lost: unknown[] = [];
  const keys = heldKeys();
  keys.letGo(box, isCard, (code) => lost.push(code));
  expect([sent, lost]).toEqual([['21234000000017 early'], ['39999000012345']]);
  keys.tellNext();
  // the panel that comes all the same has none of it
  keys.give(aBox().box, (code) => lost.push(code));
  expect([lost.length, held]).toEqual([1, { typed: '', isCut: true }]);
});

test.each([
  ['is disabled', { disabled: true }],
  ['is not there', null],
])('there, what is begun is cut off where the box %s', (_how, change) => {
  held = { typed: '21234000000017\n399', isCut: false };
  const { box, sent } = aBox();
  heldKeys().letGo(change && Object.assign(box, change), isCard, () => void sent.push('lost'));
  expect([sent, held]).toEqual([[], { typed: '21234000000017\n', isCut: true }]);
});

test('an Enter alone waits, too: it may be the end of a code', () => {
  held = { typed: '\n', isCut: false };
  heldKeys().letGo(aBox().box, isCard, () => undefined);
  expect(held).toEqual({ typed: '\n', isCut: false });
});

test('no key is held for longer than the head of the page says, unless it is given before', () => {
  held = { typed: '', isCut: false };
  let late = 0;
  const [keys, given] = [heldKeys(), heldKeys()];
  keys.whenLate(() => (late += 1));
  given.whenLate(() => (late += 1));
  given.give(null, () => undefined);
  jest.advanceTimersByTime(1_999);
  expect(late).toBe(0);
  jest.advanceTimersByTime(1);
  expect(late).toBe(1);
});

test('nothing is held where the head of the page has no script', () => {
  held = null;
  const { box, sent } = aBox();
  heldKeys().give(box, () => void sent.push('lost'));
  expect([box.value, sent]).toEqual(['', []]);
});

test('what is in a box before the script is there is early', () => {
  jest.advanceTimersByTime(5_000);
  expect(isEarly()).toBe(false);
  watchTyping([{ value: '21', defaultValue: '' }]);
  expect(isEarly()).toBe(true);
});
