import { afterEach, describe, expect, test } from '@jest/globals';
import { sameCard } from '@passport/contract';
import { CARD, json, patronRow, startTinyKoha, type Reply, type TinyKoha } from './tiny-koha.ts';

let koha: TinyKoha;
afterEach(() => koha.close());

const PATRONS = 'GET /api/v1/patrons';
const plain = { attributes: false, balance: false };
const notFound = json(404, { error: 'Patron not found', error_code: 'not_found' });

describe('a look-up by card', () => {
  test('is one call, tests for equality, and embeds without blanks', async () => {
    koha = await startTinyKoha({ [PATRONS]: json(200, [patronRow()]) });
    await koha.client().findByCard(` ${CARD} `, { attributes: true, balance: true });
    expect(koha.calls()).toHaveLength(1);
    const [call] = koha.calls();
    expect(call?.query.get('q')).toBe(`{"cardnumber":"${CARD}"}`);
    expect(call?.query.has('cardnumber')).toBe(false);
    expect(call?.headers['x-koha-embed']).toBe('extended_attributes,account_balance');
  });

  test('sends no embed header when nothing is to be embedded', async () => {
    koha = await startTinyKoha({ [PATRONS]: json(200, []) });
    await koha.client().findByCard(CARD, plain);
    expect(koha.calls()[0]?.headers).not.toHaveProperty('x-koha-embed');
  });

  test('T-07 drops what only looks like the card to a database', async () => {
    const rows = ['1', '%', '_', `${CARD}1`, `9${CARD}`, '２1234000000017', 'Á'].map((cardnumber, index) =>
      patronRow({ cardnumber, patron_id: index + 1 }),
    );
    koha = await startTinyKoha({ [PATRONS]: json(200, [...rows, patronRow({ patron_id: 99 })]) });
    const client = koha.client();
    expect((await client.findByCard(CARD, plain)).map(({ patronId }) => patronId)).toEqual([99]);
    expect((await client.findByCard('a', plain)).map(({ patronId }) => patronId)).toEqual([]);
  });

  test('T-09 never takes a login for a card', async () => {
    koha = await startTinyKoha({ [PATRONS]: json(200, [patronRow({ cardnumber: 'X1', userid: CARD })]) });
    expect(await koha.client().findByCard(CARD, plain)).toEqual([]);
    expect(koha.calls()[0]?.query.toString()).not.toContain('userid');
  });

  test('or with one of several numbers, in one call', async () => {
    const rows = [CARD, '000000017', `${CARD}1`].map((cardnumber, index) =>
      patronRow({ cardnumber, patron_id: index + 1 }),
    );
    koha = await startTinyKoha({ [PATRONS]: json(200, rows) });
    const found = await koha.client().findByCard([CARD, '000000017', ` ${CARD} `, ''], plain);
    expect(found.map(({ patronId }) => patronId)).toEqual([1, 2]);
    expect(koha.calls().map(({ query }) => query.get('q'))).toEqual([
      JSON.stringify({ cardnumber: [CARD, '000000017'] }),
    ]);
  });

  test('reads on after a full page', async () => {
    const row = (index: number) => patronRow({ patron_id: index + 1 });
    const full = Array.from({ length: 100 }, (_, index) => row(index));
    koha = await startTinyKoha({ [PATRONS]: [json(200, full), json(200, [row(100)])] });
    expect(await koha.client().findByCard(CARD, plain)).toHaveLength(101);
    expect(koha.calls().map(({ query }) => [query.get('_per_page'), query.get('_page')])).toEqual([
      ['100', null],
      ['100', '2'],
    ]);
  });

  test.each(['', '   ', 'x'.repeat(33)])('of what no Koha can hold calls nobody (%j)', async (card) => {
    koha = await startTinyKoha({ [PATRONS]: json(200, [patronRow({ cardnumber: card })]) });
    expect(await koha.client().findByCard(card, plain)).toEqual([]);
    expect(koha.seen).toEqual([]);
  });

  test.each([
    '../../patrons/51?x=',
    '12#34',
    'a/b',
    '100%',
    '%2e%2e%2f',
    'a b',
    'a+b',
    'a&_match=contains',
    '"},{"x":"',
    "1' OR '1'='1",
    'ÄÖ-Ω-漢字-🎫',
    '\\u0000',
    '\ud800x',
  ])('T-06 sends %j as exactly one well-formed request', async (card) => {
    koha = await startTinyKoha({ [PATRONS]: json(200, [patronRow({ cardnumber: card })]) });
    const found = await koha.client().findByCard(card, plain);
    expect(koha.calls()).toHaveLength(1);
    const [call] = koha.calls();
    expect(call?.path).toBe('/api/v1/patrons');
    expect(JSON.parse(call?.query.get('q') ?? '')).toEqual({ cardnumber: card.trim() });
    expect(Array.from(call?.query.keys() ?? []).toSorted()).toEqual(['_order_by', '_per_page', 'q']);
    expect(found).toHaveLength(1);
  });

  test('leaves out a row that is hidden from this API user', async () => {
    const hidden = { ...patronRow(), patron_id: null, cardnumber: null, surname: null, category_id: null };
    koha = await startTinyKoha({ [PATRONS]: json(200, [hidden, patronRow()]) });
    expect(await koha.client().findByCard(CARD, plain)).toHaveLength(1);
  });
});

