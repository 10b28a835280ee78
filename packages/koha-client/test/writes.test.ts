import { afterEach, describe, expect, test } from '@jest/globals';
import {
  type ChangeResult,
  type CheckoutResult,
  type CreateResult,
  type OpenKohaClient,
  storeRemembered,
} from '../src/index.ts';
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

const how = { branch: 'MAIN', confirmNotDuplicate: false };
const error = (status: number, text: string, more: Record<string, unknown> = {}): Reply =>
  json(status, { error: text, ...more });
const misfit = (path: string): Reply => json(400, { errors: [{ message: 'x', path }], status: 400 });

describe('creating a patron', () => {
  const extended_attributes = [
    { type: 'PASSPORTED', value: 'midland' },
    { type: 'PASSPORTED_ID', value: 'midland:812' },
  ];
  const sent = { ...PATRON_BODY, extended_attributes };
  const create = async (reply: Reply, confirmNotDuplicate = false): Promise<CreateResult> => {
    koha = await startTinyKoha({ 'POST /api/v1/patrons': reply });
    return koha.client().createPatron(sent, { branch: 'MAIN', confirmNotDuplicate });
  };

  test('is one call as the branch, without a welcome mail', async () => {
    expect(await create(json(201, patronRow()))).toEqual({
      kind: 'created',
      privacy: null,
      patronId: 812,
      cardnumber: CARD,
      hidden: false,
    });
    expect(koha.calls()).toHaveLength(1);
    const [call] = koha.calls();
    expect(call?.headers).toMatchObject({ 'x-koha-library': 'MAIN', 'x-koha-override': 'welcome_no' });
    expect(call?.headers).not.toHaveProperty('x-koha-embed');
    expect(call?.headers).not.toHaveProperty('x-confirm-not-duplicate');
    expect(JSON.parse(call?.body ?? '')).toEqual(sent);
  });

  test('confirms a possible duplicate where that is wanted', async () => {
    await create(json(201, patronRow()), true);
    expect(koha.calls()[0]?.headers['x-confirm-not-duplicate']).toBe('1');
  });

  test.each<[string, Reply, boolean]>([
    ['a body of nulls', json(201, { patron_id: null }, { location: '/api/v1/patrons/813' }), true],
    ['no JSON', raw(201, 'x', { location: 'https://koha.example/api/v1/patrons/813' }), false],
    ['cut off', raw(201, '{"patron_id":', { location: '/api/v1/patrons/813' }), false],
  ])('takes the id from Location when the answer is %s', async (_what, reply, hidden) => {
    expect(await create(reply)).toEqual({
      kind: 'created',
      patronId: 813,
      cardnumber: null,
      privacy: null,
      hidden,
    });
  });

  test.each<[string, Reply, CreateResult]>([
    ['the card is taken', error(409, 'Duplicate ID', { conflict: 'cardnumber' }), { kind: 'card_taken' }],
    [
      'the card is taken, with its table',
      error(409, 'Duplicate ID', { conflict: 'borrowers.cardnumber' }),
      { kind: 'card_taken' },
    ],
    [
      'the login was taken in a race',
      error(409, 'Duplicate ID', { conflict: 'userid' }),
      { kind: 'userid_taken' },
    ],
    ['the login is taken', error(400, 'Problem with adaeze.okafor'), { kind: 'userid_taken' }],
    [
      'somebody looks alike',
      error(409, 'A patron record matching these details already exists'),
      { kind: 'possible_duplicate' },
    ],
    [
      'the category is unknown',
      error(400, 'Given category_id does not exist'),
      { kind: 'refused', what: 'category', name: 'PT' },
    ],
    [
      'the category is too long',
      misfit('/body/category_id'),
      { kind: 'refused', what: 'category', name: 'PT' },
    ],
    [
      'the branch of the body is unknown',
      error(400, 'Given library_id does not exist'),
      { kind: 'refused', what: 'branch', name: 'MAIN' },
    ],
    [
      'the acting branch is refused',
      error(403, 'Unauthorized attempt to set library to MAIN', { required_permissions: null }),
      { kind: 'refused', what: 'branch', name: 'MAIN' },
    ],
    [
      'an attribute type is unknown',
      error(400, 'Tried to use an invalid attribute type. type=PASSPORTED', {
        error_code: 'invalid_attribute_type',
      }),
      { kind: 'refused', what: 'attribute_type', name: 'PASSPORTED' },
    ],
    [
      'an attribute type is unknown, before 24.11',
      error(400, 'Tried to use an invalid attribute type. type=PASSPORTED'),
      { kind: 'refused', what: 'attribute_type', name: 'PASSPORTED' },
    ],
    [
      'an attribute type takes one value',
      error(400, `Tried to add more than one non-repeatable attributes. type=PASSPORTED value=${CARD}`),
      { kind: 'refused', what: 'attribute_type', name: 'PASSPORTED' },
    ],
    [
      'an attribute type is unknown that was never sent',
      error(400, 'Tried to use an invalid attribute type. type=EVIL'),
      { kind: 'refused', what: 'attribute_type', name: null },
    ],
    [
      'a mandatory attribute is missing',
      error(400, 'Missing mandatory extended attribute (type=SCHOOL)'),
      { kind: 'refused', what: 'mandatory_attribute', name: 'SCHOOL' },
    ],
    [
      'the home key is taken',
      error(400, 'Your action breaks a unique constraint on the attribute. type=PASSPORTED_ID value=m:8'),
      { kind: 'attribute_not_unique', type: 'PASSPORTED_ID' },
    ],
    [
      'a property does not fit',
      misfit('/body/surname'),
      { kind: 'refused', what: 'other', name: '/body/surname' },
    ],
    [
      'a property that was never sent does not fit',
      misfit('/body/log_in_at_evil'),
      { kind: 'refused', what: 'other', name: null },
    ],
    [
      'a property with a strange name does not fit',
      misfit(`/body/${CARD} x`),
      { kind: 'refused', what: 'other', name: null },
    ],
  ])('recognizes that %s', async (_what, reply, expected) => {
    expect(await create(reply)).toEqual(expected);
  });

  test('as a branch that no header can carry is refused without a call', async () => {
    koha = await startTinyKoha();
    const result = await koha.client().createPatron(PATRON_BODY, { ...how, branch: 'ЦБС\r\nx: y' });
    expect(result).toMatchObject({ kind: 'refused', what: 'branch' });
    expect(koha.calls()).toEqual([]);
  });

  test('sends no wish that the server’s own description lacks', async () => {
    koha = await startTinyKoha({
      'GET /api/v1/': json(200, {
        paths: {
          '/patrons': { post: { parameters: [{ in: 'body', schema: { properties: { surname: {} } } }] } },
        },
      }),
      'POST /api/v1/patrons': json(201, patronRow()),
    });
    await koha.client().createPatron(PATRON_BODY, { ...how, confirmNotDuplicate: true });
    expect(koha.calls()[0]?.headers).not.toHaveProperty('x-koha-override');
    expect(koha.calls()[0]?.headers).not.toHaveProperty('x-confirm-not-duplicate');
  });
});

