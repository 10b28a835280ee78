import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { json } from 'node:stream/consumers';
import { describe, expect, test } from '@jest/globals';
import { cardsOf, rowsOf } from './support/rows.ts';
import { withKoha, type Reply, type RequestOptions, type TestKoha } from './support/with-koha.ts';

const patrons = '/api/v1/patrons';

function three(koha: TestKoha): void {
  koha.putPatron('12345', { surname: 'Müller', firstname: 'Åsa' });
  koha.putPatron('91234', { surname: 'Muller', firstname: 'Bo' });
  koha.putPatron('ABC-1', { surname: 'Okafor', firstname: 'Chidi', email: 'chidi@post.example' });
}

const q = (query: unknown): RequestOptions => ({ query: { q: JSON.stringify(query) } });

describe('simple filters', () => {
  test('T-07 a filter means "contains"', () =>
    withKoha({}, async (koha) => {
      three(koha);
      expect(cardsOf(await koha.request('GET', patrons, { query: { cardnumber: '1234' } }))).toEqual([
        '12345',
        '91234',
      ]);
    }));

  test('T-07 a percent sign and an underscore are wildcards, as in the database', () =>
    withKoha({}, async (koha) => {
      three(koha);
      expect(cardsOf(await koha.request('GET', patrons, { query: { cardnumber: '1_3' } }))).toEqual([
        '12345',
        '91234',
      ]);
      expect(rowsOf(await koha.request('GET', patrons, { query: { cardnumber: '%' } }))).toHaveLength(4);
    }));

  test.each([['cardnumber='], ['q={}'], ['']])('an empty filter is no filter: "%s"', (search) =>
    withKoha({}, async (koha) => {
      three(koha);
      expect(rowsOf(await koha.request('GET', `${patrons}?${search}`))).toHaveLength(4);
    }),
  );
});

describe('q', () => {
  test.each([
    ['equality', { cardnumber: 'abc-1' }, ['ABC-1']],
    ['values as a list', { cardnumber: ['12345', 'ABC-1'] }, ['12345', 'ABC-1']],
    ['-like', { cardnumber: { '-like': '%1234%' } }, ['12345', '91234']],
    ['a database name', { borrowernumber: 2 }, ['12345']],
    ['letter case, accents and trailing blanks', { surname: 'MULLER ' }, ['12345', '91234']],
    [
      'the words of Koha’s patron search',
      {
        '-and': [
          { '-or': [{ surname: { like: 'mu%' } }, { firstname: { like: 'mu%' } }] },
          { '-or': [{ surname: { like: 'b%' } }, { firstname: { like: 'b%' } }] },
        ],
      },
      ['91234'],
    ],
  ])('%s', (_what, query, cards) =>
    withKoha({}, async (koha) => {
      three(koha);
      expect(cardsOf(await koha.request('GET', patrons, q(query)))).toEqual(cards);
    }),
  );

  test('a column that is not there is a 500', () =>
    withKoha({}, async (koha) => {
      const reply = await koha.request('GET', patrons, q({ no_such_column: 1 }));
      expect(reply).toMatchObject({ status: 500, body: { error_code: 'internal_server_error' } });
    }));

  test('attributes are found by type and value of one and the same attribute', () =>
    withKoha({}, async (koha) => {
      three(koha);
      const attribute = (type: string, value: string): unknown => ({ type, value });
      koha.putPatron('12345', {
        extended_attributes: [attribute('PASSPORTED', 'a'), attribute('INTEREST', 'b')],
      });
      koha.putPatron('91234', { extended_attributes: [attribute('PASSPORTED', 'b')] });
      const headers = { 'x-koha-embed': 'extended_attributes' };
      const query = { 'extended_attributes.code': 'PASSPORTED', 'extended_attributes.attribute': 'B' };
      const reply = await koha.request('GET', patrons, { ...q(query), headers });
      expect(cardsOf(reply)).toEqual(['91234']);
      expect(rowsOf(reply)[0]?.['extended_attributes']).toMatchObject([{ type: 'PASSPORTED', value: 'b' }]);
    }));
});

