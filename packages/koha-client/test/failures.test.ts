import { inspect } from 'node:util';
import { afterEach, describe, expect, test } from '@jest/globals';
import { isOfOneRecord, KohaError, type KohaClient, quoteOf } from '../src/index.ts';
import {
  CARD,
  CLIENT_ID,
  CLIENT_SECRET,
  PATRON_BODY,
  TOKEN,
  hang,
  json,
  patronRow,
  raw,
  reset,
  startTinyKoha,
  type Reply,
  type TinyKoha,
} from './tiny-koha.ts';

let koha: TinyKoha | undefined;
afterEach(async () => {
  await koha?.close();
  koha = undefined;
});

const PATRONS = 'GET /api/v1/patrons';
const CREATE = 'POST /api/v1/patrons';
const wanted = { attributes: false, balance: false };
const how = { branch: 'MAIN', confirmNotDuplicate: false };

async function failureOf(work: Promise<unknown>): Promise<KohaError> {
  const failure = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(failure instanceof KohaError)) throw new Error('expected a KohaError', { cause: failure });
  return failure;
}

async function readMeets(reply: Reply): Promise<KohaError> {
  koha = await startTinyKoha({ [PATRONS]: reply });
  return failureOf(koha.client({ timeoutMs: 1_000 }).findByCard(CARD, wanted));
}

async function writeMeets(reply: Reply): Promise<KohaError> {
  koha = await startTinyKoha({ [CREATE]: reply });
  return failureOf(koha.client({ timeoutMs: 1_000 }).createPatron(PATRON_BODY, how));
}

const truncated: Reply = (response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '500' });
  response.write('[{"patron_id":');
  setImmediate(() => response.socket?.destroy());
};

describe('a record that Koha cannot show', () => {
  const unreadable = (path: string, message = 'Month out of range.'): Reply =>
    json(500, { errors: [{ message, path }], status: 500 });

  test.each([
    ['/body/0/date_of_birth', 'date_of_birth'],
    ['/body/date_of_birth', 'date_of_birth'],
    ['/body/12/lost_date', 'lost_date'],
    ['/body/0/extended_attributes/3/value', 'value'],
    ['/body/0/kovac', null],
    ['/body', null],
  ])('at %s is that record’s fault, and says no more than the field: %s', async (path, field) => {
    const error = await readMeets(unreadable(path, 'Kovač out of range.'));
    expect(error).toMatchObject({ code: 'record_unreadable', field, retryable: false, isFromKoha: false });
    expect(isOfOneRecord(error)).toBe(true);
    const isKnown = field !== null || path === '/body';
    expect(quoteOf(error)).toBe(isKnown ? `${path}: out of range` : 'out of range');
    expect(inspect(error)).not.toMatch(/kova/i);
  });

  test('may have been stored, where it is the answer to a write', async () => {
    expect(await writeMeets(unreadable('/body/date_of_birth'))).toMatchObject({
      code: 'record_unreadable',
      effect: 'unknown',
    });
  });

  test('is none where a complaint is of anything else', async () => {
    const errors = [
      { message: 'Month out of range.', path: '/body/0/date_of_birth' },
      { message: 'Internal Server Error.', path: '/' },
    ];
    expect(await readMeets(json(500, { errors, status: 500 }))).toMatchObject({ code: 'http_5xx' });
  });
});

// Koha/REST/V1/Checkouts.pm, get_availability: the one route that is called here and has no try.
test('an error that nothing catches is Koha’s own where the route catches none, and of this one request', async () => {
  const uncaught = json(500, { errors: [{ message: 'Internal Server Error.', path: '/' }], status: 500 });
  expect(await readMeets(uncaught)).toMatchObject({ code: 'http_5xx', isFromKoha: false });
  await koha?.close();
  koha = await startTinyKoha({ 'GET /api/v1/checkouts/availability': uncaught });
  expect(await failureOf(koha.client().availability(1, 2, { branch: 'MAIN' }))).toMatchObject({
    code: 'http_5xx',
    isFromKoha: true,
  });
});