describe('a patron that was read', () => {
  async function read(changes: Record<string, unknown>) {
    koha = await startTinyKoha({ [PATRONS]: json(200, [patronRow(changes)]) });
    return (await koha.client().findByCard(CARD, plain))[0];
  }

  test('T-01 T-03 T-19 holds the contact fields and nothing else that Koha sent', async () => {
    const planted = {
      password: '$2a$planted',
      secret: 'planted',
      staff_notes: 'planted',
      opac_notes: 'planted',
      borrowernotes: 'planted',
      overdrive_auth_token: 'planted',
      userid: 'planted',
      statistics_1: 'planted',
      sms_provider_id: 4,
      altcontact_surname: 'planted',
      altaddress_notes: 'planted',
      a_column_of_the_future: 'planted',
    };
    const patron = await read({ ...planted, altaddress_city: 'Ghent' });
    expect(JSON.stringify(patron)).not.toContain('planted');
    expect(patron?.fields).toEqual({
      surname: 'Okafor',
      firstname: 'Adaeze',
      email: 'adaeze@example.org',
      date_of_birth: '1990-05-01',
      altaddress_city: 'Ghent',
    });
  });

  test('has a null for each fact that is missing or of the wrong type', async () => {
    const patron = await read({
      expired: undefined,
      restricted: 'maybe',
      patron_card_lost: undefined,
      incorrect_address: 'x',
      expiry_date: '0000-00-00',
      account_balance: 'none',
      date_of_birth: '1990-02-30',
    });
    expect(patron).toMatchObject({
      expired: null,
      restricted: null,
      cardLost: null,
      incorrectAddress: null,
      expiryDate: null,
      accountBalance: null,
      dateOfBirth: null,
      attributes: null,
    });
  });

  test('is not lost and has a sure address where Koha’s column was never set', async () => {
    const patron = await read({ patron_card_lost: null, incorrect_address: null });
    expect(patron).toMatchObject({ cardLost: false, incorrectAddress: false });
  });

  test('has true flags however Koha spells them', async () => {
    const patron = await read({ expired: true, restricted: 1, patron_card_lost: 1, incorrect_address: true });
    expect(patron).toMatchObject({ expired: true, restricted: true, cardLost: true, incorrectAddress: true });
  });

  test('has its balance as a number, also where it comes as text', async () => {
    expect(await read({ account_balance: '12.50' })).toMatchObject({ accountBalance: 12.5 });
  });
});

describe('a look-up by attribute', () => {
  const marked = (id: number, type: string, value: string) =>
    patronRow({ patron_id: id, extended_attributes: [{ type, value, extended_attribute_id: id }] });

  test('queries in database names and compares type and value again', async () => {
    const rows = [
      marked(1, 'PASSPORTED_ID', 'midland:812'),
      marked(2, 'PASSPORTED_ID', 'Midland:812'),
      marked(3, 'OTHER', 'midland:812'),
      patronRow({ patron_id: 4 }),
    ];
    koha = await startTinyKoha({ [PATRONS]: json(200, rows) });
    const found = await koha.client().findByAttribute('PASSPORTED_ID', 'midland:812');
    expect(found.map(({ patronId }) => patronId)).toEqual([1]);
    expect(JSON.parse(koha.calls()[0]?.query.get('q') ?? '')).toEqual({
      'extended_attributes.code': 'PASSPORTED_ID',
      'extended_attributes.attribute': 'midland:812',
    });
    expect(koha.calls()[0]?.headers['x-koha-embed']).toBe('extended_attributes');
  });
});