describe('the body of a create', () => {
  const sentBody = async (body: Record<string, unknown>): Promise<unknown> => {
    koha = await startTinyKoha({ 'POST /api/v1/patrons': json(201, patronRow()) });
    await koha.client().createPatron({ ...PATRON_BODY, ...body }, how);
    return JSON.parse(koha.calls()[0]?.body ?? '');
  };

  test('has no half of a character, for which Koha would refuse the whole body', async () => {
    const extended_attributes = [{ type: 'T', value: 'a\udc00' }];
    expect(await sentBody({ surname: 'O\ud800kafor 🎫', extended_attributes })).toEqual({
      ...PATRON_BODY,
      surname: 'O\ufffdkafor 🎫',
      extended_attributes: [{ type: 'T', value: 'a\ufffd' }],
    });
  });

  test('has choices in Koha’s types, and one that is taken back as what nobody has chosen: Koha refuses null', async () => {
    expect(await sentBody({ lang: null, autorenew_checkouts: 'false', check_previous_checkout: '' })).toEqual(
      {
        ...PATRON_BODY,
        lang: 'default',
        autorenew_checkouts: false,
        check_previous_checkout: 'inherit',
      },
    );
    await koha.close();
    expect(await sentBody({ lang: 'fr-FR' })).toEqual({ ...PATRON_BODY, lang: 'fr-FR' });
  });
});

