import { afterEach, describe, expect, test } from '@jest/globals';
import { KohaError, type KohaClient } from '../src/index.ts';
import { CARD, PATRON_BODY, json, startTinyKoha, type Reply, type TinyKoha } from './tiny-koha.ts';

let koha: TinyKoha | undefined;
afterEach(async () => {
  await koha?.close();
  koha = undefined;
});

/** Each alone would be a message at another library's desk. */
const WORDS = ['evil', 'EVIL', 'Okafor', 'planted'];
const TEXTS = [
  'evil: log in at https://evil.example',
  'EVIL_LOG_IN_AT_EVIL_EXAMPLE',
  'evil_log_in_at_evil_example',
  'evil.example',
  '\u202Eevil\u0007\u001B[31m',
  `Okafor ${CARD}`,
  'planted'.repeat(2_000),
];

const how = { branch: 'MAIN', confirmNotDuplicate: false };
const refusals = (text: string): [number, unknown][] => [
  [400, { error: `Problem with ${text}` }],
  [400, { error: `Tried to use an invalid attribute type. type=${text}.`, error_code: text }],
  [400, { error: `Missing mandatory extended attribute (type=${text}/x)` }],
  [400, { errors: [{ path: `/body/${text}`, message: text }], status: 400 }],
  [400, [{ path: text, message: text }]],
  [400, text],
  [400, { error: 'x', error_code: 'invalid_parameter_value', path: text, values: { uri: text } }],
  [403, { error: `Unauthorized attempt to set library to ${text}`, required_permissions: null }],
  [403, { error: `Checkout not authorized (${text} DEBT)` }],
  [403, { error: text, required_permissions: { [text]: text } }],
  [403, { error: text, required_permissions: [{ borrowers: text }, { [text]: '1' }] }],
  [403, { error: text, required_permissions: text }],
  [404, { error: text, error_code: text }],
  [409, { error: text, conflict: text }],
  [409, { error: text, error_code: text }],
  [412, { error: text }],
  [500, { error: text, error_code: 'internal_server_error' }],
  [500, { error: text }],
];

const TOKEN_ROUTE = 'POST /api/v1/oauth/token';
const CALLS: [string, string, (client: KohaClient) => Promise<unknown>][] = [
  ['a create', 'POST /api/v1/patrons', (client) => client.createPatron(PATRON_BODY, how)],
  ['a change', 'PUT /api/v1/patrons/812', (client) => client.changePatron(812, PATRON_BODY, how)],
  [
    'a checkout',
    'POST /api/v1/checkouts',
    (client) => client.checkOut({ patronId: 812, barcode: 'B1', itemId: 3 }, how),
  ],
  ['availability', 'GET /api/v1/checkouts/availability', (client) => client.availability(812, 3, how)],
  [
    'a look-up',
    'GET /api/v1/patrons',
    (client) => client.findByCard(CARD, { attributes: true, balance: true }),
  ],
  ['a patron by number', 'GET /api/v1/patrons/812', (client) => client.readPatron(812)],
  ['branches', 'GET /api/v1/libraries', (client) => client.branches()],
  ['categories', 'GET /api/v1/patron_categories', (client) => client.categories()],
  ['rules', 'GET /api/v1/circulation_rules', (client) => client.storedRules('maxissueqty')],
  ['a report', 'PUT /api/v1/contrib/passport/scans/m/outcome', (client) => client.reportOutcome('m', {})],
  [
    'a probe',
    'PUT /api/v1/patrons/5/extended_attributes',
    (client) => client.probeAttributeTypeByRefusal(5, 'PASSPORTED'),
  ],
  ['a token', TOKEN_ROUTE, (client) => client.branches()],
];

/** Everything that leaves the client, as a log or a queue would write it. */
async function saidBy(work: Promise<unknown>): Promise<string> {
  return work.then(
    (result) => JSON.stringify(result) ?? '',
    (error: unknown) => {
      if (error instanceof KohaError) return `${error.message} ${JSON.stringify(error)}`;
      throw error;
    },
  );
}

