import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { json } from 'node:stream/consumers';
import { describe, expect, test } from '@jest/globals';
import { cardsOf, rowsOf } from './support/rows.ts';
import { withKoha, type RequestOptions, type TestKoha } from './support/with-koha.ts';

const patrons = '/api/v1/patrons';

function three(koha: TestKoha): void {
  koha.putPatron('12345', { surname: 'Müller', firstname: 'Åsa' });
  koha.putPatron('91234', { surname: 'Muller', firstname: 'Bo' });
  koha.putPatron('ABC-1', { surname: 'Okafor', firstname: 'Chidi', email: 'chidi@post.example' });
}

const q = (query: unknown): RequestOptions => ({ query: { q: JSON.stringify(query) } });
const total = (headers: Headers): (string | null)[] => [
  headers.get('x-total-count'),
  headers.get('x-base-total-count'),
];

describe('simple filters', () => {
  test('T-07 a filter means "contains" unless it says otherwise', () =>
    withKoha({}, async (koha) => {
      three(koha);
      expect(cardsOf(await koha.request('GET', patrons, { query: { cardnumber: '1234' } }))).toEqual([
        '12345',
        '91234',
      ]);
    }));

  test.each([
    ['exact', '12345', ['12345']],
    ['starts_with', '1234', ['12345']],
    ['ends_with', '1234', ['91234']],
  ])('_match=%s', (match, cardnumber, cards) =>
    withKoha({}, async (koha) => {
      three(koha);
      const reply = await koha.request('GET', patrons, { query: { cardnumber, _match: match } });
      expect(cardsOf(reply)).toEqual(cards);
    }),
  );

  test('T-07 a percent sign and an underscore are wildcards, as in the database', () =>
    withKoha({}, async (koha) => {
      three(koha);
      expect(cardsOf(await koha.request('GET', patrons, { query: { cardnumber: '1_3' } }))).toEqual([
        '12345',
        '91234',
      ]);
      expect(rowsOf(await koha.request('GET', patrons, { query: { cardnumber: '%' } }))).toHaveLength(4);
    }));

  test('letter case, accents and trailing blanks do not count', () =>
    withKoha({}, async (koha) => {
      three(koha);
      const byName = await koha.request('GET', patrons, { query: { surname: 'MULLER ', _match: 'exact' } });
      const byCard = await koha.request('GET', patrons, { query: { cardnumber: 'abc-1', _match: 'exact' } });
      expect(cardsOf(byName)).toEqual(['12345', '91234']);
      expect(cardsOf(byCard)).toEqual(['ABC-1']);
    }));

  test.each([['cardnumber='], ['email=&_match=exact'], ['q='], ['q={}'], ['']])(
    'an empty filter is no filter: "%s"',
    (search) =>
      withKoha({}, async (koha) => {
        three(koha);
        expect(rowsOf(await koha.request('GET', `${patrons}?${search}`))).toHaveLength(4);
      }),
  );

  test('restricted=true finds restrictions that are over, too', () =>
    withKoha({}, async (koha) => {
      three(koha);
      koha.putPatron('12345', { debarred: '2020-01-01' });
      const [row] = rowsOf(await koha.request('GET', patrons, { query: { restricted: 'true' } }));
      expect(row).toMatchObject({ cardnumber: '12345', restricted: false });
    }));
});

