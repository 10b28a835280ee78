import { afterEach, describe, expect, test } from '@jest/globals';
import { KohaError, type KohaClient } from '../src/index.ts';
import { CARD, PATRON_BODY, json, raw, startTinyKoha, type Reply, type TinyKoha } from './tiny-koha.ts';

let koha: TinyKoha | undefined;
afterEach(async () => {
  await koha?.close();
  koha = undefined;
});

const STATUSES = [
  200, 202, 301, 302, 303, 307, 308, 400, 401, 402, 403, 404, 405, 407, 409, 410, 412, 413, 415, 418, 422,
  451, 500, 502, 503, 504, 511,
];

/** What stands in front of a Koha, or in its place: a portal, a proxy, a firewall, another program. */
const PAGES: [string, string][] = [
  ['an HTML page', '<!doctype html><title>Please log in</title><form action="/login"></form>'],
  ['nothing', ''],
  ['plain text', 'Service is starting'],
  ['half a JSON document', '{"error":"Authentication fai'],
  ['an empty object', '{}'],
  ['an empty list', '[]'],
  ['an empty string', '""'],
  ['another program’s JSON', '{"message":"Forbidden","code":403}'],
  ['another program’s list', '[{"detail":"no"}]'],
  ['another program’s errors', '{"errors":["denied"]}'],
  ['an error that is an object', '{"error":{"code":403,"message":"no"}}'],
];

const how = { branch: 'MAIN', confirmNotDuplicate: false };
const TOKEN_ROUTE = 'POST /api/v1/oauth/token';
const CALLS: [string, string, (client: KohaClient) => Promise<unknown>][] = [
  [
    'a look-up',
    'GET /api/v1/patrons',
    (client) => client.findByCard(CARD, { attributes: true, balance: true }),
  ],
  ['a patron by number', 'GET /api/v1/patrons/812', (client) => client.readPatron(812)],
  ['a create', 'POST /api/v1/patrons', (client) => client.createPatron(PATRON_BODY, how)],
  [
    'a change',
    'PUT /api/v1/patrons/812',
    (client) => client.changePatron(812, PATRON_BODY, { branch: 'MAIN' }),
  ],
  [
    'a checkout',
    'POST /api/v1/checkouts',
    (client) => client.checkOut({ patronId: 812, barcode: '39999000012345' }, { branch: 'MAIN' }),
  ],
  [
    'a report',
    'PUT /api/v1/contrib/passport/scans/msg_1/outcome',
    (client) => client.reportOutcome('msg_1', { seq: 1 }),
  ],
  ['a token', TOKEN_ROUTE, (client) => client.findByCard(CARD, { attributes: false, balance: false })],
];

async function failureOf(work: Promise<unknown>): Promise<KohaError | 'no failure'> {
  try {
    await work;
    return 'no failure';
  } catch (error) {
    if (error instanceof KohaError) return error;
    throw error;
  }
}

/** An empty list is what a look-up's 200 may hold. */
const isAnswer = (what: string, status: number, body: string): boolean =>
  what === 'a look-up' && status === 200 && body === '[]';

describe.each(CALLS)(
  'a page that is not Koha’s is an outage, whatever its status: %s',
  (what, route, call) => {
    test.each(PAGES)('answered with %s', async (_body, body) => {
      const finals: string[] = [];
      let reply: Reply = raw(200, '');
      koha = await startTinyKoha({ [route]: (response, seen) => reply(response, seen) });
      let client = koha.client();
      for (const status of STATUSES.filter((each) => !isAnswer(what, each, body))) {
        reply = raw(status, body, { 'content-type': 'text/html', location: 'https://portal.example/login' });
        // A client with a token does not ask for another one.
        if (route === TOKEN_ROUTE) client = koha.client();
        const failure = await failureOf(call(client));
        const isOutage = failure instanceof KohaError && failure.retryable && failure.causeCode !== null;
        if (!isOutage) finals.push(`${status}: ${String(failure)}`);
      }
      expect(finals).toEqual([]);
    });
  },
);

test.each<[string, Reply, Partial<KohaError>]>([
  ['an unknown token', json(401, { error: 'Authentication failure.' }), { code: 'credentials' }],
  [
    'a permission that is missing',
    json(403, {
      error: 'Authorization failure. Missing required permission(s).',
      required_permissions: { borrowers: 'edit_borrowers' },
    }),
    { code: 'permission', permission: 'borrowers: edit_borrowers' },
  ],
  [
    'a route that is not there',
    json(404, { errors: [{ message: 'Not Found.', path: '/' }], status: 404 }),
    { code: 'unexpected_status' },
  ],
  [
    'the validator',
    json(400, { errors: [{ message: 'Missing property.', path: '/body/x' }], status: 400 }),
    { code: 'unexpected_status' },
  ],
  [
    'a query parameter it does not know',
    json(400, [{ path: '/query/foo', message: 'Malformed query string' }]),
    { code: 'unexpected_status' },
  ],
  [
    'an embed it does not allow',
    json(400, 'Embedding objects is not allowed on this endpoint.'),
    { code: 'unexpected_status' },
  ],
  [
    'an operator it does not know',
    json(400, { error: 1, error_code: 'invalid_query' }),
    { code: 'unexpected_status' },
  ],
])('a refusal in one of Koha’s own shapes is final: %s', async (_what, reply, expected) => {
  koha = await startTinyKoha({ 'GET /api/v1/patrons': reply });
  const failure = await failureOf(koha.client().findByCard(CARD, { attributes: true, balance: true }));
  expect(failure).toMatchObject({ ...expected, retryable: false });
});

test('a page with 401 neither costs a token nor sends a write twice', async () => {
  koha = await startTinyKoha({ 'POST /api/v1/patrons': raw(401, '<html>Please log in</html>') });
  const failure = await failureOf(koha.client().createPatron(PATRON_BODY, how));
  expect(failure).toMatchObject({ code: 'bad_answer', status: 401, effect: 'unknown' });
  expect(koha.count('POST', '/api/v1/patrons')).toBe(1);
  expect(koha.count('POST', '/api/v1/oauth/token')).toBe(1);
});