describe('a query of a shape that nobody sends', () => {
  const surname = 'muller';
  const byName = JSON.stringify({ surname });
  test.each<[string, readonly (readonly [string, string])[]]>([
    ['no JSON', [['q', '{"surname":']]],
    ['no object', [['q', '"muller"']]],
    ['a list', [['q', `[${byName}]`]]],
    [
      'several',
      [
        ['q', byName],
        ['q', byName],
      ],
    ],
    [
      'one beside a filter',
      [
        ['q', byName],
        ['cardnumber', '9'],
      ],
    ],
    ['another operator', [['q', '{"surname":{"-exec":"x"}}']]],
    ['several operators', [['q', '{"patron_id":{">":1,">=":1}}']]],
    ['null', [['q', '{"email":null}']]],
    ['a list of operators', [['q', '{"surname":[{"-like":"m%"}]}']]],
    ['another group', [['q', `{"-not":[${byName}]}`]]],
    ['an attribute’s type alone', [['q', '{"extended_attributes.code":"PASSPORTED"}']]],
    [
      'another way to match',
      [
        ['surname', surname],
        ['_match', 'exact'],
      ],
    ],
    ['a flag', [['restricted', 'true']]],
    ['an order down', [['_order_by', '-me.surname']]],
    ['an order of two keys', [['_order_by', 'surname,firstname']]],
    ['all rows', [['_per_page', '-1']]],
  ])('is refused: %s', (_what, query) =>
    withKoha({}, async (koha) => {
      three(koha);
      const reply = await koha.request('GET', patrons, { query });
      expect(reply).toMatchObject({ status: 500, body: { error: expect.stringContaining('The stand-in') } });
    }),
  );

  test('is refused in the body of a GET, which later releases read', () =>
    withKoha({}, async (koha) => {
      const headers = {
        authorization: `Bearer ${await koha.token()}`,
        'content-type': 'application/json',
        'content-length': byName.length,
      };
      // fetch refuses to send such a thing.
      const sent = request(`${koha.url}${patrons}`, { method: 'GET', headers }).end(byName);
      const [response] = (await once(sent, 'response')) as [IncomingMessage];
      expect([response.statusCode, await json(response)]).toEqual([
        500,
        { error: expect.stringContaining('The stand-in') },
      ]);
    }));
});

describe('pages', () => {
  test('say how many rows there are in all', () =>
    withKoha({}, async (koha) => {
      three(koha);
      const query = { surname: 'muller', _per_page: '1', _page: '2', _order_by: '+me.patron_id' };
      const reply = await koha.request('GET', patrons, { query });
      expect(cardsOf(reply)).toEqual(['91234']);
      expect(reply.headers.get('x-total-count')).toBe('2');
    }));

  test('the default is 20', () =>
    withKoha({ seed: 'riverside' }, async (koha) => {
      expect(rowsOf(await koha.request('GET', patrons))).toHaveLength(20);
    }));

  test('a page size of 0 is refused with a bare list', () =>
    withKoha({}, async (koha) => {
      const reply = await koha.request('GET', patrons, { query: { _per_page: '0' } });
      const body = [{ message: 'Invalid value: 0', path: '/query/_per_page' }];
      expect(reply).toMatchObject({ status: 400, body });
    }));
});

describe('what a request may not say', () => {
  test('an unknown query parameter is a bare list', () =>
    withKoha({}, async (koha) => {
      const reply = await koha.request('GET', patrons, { query: { barcode: '1' } });
      expect(reply).toMatchObject({
        status: 400,
        body: [{ path: '/query/barcode', message: 'Malformed query string' }],
      });
    }));

  test('embeds on a route without them are a bare string, even before the login', () =>
    withKoha({}, async (koha) => {
      const headers = { authorization: 'Bearer nonsense', 'x-koha-embed': 'extended_attributes' };
      const reply = await koha.request('POST', patrons, { headers, body: {} });
      expect(reply).toMatchObject({
        status: 400,
        body: 'Embedding objects is not allowed on this endpoint.',
      });
    }));

  test.each(['extended_attributes, library', 'holds'])('x-koha-embed: %s is not in the list', (value) =>
    withKoha({}, async (koha) => {
      const reply = await koha.request('GET', patrons, { headers: { 'x-koha-embed': value } });
      expect(reply).toMatchObject({
        status: 400,
        body: { errors: [{ message: expect.stringMatching(/^Not in enum list: /) }] },
      });
    }),
  );
});

