import { afterEach, describe, expect, test } from '@jest/globals';
import { CLIENT_SECRET, json, startTinyKoha, type TinyKoha } from './tiny-koha.ts';

let koha: TinyKoha;
afterEach(() => koha.close());

test('branches come by code, without Koha’s free text', async () => {
  koha = await startTinyKoha({
    'GET /api/v1/libraries': json(200, [{ library_id: 'MAIN', name: 'Main Library', email: 'x' }]),
  });
  expect(await koha.client().branches()).toEqual([{ branch: 'MAIN' }]);
});

test('categories come with what matters to a copy', async () => {
  koha = await startTinyKoha({
    'GET /api/v1/patron_categories': json(200, [
      {
        patron_category_id: 'PT',
        name: 'Partner',
        category_type: 'A',
        enrolment_fee: 5,
        can_be_guarantee: false,
      },
      { patron_category_id: 'X', name: null, category_type: 'X', enrolment_fee: null },
    ]),
  });
  expect(await koha.client().categories()).toEqual([
    { category: 'PT', type: 'A', enrolmentFee: 5, canBeGuarantee: false },
    { category: 'X', type: 'X', enrolmentFee: null, canBeGuarantee: null },
  ]);
});

describe('the probe for an attribute type', () => {
  const ROUTE = 'PUT /api/v1/patrons/5/extended_attributes';

  test.each([
    ['PASSPORTED', false],
    ['__no_such_type__', true],
  ])('reads from the refusal of %s whether the type exists: %s', async (refusedType, exists) => {
    koha = await startTinyKoha({
      [ROUTE]: (response, seen) => {
        const types = (JSON.parse(seen.body) as { type: string }[]).map(({ type }) => type);
        const named = types.find((type) => type.startsWith(refusedType));
        json(400, { error: `Tried to use an invalid attribute type. type=${named}` })(response, seen);
      },
    });
    expect(await koha.client().probeAttributeTypeByRefusal(5, 'PASSPORTED')).toBe(exists);
  });

  test('always names a type that no Koha can have', async () => {
    koha = await startTinyKoha({ [ROUTE]: json(400, { error: 'other' }) });
    expect(await koha.client().probeAttributeTypeByRefusal(5, 'PASSPORTED')).toBeNull();
    const sent = JSON.parse(koha.calls()[0]?.body ?? '[]') as { type: string }[];
    expect(sent.map(({ type }) => type.length > 64)).toEqual([false, true]);
  });
});

describe('how far the API user sees', () => {
  const ROUTE = 'GET /api/v1/patrons';
  const patron = (id: number, branch: string) => ({ patron_id: id, library_id: branch, surname: 'planted' });

  test('follows from one patron, its branch, the total, and whether there are others elsewhere', async () => {
    koha = await startTinyKoha({
      [ROUTE]: [
        json(200, [patron(51, 'MAIN')], { 'x-total-count': '812' }),
        json(200, [patron(51, 'MAIN')], { 'x-total-count': '811' }),
      ],
    });
    const seen = await koha.client().visiblePatrons();
    expect(seen).toEqual({ patronId: 51, branch: 'MAIN', total: 812, elsewhere: true });
    const [first, second] = koha.calls().map(({ query }) => query);
    expect(first?.get('_per_page')).toBe('1');
    expect(first?.has('q')).toBe(false);
    expect(second?.get('q')).toBe('{"library_id":"MAIN"}');
  });

  test.each([
    ['as many in the whole as in that branch', '812'],
    ['no number', null],
  ])('is no farther than its branch where Koha counts %s', async (_what, own) => {
    const counted = (total: string | null) => (total === null ? {} : { 'x-total-count': total });
    koha = await startTinyKoha({
      [ROUTE]: [
        json(200, [patron(51, 'MAIN')], counted('812')),
        json(200, [patron(51, 'MAIN')], counted(own)),
      ],
    });
    expect(await koha.client().visiblePatrons()).toMatchObject({ branch: 'MAIN', elsewhere: false });
  });

  test('may be nobody', async () => {
    koha = await startTinyKoha({ [ROUTE]: json(200, []) });
    const seen = await koha.client().visiblePatrons();
    expect(seen).toEqual({ patronId: null, branch: null, total: null, elsewhere: false });
  });
});

test('for whom a rule is stored comes with * for all and what it says, without those who have other rules only', async () => {
  const context = { library_id: null, patron_category_id: 'PT', item_type_id: 'BK' };
  const everybody = { library_id: '*', patron_category_id: '*', item_type_id: '*' };
  koha = await startTinyKoha({
    'GET /api/v1/circulation_rules': json(200, [
      { context, maxissueqty: 5 },
      { context: everybody, maxissueqty: '' },
      { context: { ...everybody, library_id: 'MAIN' }, maxissueqty: null },
      { context: { ...everybody, library_id: 'NORTH' } },
    ]),
  });
  expect(await koha.client().storedRules('maxissueqty')).toEqual([
    { branch: '*', category: 'PT', itemType: 'BK', value: '5' },
    { branch: '*', category: '*', itemType: '*', value: '' },
  ]);
  expect(Object.fromEntries(koha.calls()[0]?.query ?? [])).toEqual({
    rules: 'maxissueqty',
    effective: '0',
  });
});

test.each([
  ['access_denied', true],
  ['unauthorized_client', false],
  ['something else', null],
])('whether Koha knows an API key is checked without its secret (%s: %s)', async (error, known) => {
  koha = await startTinyKoha({ 'POST /api/v1/oauth/token': json(403, { error }) });
  expect(await koha.client().knowsApiKey('another-library-key')).toBe(known);
  const [request] = koha.seen;
  expect(request?.body).toContain('client_id=another-library-key');
  expect(request?.body).not.toContain(CLIENT_SECRET);
});

test('the plugin describes its Koha', async () => {
  koha = await startTinyKoha({
    'GET /api/v1/contrib/passport/about': json(200, {
      version: '1.0.0',
      koha_version: '25.11.00.000',
      time: '2026-11-25T09:00:00Z',
      attribute_types: [{ code: 'PASSPORTED_ID', unique_id: 1 }],
      preferences: { AutoEmailNewUser: '0' },
      plack_workers: 2,
      more: true,
    }),
  });
  expect(await koha.client().about()).toEqual({
    version: '1.0.0',
    koha_version: '25.11.00.000',
    time: '2026-11-25T09:00:00Z',
    attribute_types: [{ code: 'PASSPORTED_ID' }],
    preferences: { AutoEmailNewUser: '0' },
    plack_workers: 2,
  });
});
