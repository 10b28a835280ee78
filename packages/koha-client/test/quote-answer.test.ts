import { inspect } from 'node:util';
import { expect, test } from '@jest/globals';
import { KohaError, quoteOf } from '../src/index.ts';
import { badAnswer, failureOf } from '../src/errors/failure-of.ts';

const answer = (status: number, body: unknown, type = 'application/json') => ({
  operation: 'GET /patrons' as const,
  actingAs: null,
  status,
  headers: { 'content-type': `${type}; charset=utf-8` },
  body: Buffer.from(typeof body === 'string' && type !== 'application/json' ? body : JSON.stringify(body)),
});
const quote = (status: number, body: unknown, type?: string) =>
  quoteOf(failureOf('riverside', answer(status, body, type), 0));

test.each<[body: unknown, expected: string]>([
  ['Embedding objects is not allowed on this endpoint.', 'Embedding objects is not allowed on this endpoint'],
  [
    { error: 'Something went wrong, check Koha logs for details.', error_code: 'internal_server_error' },
    'Something went wrong, check Koha logs for details; internal_server_error',
  ],
  [
    {
      errors: [
        { message: 'Not in enum list: extended_attributes, account_balance.', path: '/x-koha-embed/0' },
      ],
    },
    '/x-koha-embed/0: Not in enum list',
  ],
  [
    [{ path: '/query/_order_by', message: 'Malformed query string' }],
    '/query/_order_by: Malformed query string',
  ],
  [{ error: "Column 'borrowernumber' in ORDER BY is ambiguous" }, 'in ORDER BY is ambiguous'],
  [{ error: 1, error_code: 'invalid_query' }, 'invalid_query'],
])('Koha is quoted by codes and beginnings that are listed: %j', (body, expected) => {
  expect(quote(400, body)).toBe(expected);
});

test.each<[page: string, expected: string]>([
  ['<html><head><title>502 Bad Gateway</title>', 'page Bad Gateway'],
  ['<HTML><TITLE lang="en">Log in - Prairie Portal</TITLE>', 'page Log in'],
  ['<p>nothing', 'page'],
])('a page in its place is named by what is listed of its title: %s', (page, expected) => {
  expect(quote(502, page, 'text/html')).toBe(expected);
});

test('what a stranger writes, and what is about a patron, is not quoted', () => {
  const error = failureOf(
    'riverside',
    answer(500, {
      error:
        'Column jane.smith Jane 21234000000017 jane@example.org is owed https://evil.example.org \u001B[31m',
      errors: [{ path: '/body/Jane', message: 'Kovač' }],
    }),
    0,
  );
  expect(quoteOf(error)).toBeNull();
  expect(quote(500, { error: 'order '.repeat(1_000_000), error_code: 'x' })).toBeNull();
});

test.each([
  [{ error: "Unknown column 'Jane' in 21234000000017", error_code: 'kovac' }, 'Unknown column'],
  [{ error: '21234000000017 Jane', error_code: 'not_found' }, 'not_found'],
  [[{ path: '/body/0/surname/jane', message: 'Not in enum list: Jane.' }], 'Not in enum list'],
  [[{ path: '/query/q/jane', message: 'jane@example.org' }], null],
])('nothing of the answer itself is in the quote, where something listed is in it: %j', (body, expected) => {
  expect(quote(500, body)).toBe(expected);
});

test('an answer that does not fit is quoted too, and a failure without an answer is not', () => {
  const page = answer(200, '<title>Log in</title>', 'text/html');
  expect(quoteOf(badAnswer('riverside', page))).toBe('page Log in');
  const none = new KohaError({
    code: 'timeout',
    library: 'riverside',
    operation: 'GET /patrons',
    effect: 'none',
  });
  expect(quoteOf(none)).toBeNull();
});

test('the quote is not on the error, where loggers and queues would print it', () => {
  const error = failureOf('riverside', answer(500, { error: 'Jane in ORDER BY is ambiguous' }), 0);
  expect(quoteOf(error)).toBe('in ORDER BY is ambiguous');
  expect(`${inspect(error, { depth: 9, showHidden: true })}${JSON.stringify(error)}`).not.toContain(
    'ambiguous',
  );
});
