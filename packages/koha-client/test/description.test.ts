import { afterEach, describe, expect, test } from '@jest/globals';
import { PATRON_BODY, json, patronRow, raw, startTinyKoha, type TinyKoha } from './tiny-koha.ts';

let koha: TinyKoha;
afterEach(() => koha.close());

const HOUR_MS = 60 * 60_000;
const description = (properties: readonly string[], paths: Record<string, unknown> = {}) =>
  json(200, {
    paths: {
      '/patrons': {
        post: {
          parameters: [{ $ref: '#/parameters/patron~1body' }, { $ref: '#/parameters/override' }],
        },
      },
      ...paths,
    },
    parameters: {
      'patron/body': { in: 'body', name: 'body', schema: { $ref: '#/definitions/patron' } },
      override: { in: 'header', name: 'x-koha-override', items: { enum: ['welcome_no'] } },
    },
    definitions: { patron: { properties: Object.fromEntries(properties.map((name) => [name, {}])) } },
  });

describe('what a Koha can do', () => {
  test('is read from its own description, references followed', async () => {
    koha = await startTinyKoha({
      'GET /api/v1/': description(['surname', 'pronouns'], {
        '/patron_categories': {},
        '/checkouts/availability': {},
        '/contrib/passport/about': {},
      }),
    });
    const found = await koha.client().capabilities();
    expect(found).toMatchObject({
      welcomeNo: true,
      confirmNotDuplicate: false,
      externalIdCheckout: false,
      patronCategories: true,
      checkoutAvailability: true,
      circulationRules: false,
      setsCirculationRules: false,
      pluginRoutes: true,
    });
    expect(Array.from(found.patronProperties)).toEqual(['surname', 'pronouns']);
  });

  test('is fetched without login, once for many callers, and again after an hour', async () => {
    koha = await startTinyKoha();
    let nowMs = 0;
    const client = koha.client({ now: () => nowMs });
    await Promise.all(Array.from({ length: 20 }, () => client.capabilities()));
    nowMs = HOUR_MS - 1;
    await client.capabilities();
    expect(koha.seen).toHaveLength(1);
    expect(koha.seen[0]?.headers.authorization).toBeUndefined();
    nowMs = HOUR_MS;
    await client.capabilities();
    expect(koha.seen).toHaveLength(2);
  });

  test('is fetched again after a failure, and nothing is guessed meanwhile', async () => {
    koha = await startTinyKoha({
      'GET /api/v1/': [raw(502, ''), raw(200, '<html>'), json(200, { paths: {} }), description(['surname'])],
    });
    const client = koha.client();
    await expect(
      client.createPatron(PATRON_BODY, { branch: 'M', confirmNotDuplicate: false }),
    ).rejects.toMatchObject({ code: 'http_5xx', operation: 'GET /', effect: 'none' });
    await expect(client.capabilities()).rejects.toMatchObject({ code: 'bad_answer' });
    await expect(client.capabilities()).rejects.toMatchObject({ code: 'bad_answer' });
    expect((await client.capabilities()).patronProperties.size).toBe(1);
    expect(koha.calls()).toEqual([]);
  });

  test('is used on when it has grown old and cannot be read again', async () => {
    koha = await startTinyKoha({ 'GET /api/v1/': [description(['surname']), raw(502, '')] });
    let nowMs = 0;
    const client = koha.client({ now: () => nowMs });
    await client.capabilities();
    nowMs = 2 * HOUR_MS;
    expect((await client.capabilities()).patronProperties.has('surname')).toBe(true);
  });

  test('is read anew after Koha refused what its description allowed', async () => {
    const misfit = { errors: [{ message: 'Properties not allowed: pronouns.', path: '/body' }], status: 400 };
    koha = await startTinyKoha({
      'POST /api/v1/patrons': [json(400, misfit), json(201, patronRow())],
    });
    const client = koha.client();
    await client.createPatron(PATRON_BODY, { branch: 'MAIN', confirmNotDuplicate: false });
    await client.createPatron(PATRON_BODY, { branch: 'MAIN', confirmNotDuplicate: false });
    expect(koha.count('GET', '/api/v1/')).toBe(2);
  });
});

describe('what stands at an address', () => {
  test('is a Koha with a clock', async () => {
    koha = await startTinyKoha();
    const reach = await koha.client().reach();
    expect(reach).toMatchObject({ kind: 'koha' });
    expect(reach.kind === 'koha' && Math.abs((reach.serverTimeMs ?? 0) - Date.now())).toBeLessThan(5_000);
  });

  test('is a redirect, named by where it leads without its path', async () => {
    const location = 'https://www.example.org/koha?x=1';
    koha = await startTinyKoha({ 'GET /api/v1/': raw(301, '', { location }) });
    expect(await koha.client().reach()).toEqual({
      kind: 'redirect',
      status: 301,
      to: 'https://www.example.org',
    });
  });

  test.each([raw(200, '<html>'), raw(404, ''), json(200, { paths: {} })])(
    'is something else %#',
    async (reply) => {
      koha = await startTinyKoha({ 'GET /api/v1/': reply });
      expect(await koha.client().reach()).toMatchObject({ kind: 'not_koha' });
    },
  );
});
