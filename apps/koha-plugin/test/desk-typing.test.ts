import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { loadTyping } from './load-desk.ts';

const { isEarly, watchTyping } = await loadTyping();
let press: (key: string) => void = () => undefined;
const before = Reflect.get(globalThis, 'window') as unknown;

beforeEach(() => {
  const window = {
    addEventListener: (_name: string, listener: (event: object) => void) => {
      press = (key) => listener({ key });
    },
  };
  Object.defineProperty(globalThis, 'window', { value: window, configurable: true, writable: true });
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
  Object.assign(globalThis, { window: before });
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

test('what is in a box before the script is there is early', () => {
  jest.advanceTimersByTime(5_000);
  expect(isEarly()).toBe(false);
  watchTyping([{ value: '21', defaultValue: '' }]);
  expect(isEarly()).toBe(true);
});