describe('a read that fails', () => {
  test.each<[string, Reply, Partial<KohaError>]>([
    ['is never answered', hang, { code: 'timeout', status: null, retryable: true }],
    ['loses its connection', reset, { code: 'reset', status: null, retryable: true }],
    ['is cut off in the middle of its answer', truncated, { code: 'reset', retryable: true }],
    [
      'is answered with an HTML page and 200',
      raw(200, '<html>Wartung</html>'),
      { code: 'bad_answer', retryable: true },
    ],
    ['is answered with half a JSON document', raw(200, '[{"patron_id":'), { code: 'bad_answer' }],
    ['is answered with an object where a list belongs', json(200, {}), { code: 'bad_answer' }],
    ['T-17 is answered with an empty object in the list', json(200, [{}]), { code: 'bad_answer' }],
    ['is answered with bytes that are no UTF-8', raw(200, '"\xff"'), { code: 'bad_answer' }],
    ['is answered 500', json(500, { errors: [], status: 500 }), { code: 'http_5xx', retryable: true }],
    ['is answered 502 by a proxy', raw(502, '<h1>Bad gateway</h1>'), { code: 'http_5xx', status: 502 }],
    [
      'is answered 503',
      json(503, { error: 'System is under maintenance.' }),
      { code: 'maintenance', retryable: true },
    ],
    [
      'is answered 429 with seconds',
      raw(429, '', { 'retry-after': '7' }),
      { code: 'rate_limited', retryAfterMs: 7_000, retryable: true },
    ],
    [
      'is answered 429 with a date',
      raw(429, '', { 'retry-after': 'Wed, 25 Nov 2026 09:00:30 GMT' }),
      { code: 'rate_limited', retryAfterMs: 30_000 },
    ],
    [
      'is refused for a permission',
      json(403, {
        error: 'Authorization failure. Missing required permission(s).',
        required_permissions: [{ borrowers: 'list_borrowers' }, { borrowers: 'edit_borrowers' }],
      }),
      {
        code: 'permission',
        permission: 'borrowers: list_borrowers or borrowers: edit_borrowers',
        retryable: false,
      },
    ],
    [
      'is refused for its password',
      json(403, { error: 'Invalid password', required_permissions: null }),
      { code: 'credentials' },
    ],
    [
      'meets a redirect',
      raw(302, '', { location: 'https://elsewhere.example/' }),
      { code: 'redirect', status: 302, retryable: true, causeCode: 'redirect' },
    ],
    [
      'meets a query it may not send (bare list)',
      json(400, [{ path: '/query/foo', message: 'Malformed query string' }]),
      { code: 'unexpected_status', status: 400, retryable: false },
    ],
    [
      'meets an embed it may not request (bare string)',
      json(400, 'Embedding objects is not allowed on this endpoint.'),
      { code: 'unexpected_status', status: 400 },
    ],
  ])('that %s leaves no effect and a stable code', async (_what, reply, expected) => {
    expect(await readMeets(reply)).toMatchObject({ effect: 'none', operation: 'GET /patrons', ...expected });
  });

  test('at a library where nothing listens is unreachable', async () => {
    koha = await startTinyKoha();
    const { url } = koha;
    await koha.close();
    const client = koha.client({ url });
    expect(await failureOf(client.findByCard(CARD, wanted))).toMatchObject({
      code: 'unreachable',
      effect: 'none',
      retryable: true,
    });
  });

  test.each<[string, Reply]>([
    ['a lost connection', reset],
    ['a 502', raw(502, '')],
    ['a 429', raw(429, '', { 'retry-after': '0' })],
  ])('is not repeated by the client after %s', async (_what, reply) => {
    koha = await startTinyKoha({ [PATRONS]: reply });
    await failureOf(koha.client({ timeoutMs: 5_000 }).findByCard(CARD, wanted));
    expect(koha.calls()).toHaveLength(1);
  });

  test('does not follow the redirect', async () => {
    koha = await startTinyKoha({ [PATRONS]: raw(301, '', { location: '/api/v1/elsewhere' }) });
    await failureOf(koha.client().findByCard(CARD, wanted));
    expect(koha.calls().map(({ path }) => path)).toEqual(['/api/v1/patrons']);
  });

  test('that is endless is given up at the size limit', async () => {
    const endless: Reply = (response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const block = Buffer.alloc(256 * 1024, 0x20);
      const pour = (): void => {
        while (!response.destroyed && response.write(block));
        response.once('drain', pour);
      };
      pour();
    };
    koha = await startTinyKoha({ [PATRONS]: endless });
    const failure = await failureOf(koha.client({ timeoutMs: 15_000 }).findByCard(CARD, wanted));
    expect(failure).toMatchObject({ code: 'bad_answer', effect: 'none' });
  });
});

