import { afterEach, describe, expect, test } from '@jest/globals';
import { KohaError, type KohaClient } from '../src/index.ts';
import {
  CARD,
  PATRON_BODY,
  hang,
  json,
  patronRow,
  raw,
  startTinyKoha,
  type Reply,
  type TinyKoha,
} from './tiny-koha.ts';

let koha: TinyKoha;
afterEach(() => koha.close());

const PATRONS = 'GET /api/v1/patrons';
const TOKENS = 'POST /api/v1/oauth/token';
const wanted = { attributes: false, balance: false };
const how = { branch: 'MAIN', confirmNotDuplicate: false };
const look = (client: KohaClient): Promise<unknown> => client.findByCard(CARD, wanted);
const token = (name: string, seconds = 3600): Reply =>
  json(200, { access_token: name, token_type: 'Bearer', expires_in: seconds });
const noToken = json(401, { error: 'Authentication failure.' });

async function codeOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => 'no error',
    (error: unknown) => (error instanceof KohaError ? `${error.operation}: ${error.code}` : error),
  );
}

describe('the token', () => {
  test('is fetched once for fifty callers at the same moment, and as a form', async () => {
    koha = await startTinyKoha({ [PATRONS]: json(200, [patronRow()]) });
    const client = koha.client({ maxInFlight: 50 });
    await Promise.all(Array.from({ length: 50 }, () => look(client)));
    expect(koha.count('POST', '/api/v1/oauth/token')).toBe(1);
    expect(koha.seen[0]?.headers['content-type']).toBe('application/x-www-form-urlencoded');
    expect(koha.calls().every(({ headers }) => headers.authorization === 'Bearer planted-token')).toBe(true);
  });

  test('is kept until shortly before its end', async () => {
    koha = await startTinyKoha({ [PATRONS]: json(200, []), [TOKENS]: [token('one'), token('two')] });
    let nowMs = 0;
    const client = koha.client({ now: () => nowMs });
    await look(client);
    nowMs = 3_539_000;
    await look(client);
    nowMs = 3_541_000;
    await look(client);
    expect(koha.calls().map(({ headers }) => headers.authorization)).toEqual([
      'Bearer one',
      'Bearer one',
      'Bearer two',
    ]);
  });

  test('is renewed once when Koha no longer knows it, and the call is made again, a write too', async () => {
    koha = await startTinyKoha({
      'POST /api/v1/patrons': [noToken, json(201, { patron_id: 9 })],
      [TOKENS]: [token('old'), token('new')],
    });
    expect(await koha.client().createPatron(PATRON_BODY, how)).toMatchObject({ kind: 'created' });
    expect(koha.calls().map(({ headers }) => headers.authorization)).toEqual(['Bearer old', 'Bearer new']);
  });

  test('is renewed once for many calls that were refused together', async () => {
    const byToken: Reply = (response, seen) =>
      (seen.headers.authorization === 'Bearer old' ? noToken : json(200, []))(response, seen);
    koha = await startTinyKoha({ [PATRONS]: byToken, [TOKENS]: [token('old'), token('new')] });
    const client = koha.client();
    await Promise.all(Array.from({ length: 8 }, () => look(client)));
    expect(koha.count('POST', '/api/v1/oauth/token')).toBe(2);
  });

  test('that is refused again right after its renewal is a matter of credentials', async () => {
    koha = await startTinyKoha({ [PATRONS]: noToken });
    expect(await codeOf(look(koha.client()))).toBe('GET /patrons: credentials');
    expect(koha.calls()).toHaveLength(2);
  });

  test.each<[string, Reply]>([
    ['an unknown client id', json(403, { error: 'unauthorized_client' })],
    ['a wrong secret', json(403, { error: 'access_denied' })],
    ['a Koha without client credentials', json(400, { error: 'Unimplemented grant type' })],
  ])('is a matter of credentials with %s', async (_what, reply) => {
    koha = await startTinyKoha({ [TOKENS]: reply });
    expect(await codeOf(look(koha.client()))).toBe('POST /oauth/token: credentials');
    expect(koha.calls()).toEqual([]);
  });

  test.each([400, 403])(
    'is a bad answer, and passes by itself, with a proxy’s page of %d',
    async (status) => {
      koha = await startTinyKoha({ [TOKENS]: raw(status, '<html>Please wait</html>') });
      expect(await codeOf(look(koha.client()))).toBe('POST /oauth/token: bad_answer');
    },
  );

  test('is requested anew after a failure', async () => {
    koha = await startTinyKoha({
      [PATRONS]: json(200, []),
      [TOKENS]: [json(502, {}), token('one')],
    });
    const client = koha.client();
    expect(await codeOf(look(client))).toBe('POST /oauth/token: http_5xx');
    expect(await look(client)).toEqual([]);
  });

  test('that never comes leaves a write without effect', async () => {
    koha = await startTinyKoha({ [TOKENS]: hang });
    const failure = koha.client({ timeoutMs: 200 }).createPatron(PATRON_BODY, how);
    await expect(failure).rejects.toMatchObject({ code: 'timeout', effect: 'none' });
  });

  test('goes on being fetched for the others when one caller leaves', async () => {
    let answer = (): void => undefined;
    const late: Reply = (response, seen) => {
      answer = () => token('late')(response, seen);
    };
    koha = await startTinyKoha({ [PATRONS]: json(200, []), [TOKENS]: late });
    const client = koha.client();
    const leaver = new AbortController();
    const left = codeOf(client.findByCard(CARD, wanted, { signal: leaver.signal }));
    const stayed = look(client);
    while (koha.seen.length === 0) await new Promise((resolve) => setImmediate(resolve));
    leaver.abort();
    expect(await left).toBe('POST /oauth/token: aborted');
    answer();
    expect(await stayed).toEqual([]);
  });
});