describe('what is shown', () => {
  test('T-01 hidden columns never leave, staff notes do', () =>
    withKoha({}, async (koha) => {
      const planted = {
        password: 'HASH',
        secret: 'TOTP',
        flags: 1,
        borrowernotes: 'NOTE',
        brand_new: 'FUTURE',
      };
      koha.putPatron('12345', { surname: 'X', ...planted });
      const text = JSON.stringify((await koha.request('GET', patrons, q({ cardnumber: '12345' }))).body);
      expect(text).toContain('NOTE');
      for (const value of ['HASH', 'TOTP', 'FUTURE', 'flags']) expect(text).not.toContain(value);
    }));

  // Mojolicious/Plugin/OpenAPI.pm validates answers; a date of zeros comes from an import.
  test('one record whose date is none spoils each list that holds it, and no other', () =>
    withKoha({}, async (koha) => {
      koha.putPatron('1', { surname: 'X' });
      const { patron_id: id } = koha.putPatron('2', { surname: 'X', date_of_birth: '0000-00-00' });
      const broken = (path: string): object => ({
        status: 500,
        body: { errors: [{ message: 'Month out of range.', path }], status: 500 },
      });
      const list = await koha.request('GET', patrons, q({ surname: 'X' }));
      expect(list).toMatchObject(broken('/body/1/date_of_birth'));
      expect(await koha.request('GET', `${patrons}/${id}`)).toMatchObject(broken('/body/date_of_birth'));
      expect(await koha.request('GET', patrons, q({ cardnumber: '1' }))).toMatchObject({ status: 200 });
    }));

  test('a flag that the database has nothing for is false', () =>
    withKoha({}, async (koha) => {
      koha.putPatron('1', { incorrect_address: null, patron_card_lost: null });
      const [row] = rowsOf(await koha.request('GET', patrons, q({ cardnumber: '1' })));
      expect(row).toMatchObject({ incorrect_address: false, patron_card_lost: false });
    }));

  test('embeds: attributes and the balance; all others that Koha has are refused', () =>
    withKoha({}, async (koha) => {
      koha.putPatron('12345', { surname: 'X', account_balance: 4.5 });
      const list = (embeds: string): Promise<Reply> =>
        koha.request('GET', patrons, {
          ...q({ 'me.cardnumber': '12345' }),
          headers: { 'x-koha-embed': embeds },
        });
      expect(rowsOf(await list('extended_attributes,account_balance'))).toMatchObject([
        { account_balance: 4.5, extended_attributes: [] },
      ]);
      expect(await list('library')).toMatchObject({
        status: 500,
        body: { error: 'The stand-in does not know how to embed library' },
      });
    }));

  test.each([
    ['23.11', false],
    ['24.11', true],
  ] as const)('preferred_name and expired on %s: %s', (release, isThere) =>
    withKoha({ release }, async (koha) => {
      koha.putPatron('12345', { surname: 'X', expiry_date: '2020-01-01' });
      const [row] = rowsOf(await koha.request('GET', patrons, q({ cardnumber: '12345' })));
      expect([row?.['expired'] === true, Object.hasOwn(row ?? {}, 'preferred_name')]).toEqual([
        isThere,
        isThere,
      ]);
    }),
  );

  test('the last day of a card still counts, a year 9999 never ends', async () => {
    const now = (): number => Date.parse('2026-11-25T10:00:00Z');
    await withKoha({ now }, async (koha) => {
      koha.putPatron('1', { expiry_date: '2026-11-25' });
      koha.putPatron('2', { expiry_date: '2026-11-24' });
      koha.putPatron('3', { expiry_date: '9999-12-31' });
      expect(['1', '2', '3'].map((card) => koha.state(card).patrons[0]?.expired)).toEqual([
        false,
        true,
        false,
      ]);
    });
  });

  test('24.05 gave "not found" a code', async () => {
    await withKoha({ release: '23.11' }, async (koha) => {
      expect((await koha.request('GET', `${patrons}/99`)).body).toEqual({ error: 'Patron not found' });
    });
    await withKoha({ release: '24.11' }, async (koha) => {
      expect((await koha.request('GET', `${patrons}/99`)).body).toEqual({
        error: 'Patron not found',
        error_code: 'not_found',
      });
    });
  });
});
