import { expect, test } from '@jest/globals';
import { DeadlineError, within } from '@passport/runtime';

test('work in time gives its result, and its own failure is passed on', async () => {
  await expect(within(1_000, Promise.resolve(7), 'counting')).resolves.toBe(7);
  await expect(within(1_000, Promise.reject(new Error('its own')), 'counting')).rejects.toThrow('its own');
});

test('late work is a DeadlineError that says what was waited for', async () => {
  const late = within(10, new Promise(() => undefined), 'adding the job');
  await expect(late).rejects.toThrow(DeadlineError);
  await expect(late).rejects.toThrow('adding the job took longer than 10 ms');
});

test('a failure after the deadline disturbs nobody', async () => {
  let fail: (error: Error) => void = () => undefined;
  const work = new Promise<never>((_, reject) => {
    fail = reject;
  });
  await expect(within(5, work, 'waiting')).rejects.toThrow(DeadlineError);
  const unhandled: unknown[] = [];
  process.once('unhandledRejection', (error) => unhandled.push(error));
  fail(new Error('too late'));
  await new Promise((resolve) => setImmediate(resolve));
  expect(unhandled).toEqual([]);
});