test('a create requests no mail to the staff where the release’s description lists that wish', async () => {
  const withOverrides = (...overrides: string[]) =>
    json(200, {
      paths: {
        '/patrons': {
          post: {
            parameters: [
              { in: 'body', schema: { properties: { surname: {} } } },
              { in: 'header', name: 'x-koha-override', items: { enum: overrides } },
            ],
          },
        },
      },
    });
  koha = await startTinyKoha({
    'GET /api/v1/': withOverrides('welcome_yes', 'welcome_no', 'opac_reg_yes', 'opac_reg_no'),
    'POST /api/v1/patrons': json(201, patronRow()),
  });
  await koha.client().createPatron(PATRON_BODY, how);
  expect(koha.calls()[0]?.headers['x-koha-override']).toBe('welcome_no,opac_reg_no');
});

test('a create returns the card as Koha stored it, which a plugin may have rewritten', async () => {
  koha = await startTinyKoha({ 'POST /api/v1/patrons': json(201, patronRow({ cardnumber: 'M-0017' })) });
  expect(await koha.client().createPatron(PATRON_BODY, how)).toMatchObject({ cardnumber: 'M-0017' });
});

describe('changing a patron', () => {
  const body = { surname: 'Okafor', library_id: 'MAIN', category_id: 'PT', cardnumber: 'NEW1' };
  const change = async (reply: Reply): Promise<ChangeResult> => {
    koha = await startTinyKoha({ 'PUT /api/v1/patrons/812': reply });
    return koha.client().changePatron(812, body, { branch: 'MAIN' });
  };

  test.each<[string, Reply, ChangeResult]>([
    ['changed', json(200, patronRow({ cardnumber: 'M-1' })), { kind: 'changed', cardnumber: 'M-1' }],
    [
      'changed, and hidden',
      json(200, { patron_id: null, cardnumber: null }),
      { kind: 'changed', cardnumber: null },
    ],
    ['found unchanged', raw(204, ''), { kind: 'changed', cardnumber: null }],
    ['gone', error(404, 'Patron not found'), { kind: 'gone' }],
    ['refused its new card', error(409, 'Duplicate ID', { conflict: 'cardnumber' }), { kind: 'card_taken' }],
    [
      'a superlibrarian',
      error(403, "Not enough privileges to change a superlibrarian's email"),
      { kind: 'refused', what: 'permission', name: 'superlibrarian' },
    ],
    [
      'refused its category',
      error(400, 'Given category_id does not exist'),
      { kind: 'refused', what: 'category', name: 'PT' },
    ],
    [
      'at a branch we may not act for',
      error(403, 'Unauthorized attempt to set library to MAIN', { required_permissions: null }),
      { kind: 'refused', what: 'branch', name: 'MAIN' },
    ],
  ])('recognizes a patron that is %s', async (_what, reply, expected) => {
    expect(await change(reply)).toEqual(expected);
    expect(JSON.parse(koha.calls()[0]?.body ?? '')).toEqual(body);
  });

  test.each<[string, Reply]>([
    ['a page of some proxy', raw(200, '<html>Please wait</html>')],
    ['cut off', raw(200, '{"patron_id":')],
  ])('is not taken for done when the answer is %s', async (_what, reply) => {
    await expect(change(reply)).rejects.toMatchObject({ code: 'bad_answer', effect: 'unknown' });
  });

  test('that lacks the whole permission names it', async () => {
    const refusal = { error: 'Authorization failure.', required_permissions: { borrowers: '1' } };
    await expect(change(json(403, refusal))).rejects.toMatchObject({
      code: 'permission',
      permission: 'borrowers: 1',
    });
  });
});