describe('q', () => {
  test.each([
    ['equality', { cardnumber: 'abc-1' }, ['ABC-1']],
    ['a list is OR', [{ cardnumber: '12345' }, { userid: 'chidi.okafor' }], ['12345', 'ABC-1']],
    ['-or', { '-or': [{ cardnumber: '12345' }, { cardnumber: '91234' }] }, ['12345', '91234']],
    ['-and', { '-and': [{ surname: 'muller' }, { firstname: 'bo' }] }, ['91234']],
    ['values as a list', { cardnumber: ['12345', 'ABC-1'] }, ['12345', 'ABC-1']],
    ['-in', { cardnumber: { '-in': ['12345', 'x'] } }, ['12345']],
    ['-like', { cardnumber: { '-like': '%1234%' } }, ['12345', '91234']],
    ['null', { '-and': [{ email: { '!=': null } }] }, ['ABC-1']],
    ['a database name', { borrowernumber: 2 }, ['12345']],
    ['-between', { cardnumber: { '-between': ['12345', '91234'] } }, ['12345', '91234']],
  ])('%s', (_what, query, cards) =>
    withKoha({}, async (koha) => {
      three(koha);
      expect(cardsOf(await koha.request('GET', patrons, q(query)))).toEqual(cards);
    }),
  );

  test('repeated q, and q beside a simple filter, must all hold', () =>
    withKoha({}, async (koha) => {
      three(koha);
      const query = [
        ['q', '{"surname":"muller"}'],
        ['q', '{"firstname":"bo"}'],
        ['cardnumber', '9'],
      ] as const;
      expect(cardsOf(await koha.request('GET', patrons, { query }))).toEqual(['91234']);
    }));

  test('an operator that is not allowed is 400 with the number 1 as its text', () =>
    withKoha({}, async (koha) => {
      const reply = await koha.request('GET', patrons, q({ surname: { '-exec': 'x' } }));
      expect(reply).toMatchObject({ status: 400, body: { error: 1, error_code: 'invalid_query' } });
    }));

  test.each(['{"cardnumber":', '"text"', '{"no_such_column":1}', '{"extended_attributes.code":"X"}'])(
    'q=%s is a 500',
    (text) =>
      withKoha({}, async (koha) => {
        const reply = await koha.request('GET', patrons, { query: { q: text } });
        expect(reply).toMatchObject({ status: 500, body: { error_code: 'internal_server_error' } });
      }),
  );

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

describe('a query in the body of a GET', () => {
  const text = '{"cardnumber":"12345"}';

  /** fetch refuses to send such a thing. */
  async function search(koha: TestKoha): Promise<unknown> {
    const headers = {
      authorization: `Bearer ${await koha.token()}`,
      'content-type': 'application/json',
      'content-length': text.length,
    };
    const sent = request(`${koha.url}${patrons}`, { method: 'GET', headers });
    sent.end(text);
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    return json(response);
  }

  test.each([
    ['24.11', 4],
    ['25.11', 1],
  ] as const)('on %s finds %i of 4', (release, found) =>
    withKoha({ release }, async (koha) => {
      three(koha);
      expect(await search(koha)).toHaveLength(found);
    }),
  );
});

describe('pages', () => {
  test('counts before and after the filter, links to the other pages', () =>
    withKoha({}, async (koha) => {
      three(koha);
      const query = { surname: 'muller', _per_page: '1', _page: '2', _order_by: '-patron_id' };
      const reply = await koha.request('GET', patrons, { query });
      expect(cardsOf(reply)).toEqual(['12345']);
      expect(total(reply.headers)).toEqual(['2', '4']);
      expect(reply.headers.get('link')).toMatch(
        /_page=1&[^>]*>; rel="prev",.*_page=1&[^>]*>; rel="first",.*_page=2&[^>]*>; rel="last"/,
      );
    }));

  test('-1 is everything, the default is 20', () =>
    withKoha({ seed: 'riverside' }, async (koha) => {
      expect(rowsOf(await koha.request('GET', patrons))).toHaveLength(20);
      expect(rowsOf(await koha.request('GET', patrons, { query: { _per_page: '-1' } }))).toHaveLength(401);
    }));

  test('a page size of 0 is refused with a bare list', () =>
    withKoha({}, async (koha) => {
      const reply = await koha.request('GET', patrons, { query: { _per_page: '0' } });
      const body = [{ message: 'Invalid value: 0', path: '/query/_per_page' }];
      expect(reply).toMatchObject({ status: 400, body });
    }));

  test('the request id comes back', () =>
    withKoha({}, async (koha) => {
      const reply = await koha.request('GET', patrons, { headers: { 'x-koha-request-id': '42' } });
      expect(reply.headers.get('x-koha-request-id')).toBe('42');
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

  test('embeds: attributes, balance, counts, library', () =>
    withKoha({}, async (koha) => {
      koha.putPatron('12345', { surname: 'X', account_balance: 4.5 });
      koha.putItem('39', { checked_out_to: '12345' });
      const headers = {
        'x-koha-embed': 'extended_attributes,account_balance,checkouts+count,overdues+count,library',
      };
      const [row] = rowsOf(
        await koha.request('GET', patrons, { ...q({ 'me.cardnumber': '12345' }), headers }),
      );
      expect(row).toMatchObject({
        account_balance: 4.5,
        checkouts_count: 1,
        overdues_count: 0,
        extended_attributes: [],
        library: { library_id: 'MAIN' },
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

describe('patrons of other libraries', () => {
  const permissions = ['borrowers:edit_borrowers', 'borrowers:list_borrowers'];

  test.each([{ IndependentBranches: true }, { groups_hide_patrons: true }])(
    'are missing under %j',
    (settings) =>
      withKoha({ settings: { ...settings, permissions } }, async (koha) => {
        koha.putPatron('12345', { surname: 'X', library_id: 'NORTH' });
        const reply = await koha.request('GET', patrons, q({ cardnumber: '12345' }));
        expect([reply.status, reply.body, ...total(reply.headers)]).toEqual([200, [], '0', '1']);
        expect(await koha.request('GET', `${patrons}/2`)).toMatchObject({ status: 404 });
      }),
  );

  test('are there with the permission to see them', () =>
    withKoha(
      {
        settings: {
          groups_hide_patrons: true,
          permissions: [...permissions, 'borrowers:view_borrower_infos_from_any_libraries'],
        },
      },
      async (koha) => {
        koha.putPatron('12345', { surname: 'X', library_id: 'NORTH' });
        expect(cardsOf(await koha.request('GET', patrons, q({ cardnumber: '12345' })))).toEqual(['12345']);
      },
    ));
});
