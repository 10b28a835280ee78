import { expect, test } from '@jest/globals';
import { KohaError } from '@passport/koha-client';
import { LibraryClosed, isForGood } from '../src/koha/koha-failure.ts';

const failure = (code: KohaError['code'], status: number | null): KohaError =>
  new KohaError({ code, status, library: 'midland', operation: 'GET /patrons', effect: 'none' });

test.each<[string, unknown, boolean]>([
  ['a refusal', failure('permission', 403), true],
  ['an answer that did not come', failure('unreachable', null), false],
  ['a library that is not called', new LibraryClosed('midland'), false],
  ['a bug', new Error('of ours'), false],
])('whether it is for good: %s', (_name, error, isOver) => {
  expect(isForGood(error)).toBe(isOver);
});