describe('a patron looked up by number', () => {
  const ROUTE = 'GET /api/v1/patrons/812';

  test('comes with all attributes', async () => {
    const extended_attributes = [{ type: 'T', value: null, extended_attribute_id: 5 }];
    koha = await startTinyKoha({ [ROUTE]: json(200, patronRow({ extended_attributes })) });
    expect(await koha.client().readPatron(812)).toMatchObject({
      patronId: 812,
      attributes: [{ type: 'T', value: null, id: 5 }],
    });
  });

  test.each<[string, Reply]>([
    ['with a code', notFound],
    ['without a code, as before 24.05', json(404, { error: 'Patron not found.' })],
  ])('is null when Koha says not found (%s)', async (_what, reply) => {
    koha = await startTinyKoha({ [ROUTE]: reply });
    expect(await koha.client().readPatron(812)).toBeNull();
  });

  test('is a failure when it is the route that is not found', async () => {
    koha = await startTinyKoha({ [ROUTE]: json(404, { errors: [{ message: 'Not Found.', path: '/' }] }) });
    await expect(koha.client().readPatron(812)).rejects.toMatchObject({
      code: 'unexpected_status',
      status: 404,
    });
  });

  test('says so when Koha hides it from this API user', async () => {
    const nulls = Object.fromEntries(Object.keys(patronRow()).map((key) => [key, null]));
    koha = await startTinyKoha({ [ROUTE]: json(200, { ...nulls, library_id: 'MAIN' }) });
    expect(await koha.client().readPatron(812)).toMatchObject({ patronId: 812, hidden: true });
  });
});

test.each<[string, (client: ReturnType<TinyKoha['client']>) => Promise<unknown>, string]>([
  ['card', (client) => client.findByCard(CARD, { attributes: true, balance: true }), '+me.patron_id'],
  ['attribute', (client) => client.findByAttribute('PASSPORTED_ID', 'midland:812'), '+me.patron_id'],
  ['sight', (client) => client.visiblePatrons(), '+me.patron_id'],
  ['barcode', (client) => client.findItem('39999000012345'), '+me.item_id'],
  ['checkout', (client) => client.findCheckout(15, 51), '+me.checkout_id'],
  ['branches', (client) => client.branches(), '+me.library_id'],
  ['categories', (client) => client.categories(), '+me.patron_category_id'],
])('a list by %s is ordered by a key of the listed table itself', async (_what, look, key) => {
  const lists = ['patrons', 'items', 'checkouts', 'libraries', 'patron_categories'];
  koha = await startTinyKoha(Object.fromEntries(lists.map((list) => [`GET /api/v1/${list}`, json(200, [])])));
  await look(koha.client());
  expect(koha.calls().map(({ query }) => query.get('_order_by'))).toEqual([key]);
});

test('an item is the one with exactly this barcode', async () => {
  const rows = [
    { item_id: 1, external_id: '39999000012345x', biblio_id: 6 },
    { item_id: 2, external_id: '39999000012345', biblio_id: 7 },
    { item_id: 3, external_id: '39999000012346' },
  ];
  koha = await startTinyKoha({ 'GET /api/v1/items': json(200, rows) });
  const client = koha.client();
  expect(await client.findItem('39999000012345')).toEqual({ itemId: 2, biblioId: 7 });
  expect(await client.findItem('39999000012346')).toEqual({ itemId: 3, biblioId: null });
  expect(await client.findItem('3999900001234')).toBeNull();
  expect(koha.calls()[0]?.query.get('q')).toBe('{"external_id":"39999000012345"}');
});

test('a checkout is the one of exactly this patron and item', async () => {
  const rows = [
    { checkout_id: 7, patron_id: 15, item_id: 51 },
    { checkout_id: 8, patron_id: 5, item_id: null },
  ];
  koha = await startTinyKoha({ 'GET /api/v1/checkouts': json(200, rows) });
  const client = koha.client();
  expect(await client.findCheckout(15, 51)).toEqual({ checkoutId: 7 });
  expect(await client.findCheckout(5, 51)).toBeNull();
});

test.each([
  ['AB1', 'ab1', true],
  [' ab1 ', 'ab1', true],
  ['äb1', 'ÄB1', false],
  ['ab1', 'àb1', false],
  ['１', '1', false],
  ['ſ', 's', false],
  ['\u212a', 'k', false],
])('%j and %j are the same card: %s', async (one, other, same) => {
  koha = await startTinyKoha();
  expect(sameCard(one, other)).toBe(same);
  expect(sameCard(other, one)).toBe(same);
});
