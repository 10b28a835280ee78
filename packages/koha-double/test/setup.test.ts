import { describe, expect, test } from '@jest/globals';
import { rowsOf } from './support/rows.ts';
import { withKoha, type Reply, type TestKoha } from './support/with-koha.ts';

describe('libraries', () => {
  test('are listed', () =>
    withKoha({}, async (koha) => {
      const codes = rowsOf(await koha.request('GET', '/api/v1/libraries')).map((row) => row['library_id']);
      expect(codes).toEqual(['MAIN', 'NORTH']);
    }));
});

describe('patron categories', () => {
  test('are listed from 24.05 on, those of the acting library only', async () => {
    await withKoha({ release: '23.11' }, async (koha) => {
      expect(await koha.request('GET', '/api/v1/patron_categories')).toMatchObject({ status: 404 });
    });
    await withKoha({}, async (koha) => {
      koha.putSettings({
        categories: [{ patron_category_id: 'PT' }, { patron_category_id: 'N', libraries: ['NORTH'] }],
      });
      const listed = async (branch: string): Promise<unknown[]> => {
        const headers = { 'x-koha-library': branch };
        const rows = rowsOf(await koha.request('GET', '/api/v1/patron_categories', { headers }));
        return rows.map((row) => row['patron_category_id']);
      };
      expect([await listed('MAIN'), await listed('NORTH')]).toEqual([['PT'], ['PT', 'N']]);
    });
  });

  test('an age limit does not fit the description, so the list is a 500', () =>
    withKoha({}, async (koha) => {
      koha.putSettings({ categories: [{ patron_category_id: 'PT', lower_age_limit: 18 }] });
      expect(await koha.request('GET', '/api/v1/patron_categories')).toMatchObject({
        status: 500,
        body: { errors: [{ path: '/body/0/lower_age_limit' }], status: 500 },
      });
    }));
});

describe('circulation rules', () => {
  const path = '/api/v1/circulation_rules';

  test('stored rows come with their context', () =>
    withKoha({}, async (koha) => {
      const query = { effective: 'false', rules: 'maxissueqty' };
      expect(rowsOf(await koha.request('GET', path, { query }))).toContainEqual({
        context: { library_id: '*', patron_category_id: 'PT', item_type_id: '*' },
        maxissueqty: '20',
      });
    }));

  test('whoever has any stored rule is listed, with null for a rule that is not stored there', () =>
    withKoha({}, async (koha) => {
      koha.putSettings({
        circulation_rules: [
          { rule: 'finedays', value: '2', library_id: 'MAIN' },
          { rule: 'maxissueqty', value: '9' },
        ],
      });
      const query = { effective: 'false', rules: 'maxissueqty' };
      const everybody = { library_id: '*', patron_category_id: '*', item_type_id: '*' };
      expect((await koha.request('GET', path, { query })).body).toEqual([
        { context: { ...everybody, library_id: 'MAIN' }, maxissueqty: null },
        { context: everybody, maxissueqty: '9' },
      ]);
    }));

  test('rules in force, and those of one scope, are refused: nobody requests them here', () =>
    withKoha({ undescribed: ['GET /circulation_rules: status 501: not described'] }, async (koha) => {
      for (const query of [{}, { effective: 'false', library_id: 'MAIN' }])
        expect(await koha.request('GET', path, { query })).toMatchObject({ status: 501 });
    }));

  test('23.11 has no such route', () =>
    withKoha({ release: '23.11' }, async (koha) => {
      expect(await koha.request('GET', path)).toMatchObject({ status: 404 });
    }));
});

// Koha/REST/V1/CirculationRules.pm of the 25.05 period.
test.each([
  ['24.11', 400, undefined],
  ['25.05', 200, null],
] as const)('a rule that Koha does not know is on %s a %i', (release, status, value) =>
  withKoha({ release }, async (koha) => {
    const query = { effective: 'false', rules: 'maxissueqty,no_such_rule' };
    const reply = await koha.request('GET', '/api/v1/circulation_rules', { query });
    expect(reply.status).toBe(status);
    if (value === null)
      expect(rowsOf(reply)).toContainEqual(
        expect.objectContaining({ maxissueqty: '20', no_such_rule: null }),
      );
  }),
);

describe('setting circulation rules', () => {
  const path = '/api/v1/circulation_rules';
  const context = { library_id: 'MAIN', patron_category_id: 'PT', item_type_id: 'BK' };
  const undescribed = [
    'PUT /circulation_rules: status 200: not described',
    'PUT /circulation_rules: status 400: not described',
    'PUT /circulation_rules: status 403: not described',
  ];
  const set = (koha: TestKoha, body: object): Promise<Reply> => koha.request('PUT', path, { body });

  test('stores each of exactly this scope, and null removes it', () =>
    withKoha({ release: '25.05', acceptsUnfit: true, undescribed }, async (koha) => {
      koha.putSettings({ circulation_rules: [{ rule: 'maxissueqty', value: '9' }] });
      const reply = await set(koha, { context, maxissueqty: '5', issuelength: 7 });
      expect(reply).toMatchObject({ status: 200, body: { context, maxissueqty: '5', issuelength: '7' } });
      const removed = await set(koha, { context, maxissueqty: null });
      expect(removed).toMatchObject({ status: 200, body: { context, maxissueqty: '5' } });
      expect(koha.settings().circulation_rules).toEqual([
        expect.objectContaining({ library_id: '*', rule: 'maxissueqty', value: '9' }),
        { ...context, rule: 'issuelength', value: '7' },
      ]);
    }));

  test('that are not stored cannot be removed: a 404 with an empty body, and the others are', () =>
    withKoha({ release: '25.05', acceptsUnfit: true, undescribed }, async (koha) => {
      await set(koha, { context, issuelength: '7' });
      const reply = await set(koha, { context, maxissueqty: null, issuelength: null });
      expect([reply.status, reply.body]).toEqual([404, undefined]);
      expect(koha.settings().circulation_rules).not.toContainEqual(expect.objectContaining(context));
    }));

  test.each(['library_id', 'patron_category_id', 'item_type_id'])('is refused for an unknown %s', (field) =>
    withKoha({ release: '26.05', acceptsUnfit: true, undescribed }, async (koha) => {
      expect(await set(koha, { context: { ...context, [field]: 'NONE' }, maxissueqty: '5' })).toMatchObject({
        status: 400,
        body: { error_code: 'invalid_parameter_value', path: `/body/context/${field}` },
      });
    }),
  );

  test('at another branch than the own one takes a permission of its own from 26.05 on', () =>
    withKoha({ release: '26.05', acceptsUnfit: true, undescribed }, async (koha) => {
      const north = { ...context, library_id: 'NORTH' };
      expect(await set(koha, { context: north, maxissueqty: '5' })).toMatchObject({
        status: 403,
        body: { error: expect.stringContaining('manage_circ_rules_from_any_libraries') },
      });
      koha.putPatron('PASSPORT-SERVICE', {
        permissions: [
          'circulate:circulate_remaining_permissions',
          'parameters:manage_circ_rules_from_any_libraries',
        ],
      });
      expect(await set(koha, { context: north, maxissueqty: '5' })).toMatchObject({ status: 200 });
    }));

  test('came with 25.05', () =>
    withKoha({ release: '24.11' }, async (koha) => {
      expect(await set(koha, { context })).toMatchObject({ status: 404 });
    }));
});