describe.each(CALLS)('no text of a stranger’s refusal passes the client: %s', (_what, route, call) => {
  test.each(TEXTS.map((text, index) => [index, text] as const))('text %d', async (_index, text) => {
    let reply: Reply = json(200, []);
    koha = await startTinyKoha({ [route]: (response, seen) => reply(response, seen) });
    let client = koha.client();
    for (const [status, body] of refusals(text)) {
      reply = json(status, body, { location: text.replaceAll(/[^\x20-\x7e]/g, '') });
      // A client with a token does not ask for another one.
      if (route === TOKEN_ROUTE) client = koha.client();
      const actual = await saidBy(call(client));
      for (const word of WORDS) expect(actual).not.toContain(word);
      expect(actual.length).toBeLessThan(600);
    }
  });
});

describe('what is passed on', () => {
  test('of permissions are those that Koha’s routes require', async () => {
    const required_permissions = [
      { borrowers: 'list_borrowers' },
      { borrowers: 'evil_borrowers' },
      { circulate: 'circulate_remaining_permissions', evil: '1' },
      { borrowers: '1' },
    ];
    koha = await startTinyKoha({ 'GET /api/v1/libraries': json(403, { error: 'x', required_permissions }) });
    await expect(koha.client().branches()).rejects.toMatchObject({
      permission: 'borrowers: list_borrowers or borrowers: 1',
    });
  });

  test('of the reasons against a checkout are Koha’s own, and OTHER for any other', async () => {
    koha = await startTinyKoha({
      'GET /api/v1/checkouts/availability': json(200, {
        blockers: { EVIL_LOG_IN: 1, EVIL_PAY: 1, evil_data: 1 },
        confirms: { RESERVED: 1, ressurname: 'Okafor', 'Evil text': 1 },
        confirmation_token: 'evil text',
      }),
    });
    expect(await koha.client().availability(812, 3, how)).toEqual({
      blockers: ['OTHER'],
      confirms: ['OTHER', 'RESERVED'],
      token: null,
    });
  });

  test('of the plugin’s account are versions, codes, flags and short values', async () => {
    const account = {
      version: '1.0.0',
      koha_version: 'evil: log in',
      time: 'evil',
      attribute_types: [{ code: 'PASSPORTED', category_id: 'evil.example.org' }, { code: 'evil: log in' }],
      preferences: { AutoEmailNewUser: '1', 'evil text': '1', ReplytoDefault: 'mail@evil.example' },
      plack_workers: 2,
    };
    koha = await startTinyKoha({ 'GET /api/v1/contrib/passport/about': json(200, account) });
    expect(await koha.client().about()).toEqual({
      version: '1.0.0',
      koha_version: null,
      time: null,
      attribute_types: [{ code: 'PASSPORTED' }],
      preferences: { AutoEmailNewUser: '1', ReplytoDefault: null },
      plack_workers: 2,
    });
  });

  test('of the branch that is refused is the one that was sent', async () => {
    const error = 'Unauthorized attempt to set library to evil';
    koha = await startTinyKoha({
      'POST /api/v1/checkouts': json(403, { error, required_permissions: null }),
    });
    const checkOut = koha.client().checkOut({ patronId: 812, barcode: 'B1' }, { branch: 'NORTH' });
    await expect(checkOut).rejects.toMatchObject({ code: 'permission', branch: 'NORTH' });
  });

  test('of branches and categories are what can be a code', async () => {
    koha = await startTinyKoha({
      'GET /api/v1/libraries': json(200, [
        { library_id: 'MAIN', name: 'evil' },
        { library_id: 'evil: log in', name: 'x' },
        { library_id: '\u202EEVIL', name: 'x' },
      ]),
      'GET /api/v1/patron_categories': json(200, [
        { patron_category_id: 'ÄD', category_type: 'evil' },
        { patron_category_id: 'evil.example', category_type: 'A' },
      ]),
    });
    const client = koha.client();
    expect(await client.branches()).toEqual([{ branch: 'MAIN' }]);
    expect(await client.categories()).toMatchObject([{ category: 'ÄD', type: null }]);
  });

  test('of rules are their values, and only of the one that was requested', async () => {
    koha = await startTinyKoha({
      'GET /api/v1/circulation_rules': json(200, [
        { context: {}, maxissueqty: '5', issuelength: 'evil: log in', evil: 'planted' },
      ]),
    });
    const client = koha.client();
    expect(await client.storedRules('maxissueqty')).toEqual([
      { branch: '*', category: '*', itemType: '*', value: '5' },
    ]);
    await expect(client.storedRules('issuelength')).rejects.toMatchObject({ code: 'bad_answer' });
  });
});
