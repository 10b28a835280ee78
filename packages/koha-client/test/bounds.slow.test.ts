import { afterEach, describe, expect, test } from '@jest/globals';
import type { KohaClient } from '../src/index.ts';
import {
  CARD,
  PATRON_BODY,
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
const plain = { attributes: false, balance: false };
const MB = 1024 * 1024;
const look = (client: KohaClient): Promise<unknown> => client.findByCard(CARD, plain);

/** Sends blanks until the other side hangs up, and notes how many bytes it took. */
function endless(poured: { bytes: number }, pieceBytes: number): Reply {
  return (response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const piece = Buffer.alloc(pieceBytes, 0x20);
    const pour = (): void => {
      while (!response.destroyed && poured.bytes < 64 * MB) {
        poured.bytes += piece.length;
        if (!response.write(piece)) break;
      }
      if (poured.bytes < 64 * MB) response.once('drain', pour);
    };
    pour();
  };
}

describe('the bytes of an answer', () => {
  test.each<[string, string, number, (client: KohaClient) => Promise<unknown>]>([
    ['a token', 'POST /api/v1/oauth/token', 16 * 1024, look],
    ['a list of patrons', PATRONS, MB, look],
    ['one patron', 'GET /api/v1/patrons/812', MB, (client) => client.readPatron(812)],
    [
      'a create',
      'POST /api/v1/patrons',
      MB / 4,
      (client) => client.createPatron(PATRON_BODY, { branch: 'MAIN', confirmNotDuplicate: false }),
    ],
    ['the plugin’s account', 'GET /api/v1/contrib/passport/about', MB / 4, (client) => client.about()],
    ['the description', 'GET /api/v1/', 4 * MB, (client) => client.capabilities()],
  ])('of %s are bounded, and what is beyond is not read', async (_what, route, limit, call) => {
    const poured = { bytes: 0 };
    koha = await startTinyKoha({ [route]: endless(poured, 16 * 1024) });
    await expect(call(koha.client({ timeoutMs: 60_000 }))).rejects.toMatchObject({
      code: 'bad_answer',
      causeCode: 'too_large',
      retryable: true,
    });
    // Beyond the limit there is only what the sockets' buffers hold.
    expect(poured.bytes).toBeLessThan(limit + 8 * MB);
  });

  test('that a header already counts too many of are not waited for', async () => {
    koha = await startTinyKoha({ [PATRONS]: raw(200, '[]', { 'content-length': String(2 * MB) }) });
    const startedAt = performance.now();
    await expect(look(koha.client({ timeoutMs: 5_000 }))).rejects.toMatchObject({ causeCode: 'too_large' });
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });

  test('cost no more when they come one by one', async () => {
    const poured = { bytes: 0 };
    koha = await startTinyKoha({ 'GET /api/v1/patrons/812': endless(poured, 1) });
    const before = process.memoryUsage().heapUsed;
    const client = koha.client({ timeoutMs: 60_000 });
    await expect(client.readPatron(812)).rejects.toMatchObject({ causeCode: 'too_large' });
    expect(poured.bytes).toBeLessThan(8 * MB);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(64 * MB);
  });

  test('of everything that Koha may store are read: long notes, many attributes, pages of HTML for each branch', async () => {
    const attributes = Array.from({ length: 60 }, (_, id) => ({
      extended_attribute_id: id + 1,
      type: `TYPE${id}`,
      value: '𠮷'.repeat(255),
    }));
    const patron = patronRow({
      patron_id: 812,
      staff_notes: 'é'.repeat(150_000),
      extended_attributes: attributes,
    });
    const branches = Array.from({ length: 90 }, (_, id) => ({
      library_id: `B${id}`,
      opac_info: '<p>'.repeat(8_000),
    }));
    const rules = branches.flatMap(({ library_id }) =>
      Array.from({ length: 500 }, (_, id) => ({
        context: { library_id, patron_category_id: `C${id % 20}`, item_type_id: `TYPE${id}` },
        maxissueqty: 10,
      })),
    );
    const warnings = { RETURNED_FROM_ANOTHER: { patron } };
    koha = await startTinyKoha({
      'GET /api/v1/patrons/812': json(200, patron),
      'PUT /api/v1/patrons/812': json(200, patron),
      'GET /api/v1/libraries': json(200, branches),
      'GET /api/v1/circulation_rules': json(200, rules),
      'GET /api/v1/checkouts/availability': json(200, { blockers: {}, confirms: {}, warnings }),
    });
    const client = koha.client({ timeoutMs: 20_000 });
    const change = { surname: 'Okafor', library_id: 'MAIN', category_id: 'PT' };
    expect((await client.readPatron(812))?.attributes).toHaveLength(60);
    expect(await client.changePatron(812, change, { branch: 'MAIN' })).toMatchObject({
      kind: 'changed',
    });
    expect(await client.availability(812, 5, { branch: 'MAIN' })).toMatchObject({ blockers: [] });
    expect(await client.branches()).toHaveLength(90);
    expect(await client.storedRules('maxissueqty')).toHaveLength(45_000);
  });

  test('up to a megabyte of rows are read in milliseconds', async () => {
    const rows = Array.from({ length: 100 }, (_, id) =>
      patronRow({ patron_id: id + 1, staff_notes: 'x'.repeat(9_000) }),
    );
    koha = await startTinyKoha({ [PATRONS]: [json(200, rows), json(200, [])] });
    const client = koha.client();
    await client.findItem(CARD).catch(() => undefined); // has its token and its connection
    const startedAt = performance.now();
    expect(await look(client)).toHaveLength(100);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });
});

describe('the depth of an answer', () => {
  test.each([
    ['lists', '['.repeat(MB - 10)],
    ['objects', '{"a":'.repeat(100_000)],
    ['closed lists', `${'['.repeat(400_000)}${']'.repeat(400_000)}`],
  ])('is looked at before it is parsed: %s', async (_what, body) => {
    koha = await startTinyKoha({ [PATRONS]: raw(200, body) });
    const before = process.memoryUsage().heapUsed;
    const startedAt = performance.now();
    await expect(look(koha.client())).rejects.toMatchObject({ code: 'bad_answer', causeCode: 'too_deep' });
    expect(performance.now() - startedAt).toBeLessThan(3_000);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(32 * MB);
  });

  test('is not mistaken where brackets stand in a text', async () => {
    const patron = patronRow({ surname: `${'['.repeat(200)}\\"{{{` });
    koha = await startTinyKoha({ [PATRONS]: json(200, [patron]) });
    expect(await look(koha.client())).toMatchObject([{ surname: patron['surname'] }]);
  });
});

describe('the rows of a list', () => {
  const page = (first: number, rows = 100) =>
    json(
      200,
      Array.from({ length: rows }, (_, index) => patronRow({ patron_id: first + index })),
    );

  test('are no more than were requested', async () => {
    koha = await startTinyKoha({ [PATRONS]: page(1, 101) });
    await expect(look(koha.client())).rejects.toMatchObject({ causeCode: 'too_many_rows' });
  });

  test('come to an end at a Koha that ignores the page', async () => {
    koha = await startTinyKoha({ [PATRONS]: page(1) });
    await expect(look(koha.client())).rejects.toMatchObject({
      code: 'bad_answer',
      causeCode: 'repeated_page',
    });
    expect(koha.calls()).toHaveLength(2);
  });

  test('come to an end at a Koha that always has more', async () => {
    let first = 1;
    koha = await startTinyKoha({
      [PATRONS]: (response, seen) => {
        page((first += 100))(response, seen);
      },
    });
    await expect(look(koha.client())).rejects.toMatchObject({ causeCode: 'too_many_pages' });
    expect(koha.calls()).toHaveLength(5);
  });

  test('have one deadline for all their pages', async () => {
    let first = 1;
    koha = await startTinyKoha({
      [PATRONS]: (response, seen) => {
        setTimeout(() => page((first += 100))(response, seen), 150);
      },
    });
    const startedAt = performance.now();
    await expect(look(koha.client({ timeoutMs: 200 }))).rejects.toMatchObject({ code: 'timeout' });
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });
});

describe('the fields of a patron', () => {
  test.each<[string, Record<string, unknown>]>([
    ['a surname', { surname: 'x'.repeat(65_536) }],
    ['a telephone number', { sms_number: '1'.repeat(65_536) }],
    ['a card', { cardnumber: '1'.repeat(65) }],
    ['a category', { category_id: 'x'.repeat(21) }],
    ['an attribute', { extended_attributes: [{ type: 'T', value: 'x'.repeat(4_001) }] }],
    ['an attribute’s type', { extended_attributes: [{ type: 'T'.repeat(129), value: 'x' }] }],
    [
      'a list of attributes',
      { extended_attributes: Array.from({ length: 501 }, () => ({ type: 'T', value: 'x' })) },
    ],
  ])('are those of no Koha when %s is longer than its column', async (_what, changes) => {
    koha = await startTinyKoha({ [PATRONS]: json(200, [patronRow(changes)]) });
    await expect(look(koha.client())).rejects.toMatchObject({ code: 'bad_answer', isFromKoha: true });
  });

  test('are whole up to the length of their columns', async () => {
    const surname = 'x'.repeat(65_535);
    koha = await startTinyKoha({ [PATRONS]: json(200, [patronRow({ surname })]) });
    expect(await koha.client().findByCard(CARD, plain)).toMatchObject([{ surname }]);
  });

  test('say whether Koha has anonymised the record', async () => {
    const rows = [
      patronRow({ patron_id: 1, anonymized: true }),
      patronRow({ patron_id: 2, anonymized: false }),
      patronRow({ patron_id: 3 }),
    ];
    koha = await startTinyKoha({ [PATRONS]: json(200, rows) });
    const found = await koha.client().findByCard(CARD, plain);
    expect(found.map(({ anonymized }) => anonymized)).toEqual([true, false, null]);
  });

  test('have a balance below zero where the library owes the patron', async () => {
    koha = await startTinyKoha({ [PATRONS]: json(200, [patronRow({ account_balance: -3.5 })]) });
    expect(await koha.client().findByCard(CARD, plain)).toMatchObject([{ accountBalance: -3.5 }]);
  });
});

test('a description with a hundred thousand definitions costs no more than its bytes', async () => {
  const many = (of: string) =>
    Object.fromEntries(Array.from({ length: 100_000 }, (_, n) => [`${of}${n}`, {}]));
  const properties = { surname: {}, ...many('p') };
  const parameters = Array.from({ length: 20 }, () => ({ $ref: '#/parameters/x' }));
  koha = await startTinyKoha({
    'GET /api/v1/': json(200, {
      paths: {
        '/patrons': { post: { parameters: [{ in: 'body', schema: { properties } }, ...parameters] } },
      },
      parameters: { x: { in: 'query' } },
      definitions: many('d'),
    }),
  });
  const startedAt = performance.now();
  const { patronProperties } = await koha.client({ timeoutMs: 10_000 }).capabilities();
  expect(patronProperties.size).toBeLessThanOrEqual(500);
  expect(patronProperties.has('surname')).toBe(true);
  expect(performance.now() - startedAt).toBeLessThan(3_000);
});
