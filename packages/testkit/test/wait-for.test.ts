import { expect, test } from '@jest/globals';
import { waitFor } from '@passport/testkit';

test('it returns the first value that is there, and takes a throwing probe for "not yet"', async () => {
  let calls = 0;
  const value = await waitFor('the third answer', () => {
    calls += 1;
    if (calls === 1) throw new Error('nothing there');
    return calls < 3 ? null : { calls };
  });
  expect(value).toEqual({ calls: 3 });
});

test('it takes 0 and the empty text for values', async () => {
  await expect(waitFor('a zero', () => 0)).resolves.toBe(0);
  await expect(waitFor('an empty text', () => '')).resolves.toBe('');
});

test('it says what it waited for and what it last saw', async () => {
  await expect(
    waitFor('the copy at riverside', () => undefined, { timeoutMs: 30, everyMs: 5 }),
  ).rejects.toThrow('Waited 30 ms for the copy at riverside. Last seen: undefined');
});
