import { expect, test } from '@jest/globals';
import { KohaError, type KohaErrorCode, type KohaFailure } from '@passport/koha-client';
import { readAnswer } from '../src/index.ts';
import { patron } from './builders.ts';

const failed = (code: KohaErrorCode, more: Partial<KohaFailure> = {}): Promise<never> =>
  Promise.reject(
    new KohaError({ code, library: 'midland', operation: 'GET /patrons', effect: 'none', ...more }),
  );

test('patrons are an answer', async () => {
  expect(await readAnswer(Promise.resolve([patron()]))).toMatchObject({ kind: 'patrons' });
});

test.each<[KohaErrorCode, string]>([
  ['timeout', 'NO_ANSWER'],
  ['unreachable', 'NO_ANSWER'],
  ['reset', 'NO_ANSWER'],
  ['aborted', 'NO_ANSWER'],
  ['http_5xx', 'NO_ANSWER'],
  ['maintenance', 'NO_ANSWER'],
  ['bad_answer', 'NO_ANSWER'],
  ['redirect', 'NO_ANSWER'],
  ['busy', 'BUSY'],
  ['rate_limited', 'RATE_LIMITED'],
])('T-15 %s is silence, which the desk sees as %s', async (code, reason) => {
  const answer = await readAnswer(failed(code, { retryAfterMs: 5 }));
  expect(answer).toEqual({ kind: 'no_answer', reason, retryAfterMs: 5 });
});

test.each<[KohaErrorCode, Partial<KohaFailure>, object]>([
  ['credentials', {}, { what: 'credentials', name: null }],
  ['permission', { permission: 'borrowers: x' }, { what: 'permission', name: 'borrowers: x' }],
  ['permission', { branch: 'MAIN' }, { what: 'branch', name: 'MAIN' }],
  ['unexpected_status', { status: 404 }, { what: 'other', name: 'status 404' }],
])('T-15 %s is a person’s matter', async (code, more, problem) => {
  expect(await readAnswer(failed(code, more))).toEqual({ kind: 'refused', problem });
});

test('a bug is no answer', async () => {
  await expect(readAnswer(Promise.reject(new TypeError('bug')))).rejects.toThrow('bug');
});