describe('a write that fails', () => {
  test.each<[string, Reply, Partial<KohaError>]>([
    ['is never answered', hang, { code: 'timeout', effect: 'unknown' }],
    ['loses its connection', reset, { code: 'reset', effect: 'unknown' }],
    [
      'is answered 500 with the validator’s words',
      json(500, { errors: [{ message: 'Internal Server Error.', path: '/' }], status: 500 }),
      { code: 'http_5xx', effect: 'unknown' },
    ],
    [
      'is answered 500 internal_server_error',
      json(500, {
        error: 'Something went wrong, check Koha logs for details.',
        error_code: 'internal_server_error',
      }),
      { code: 'record_refused', effect: 'unknown', retryable: true },
    ],
    [
      'is answered 201 without an id anywhere',
      json(201, { patron_id: null }),
      { code: 'bad_answer', effect: 'unknown' },
    ],
    ['is answered 504 by a proxy', raw(504, ''), { code: 'http_5xx', effect: 'unknown' }],
    ['is answered 503 by a proxy', raw(503, 'busy'), { code: 'maintenance', effect: 'unknown' }],
    [
      'is answered 503 by Koha',
      json(503, { error: 'System is under maintenance.' }),
      { code: 'maintenance', effect: 'none' },
    ],
    ['is answered 429', raw(429, ''), { code: 'rate_limited', effect: 'none' }],
    [
      'is refused for a permission',
      json(403, { error: 'x', required_permissions: { borrowers: 'edit_borrowers' } }),
      { code: 'permission', permission: 'borrowers: edit_borrowers', effect: 'none' },
    ],
  ])('that %s says whether it may have happened', async (_what, reply, expected) => {
    expect(await writeMeets(reply)).toMatchObject({ operation: 'POST /patrons', ...expected });
  });

  test('is not repeated by the client', async () => {
    await writeMeets(reset);
    expect(koha?.count('POST', '/api/v1/patrons')).toBe(1);
  });

  test('without a connection had no effect', async () => {
    koha = await startTinyKoha();
    const client = koha.client();
    await client.capabilities();
    await client.findByCard(CARD, wanted).catch(() => undefined); // has its token now
    await koha.close();
    const failure = await failureOf(client.createPatron(PATRON_BODY, how));
    expect(failure).toMatchObject({ code: 'unreachable', effect: 'none', operation: 'POST /patrons' });
  });
});

describe('T-22 nothing personal or secret hangs on an error:', () => {
  const planted = [CARD, CLIENT_ID, CLIENT_SECRET, TOKEN, 'Okafor', 'Adaeze', 'adaeze@', '127.0.0.1'];

  function everything(error: unknown): string {
    const properties = inspect(error, { showHidden: true, depth: 10, getters: true });
    return `${String(error)} ${properties} ${JSON.stringify(error)}`;
  }

  const faults: [string, Reply][] = [
    ['hang', hang],
    ['reset', reset],
    ['500 quoting the patron', json(500, { error: `Okafor ${CARD}`, error_code: 'internal_server_error' })],
    ['400 quoting the patron', json(400, { errors: [{ path: `/body/${CARD}/x y`, message: CARD }] })],
    ['403 quoting the patron', json(403, { error: `Okafor ${CARD}`, required_permissions: null })],
    ['a list of what is no patron', json(200, [patronRow({ patron_id: 'x' })])],
    ['a redirect to an address with the card', raw(302, CARD, { location: `/x?${CARD}` })],
  ];

  test.each(faults)('a create that meets %s', async (_what, reply) => {
    koha = await startTinyKoha({ [CREATE]: reply, [PATRONS]: reply });
    const client = koha.client({ timeoutMs: 200 });
    const outcomes = await Promise.allSettled([
      client.createPatron(PATRON_BODY, how),
      client.findByCard(CARD, wanted),
    ]);
    const actual = outcomes.map((outcome) => everything(outcome)).join('\n');
    for (const word of planted) expect(actual).not.toContain(word);
  });

  test.each<[string, Reply]>([
    ['is refused', json(403, { error: 'access_denied', client_secret: CLIENT_SECRET })],
    ['hangs', hang],
    ['is garbage', json(200, { access_token: `${TOKEN}\nx`, expires_in: 3600 })],
  ])('a token that %s', async (_what, reply) => {
    koha = await startTinyKoha({ 'POST /api/v1/oauth/token': reply });
    const actual = everything(
      await failureOf(koha.client({ timeoutMs: 200 }).findByCard(CARD, { attributes: true, balance: true })),
    );
    for (const word of planted) expect(actual).not.toContain(word);
  });

  test('the client itself', async () => {
    koha = await startTinyKoha({ [PATRONS]: json(200, [patronRow()]) });
    const client: KohaClient = koha.client();
    await client.findByCard(CARD, wanted);
    const actual = everything(client);
    for (const word of [CLIENT_SECRET, TOKEN]) expect(actual).not.toContain(word);
  });
});