describe('checking out an item', () => {
  const wish = { patronId: 812, barcode: '39999000012345' };
  const ROUTE = 'POST /api/v1/checkouts';
  const checkOut = async (reply: Reply): Promise<CheckoutResult> => {
    koha = await startTinyKoha({ [ROUTE]: reply });
    return koha.client().checkOut(wish, { branch: 'MAIN' });
  };

  test('is one call with the barcode, as the branch', async () => {
    expect(await checkOut(json(201, { checkout_id: 5 }))).toEqual({ kind: 'checked_out', checkoutId: 5 });
    expect(koha.calls()).toHaveLength(1);
    expect(koha.calls()[0]?.headers['x-koha-library']).toBe('MAIN');
    expect(JSON.parse(koha.calls()[0]?.body ?? '')).toEqual({ patron_id: 812, external_id: wish.barcode });
  });

  test('names the item by Koha’s number where that is known, and passes the confirmation on', async () => {
    koha = await startTinyKoha({ [ROUTE]: json(201, { checkout_id: 5 }) });
    await koha.client().checkOut({ ...wish, itemId: 3, confirmation: 'a.b+c' }, { branch: 'MAIN' });
    expect(koha.calls()[0]?.query.get('confirmation')).toBe('a.b+c');
    expect(JSON.parse(koha.calls()[0]?.body ?? '')).toEqual({ patron_id: 812, item_id: 3 });
  });

  test.each<[string, Reply, CheckoutResult]>([
    [
      'blocked, without the data that names others',
      error(403, 'Checkout not authorized (DEBT resborrowernumber EXPIRED max_loans_allowed DEBT)'),
      { kind: 'blocked', keys: ['DEBT', 'EXPIRED'] },
    ],
    ['to be confirmed', error(412, 'Confirmation error'), { kind: 'needs_confirmation' }],
    [
      'of an unknown item',
      error(409, 'Item not found', { error_code: 'ITEM_NOT_FOUND' }),
      { kind: 'item_not_found' },
    ],
    [
      'to an unknown patron',
      error(409, 'Patron not found', { error_code: 'PATRON_NOT_FOUND' }),
      { kind: 'patron_not_found' },
    ],
    [
      'known from Location only',
      raw(201, '', { location: '/api/v1/checkouts/6' }),
      { kind: 'checked_out', checkoutId: 6 },
    ],
  ])('recognizes a checkout that is %s', async (_what, reply, expected) => {
    expect(await checkOut(reply)).toEqual(expected);
  });

  test('without the permission to check out is no blocker', async () => {
    const reply = error(403, 'Authorization failure.', {
      required_permissions: { circulate: 'circulate_remaining_permissions' },
    });
    await expect(checkOut(reply)).rejects.toMatchObject({
      code: 'permission',
      permission: 'circulate: circulate_remaining_permissions',
    });
  });

  test('as a branch we may not act for names the branch', async () => {
    const reply = error(403, 'Unauthorized attempt to set library to MAIN', { required_permissions: null });
    await expect(checkOut(reply)).rejects.toMatchObject({ code: 'permission', branch: 'MAIN' });
  });
});

test('availability gives upper-case reasons and the token, and none of Koha’s data about others', async () => {
  koha = await startTinyKoha({
    'GET /api/v1/checkouts/availability': json(200, {
      blockers: {},
      confirms: { ISSUED_TO_ANOTHER: 1, issued_surname: 'planted', issued_cardnumber: 'planted', DEBT: 3 },
      warnings: { RETURNED_FROM_ANOTHER: { patron: { password: 'planted' } } },
      confirmation_token: 'a.b.c',
    }),
  });
  const answer = await koha.client().availability(812, 3, { branch: 'MAIN' });
  expect(answer).toEqual({ blockers: [], confirms: ['DEBT', 'ISSUED_TO_ANOTHER'], token: 'a.b.c' });
  expect(Object.fromEntries(koha.calls()[0]?.query ?? [])).toEqual({ patron_id: '812', item_id: '3' });
});

test('an outcome is reported under its event’s id', async () => {
  koha = await startTinyKoha({
    'PUT /api/v1/contrib/passport/scans/msg_1%2Fx/outcome': raw(204, ''),
  });
  await koha.client().reportOutcome('msg_1/x', { seq: 3 });
  expect(koha.calls()[0]?.body).toBe('{"seq":3}');
});

describe('a write of several requests', () => {
  const row = { patronId: 812, homeKey: 'midland:2' };
  const restriction = { patronId: 812, kind: 'home', library: 'midland' } as const;

  test.each<[string, string, Reply, (client: OpenKohaClient) => Promise<unknown>]>([
    [
      'a row that somebody else has stored',
      '/contrib/passport/copies/812',
      json(409, { error: 'x', error_code: 'other_version' }),
      (client) => storeRemembered(client, row, (fields) => fields, null),
    ],
    [
      'a restriction with codes that the plugin does not know',
      '/contrib/passport/restrictions/home/midland/812',
      misfit('/body/codes'),
      (client) => client.setRestriction(restriction, null, { codes: ['MANUAL'] }),
    ],
  ])('was sent where Koha had read the first: %s', async (_what, path, reply, write) => {
    koha = await startTinyKoha({
      [`PUT /api/v1${path}`]: (response, seen) => {
        response.setHeader('connection', 'close');
        koha.refuse();
        reply(response, seen);
      },
    });
    await expect(write(koha.client())).rejects.toMatchObject({ code: 'unreachable', wasSent: true });
  });
});