describe.each<[string, Reply]>([
  ['500', json(500, { error: 'Something went wrong, check the logs.' })],
  [
    'a 500 that nothing catches',
    json(500, { errors: [{ message: 'Internal Server Error.', path: '/' }], status: 500 }),
  ],
  ['501', json(501, { errors: [{ message: 'No response rule for "500".' }], status: 501 })],
])('a token whose key was deleted, over which Koha fails with %s,', (_status, dead) => {
  const deadFor =
    (name: string, otherwise: Reply): Reply =>
    (response, seen) =>
      (seen.headers.authorization === `Bearer ${name}` ? dead : otherwise)(response, seen);

  test('is replaced once, and a read made again', async () => {
    koha = await startTinyKoha({
      [PATRONS]: deadFor('old', json(200, [patronRow()])),
      [TOKENS]: [token('old'), token('new')],
    });
    const client = koha.client();
    const found = await Promise.all(Array.from({ length: 4 }, () => look(client)));
    expect(found.flat()).toHaveLength(4);
    expect(koha.count('POST', '/api/v1/oauth/token')).toBe(2);
  });

  test('is replaced for the next call, but a write is never sent again', async () => {
    koha = await startTinyKoha({
      'POST /api/v1/patrons': deadFor('old', json(201, patronRow())),
      [PATRONS]: deadFor('old', json(200, [])),
      [TOKENS]: [token('old'), token('new')],
    });
    const client = koha.client();
    await expect(client.createPatron(PATRON_BODY, how)).rejects.toMatchObject({
      code: 'http_5xx',
    });
    expect(koha.count('POST', '/api/v1/patrons')).toBe(1);
    expect(await look(client)).toEqual([]);
    expect(koha.calls().map(({ headers }) => headers.authorization)).toEqual(['Bearer old', 'Bearer new']);
  });

  test('is a matter of credentials where the new one is refused', async () => {
    koha = await startTinyKoha({
      [PATRONS]: dead,
      [TOKENS]: [token('old'), json(403, { error: 'unauthorized_client' })],
    });
    expect(await codeOf(look(koha.client()))).toBe('POST /oauth/token: credentials');
  });

  test('is not looked for at each failure of a Koha that fails over everything', async () => {
    koha = await startTinyKoha({ [PATRONS]: dead });
    const client = koha.client();
    for (let n = 0; n < 5; n += 1) expect(await codeOf(look(client))).toBe('GET /patrons: http_5xx');
    expect(koha.count('POST', '/api/v1/oauth/token')).toBe(2);
    expect(koha.calls()).toHaveLength(6);
  });

  test.each<[string, Reply]>([
    ['an operation’s own', json(500, { error: 'x', error_code: 'internal_server_error' })],
    ['a proxy’s', raw(500, '<h1>Internal Server Error</h1>')],
    [
      'a record’s',
      json(500, { errors: [{ message: 'Month out of range.', path: '/body/0/x' }], status: 500 }),
    ],
    ['a maintenance’s', json(503, { error: 'System is under maintenance.' })],
  ])('is not suspected after %s error', async (_what, reply) => {
    koha = await startTinyKoha({ [PATRONS]: reply });
    await codeOf(look(koha.client()));
    expect(koha.count('POST', '/api/v1/oauth/token')).toBe(1);
  });
});

describe('a call that is aborted', () => {
  test('while Koha works on a write may have happened', async () => {
    const stop = new AbortController();
    const abort: Reply = () => stop.abort();
    koha = await startTinyKoha({ 'POST /api/v1/patrons': abort });
    const failure = koha.client().createPatron(PATRON_BODY, how, { signal: stop.signal });
    await expect(failure).rejects.toMatchObject({ code: 'aborted', effect: 'unknown', retryable: true });
  });

  test('before it began is not sent', async () => {
    koha = await startTinyKoha({ [PATRONS]: json(200, []) });
    const failure = koha.client().findByCard(CARD, wanted, { signal: AbortSignal.abort() });
    await expect(failure).rejects.toMatchObject({ code: 'aborted', effect: 'none' });
    expect(koha.seen).toEqual([]);
  });
});

test('every exchange is reported to the meter, token and description too', async () => {
  koha = await startTinyKoha({ 'POST /api/v1/patrons': json(201, { patron_id: 9 }) });
  const calls: string[] = [];
  const client = koha.client({
    onCall: ({ library, operation, status, ms }) => {
      calls.push(`${library} ${operation} ${status} ${ms > 0}`);
    },
  });
  await client.createPatron(PATRON_BODY, how);
  expect(calls).toEqual([
    'midland GET / 200 true',
    'midland POST /oauth/token 200 true',
    'midland POST /patrons 201 true',
  ]);
});

test('an exchange without an answer is reported with the code of its failure', async () => {
  koha = await startTinyKoha({ [PATRONS]: (response) => void response.destroy() });
  const calls: string[] = [];
  const client = koha.client({ onCall: ({ operation, status }) => calls.push(`${operation} ${status}`) });
  await expect(look(client)).rejects.toMatchObject({ code: 'reset' });
  expect(calls).toEqual(['POST /oauth/token 200', 'GET /patrons reset']);
});

test('no request carries a cookie, and each names its sender', async () => {
  koha = await startTinyKoha({
    [PATRONS]: (response, seen) => {
      response.setHeader('set-cookie', 'CGISESSID=x');
      json(200, [])(response, seen);
    },
  });
  const client = koha.client();
  await look(client);
  await look(client);
  for (const { headers } of koha.seen) {
    expect(headers.cookie).toBeUndefined();
    expect(headers['user-agent']).toBe('patron-passport');
  }
});
