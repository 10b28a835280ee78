import { describe, expect, test } from '@jest/globals';
import { testedReleases, type Release } from '../src/index.ts';
import { idOf, patronBody, rowOf, type Row } from './support/rows.ts';
import { withKoha, type Reply, type TestKoha } from './support/with-koha.ts';

const path = '/api/v1/patrons';
const create = (koha: TestKoha, change: Row = {}, headers: Record<string, string> = {}): Promise<Reply> =>
  koha.request('POST', path, { body: patronBody(change), headers });
const put = (koha: TestKoha, id: number, change: Row = {}): Promise<Reply> =>
  koha.request('PUT', `${path}/${id}`, {
    body: { surname: 'Kovač', library_id: 'MAIN', category_id: 'PT', ...change },
  });
const attribute = (type: string, value: string): Row => ({ type, value });
const interests = (...values: string[]): Row[] => values.map((value) => attribute('INTEREST', value));

// The database of Koha's default configuration, `strict_sql_modes` 0.
describe('text that is too long for its column', () => {
  test.each<[string, Row, Row]>([
    ['a card', { cardnumber: 'x'.repeat(33) }, { cardnumber: 'x'.repeat(32) }],
    ['a login', { userid: 'u'.repeat(76) }, { userid: 'u'.repeat(75) }],
    [
      'a generated login',
      { firstname: 'f'.repeat(40), surname: 's'.repeat(40) },
      { userid: `${'f'.repeat(40)}.${'s'.repeat(34)}` },
    ],
    ['text counted in bytes', { postal_code: 'é'.repeat(128) }, { postal_code: 'é'.repeat(127) }],
  ])('%s is cut without a word', (_what, change, stored) =>
    withKoha({}, async (koha) => {
      expect(await create(koha, change)).toMatchObject({ status: 201, body: stored });
    }),
  );

  test('an attribute, too', () =>
    withKoha({}, async (koha) => {
      await create(koha, { extended_attributes: interests('v'.repeat(256)) });
      const [row] = koha.state('21234000000017').patrons;
      expect(row?.extended_attributes).toMatchObject(interests('v'.repeat(255)));
    }));

  test('a cut card can be one that is taken', () =>
    withKoha({}, async (koha) => {
      koha.putPatron('x'.repeat(32), {});
      expect(await create(koha, { cardnumber: 'x'.repeat(33) })).toMatchObject({ status: 409 });
    }));
});

// Koha/Patron.pm: store, has_valid_userid, generate_userid.
describe('cards and logins', () => {
  test('an empty card is stored as it is, so that the second is a conflict', () =>
    withKoha({}, async (koha) => {
      expect(await create(koha, { cardnumber: '' })).toMatchObject({ status: 201, body: { cardnumber: '' } });
      expect(await create(koha, { cardnumber: '', firstname: 'Bo' })).toMatchObject({
        status: 409,
        body: { conflict: 'cardnumber' },
      });
    }));

  // Koha/Patron.pm, store, calls patron_barcode_transform of all plugins with each card, on every save.
  test('another plugin rewrites a card before it is stored: what is answered is not what was sent', () =>
    withKoha({ settings: { card_prefix: 'R-' } }, async (koha) => {
      const made = await create(koha, { cardnumber: '17' });
      expect(made).toMatchObject({ status: 201, body: { cardnumber: 'R-17' } });
      expect(await create(koha, { cardnumber: 'R-17', firstname: 'Bo' })).toMatchObject({ status: 409 });
      expect(await put(koha, idOf(made), { cardnumber: '18' })).toMatchObject({
        status: 200,
        body: { cardnumber: 'R-18' },
      });
      koha.putSettings({ card_prefix: 'S' });
      expect(await put(koha, idOf(made))).toMatchObject({ status: 200, body: { cardnumber: 'SR-18' } });
      const found = await koha.request('GET', path, { query: { q: '{"cardnumber":"18"}' } });
      expect(found.body).toEqual([]);
    }));

  test('whoever has no name is numbered', () =>
    withKoha({}, async (koha) => {
      const nameless = { surname: null, firstname: null };
      const logins = [];
      for (const cardnumber of ['1', '2']) {
        logins.push(rowOf(await create(koha, { ...nameless, cardnumber }))['userid']);
      }
      expect(logins).toEqual(['1', '2']);
    }));

  test('a change that takes the login away makes a new one', () =>
    withKoha({}, async (koha) => {
      const id = idOf(await create(koha));
      koha.putPatron('21234000000017', { userid: 'chosen' });
      expect(await put(koha, id, { userid: null })).toMatchObject({
        status: 200,
        body: { userid: 'ana.kovac' },
      });
    }));
});

// Koha/Patron.pm, update_lastseen: only where the library tracks it.
test.each([
  ['', null],
  ['creation,login', expect.stringMatching(/^\d{4}-/)],
])('with the tracked activities "%s" a new patron was last seen %s', (triggers, seen) =>
  withKoha({ settings: { TrackLastPatronActivityTriggers: triggers } }, async (koha) => {
    expect(rowOf(await create(koha))['last_seen']).toEqual(seen);
  }),
);

// Koha/Patron.pm, is_debarred.
test('a restriction ends with the midnight before the day it names', async () => {
  const now = (): number => Date.parse('2026-11-25T10:00:00Z');
  await withKoha({ now }, async (koha) => {
    koha.putPatron('1', { debarred: '2026-11-25' });
    koha.putPatron('2', { debarred: '2026-11-26' });
    koha.putPatron('3', { debarred: '9999-12-31' });
    const restricted = ['1', '2', '3'].map((card) => koha.state(card).patrons[0]?.restricted);
    expect(restricted).toEqual([false, true, true]);
  });
});

// Koha/Patrons.pm, check_for_existing_matches.
describe('a possible duplicate on 25.11', () => {
  const ana = { surname: 'Kovač', firstname: 'Ana', date_of_birth: '1985-03-04' };
  test.each<[string, Row, Row, number]>([
    ['the same person', ana, {}, 409],
    ['a namesake of another day', { ...ana, date_of_birth: '1990-01-01' }, {}, 201],
    [
      'a namesake without first name and birth date',
      { surname: 'Kovač', firstname: '', date_of_birth: null },
      {},
      409,
    ],
    [
      'a record that is blank in all of these fields',
      { surname: '', firstname: null, date_of_birth: null },
      {},
      409,
    ],
    [
      'a record that has nothing in any of these fields',
      { surname: null, firstname: null, date_of_birth: null },
      {},
      409,
    ],
    [
      'a namesake, when no birth date is sent',
      { ...ana, date_of_birth: '1990-01-01' },
      { date_of_birth: null },
      409,
    ],
    ['anybody, when no field is sent', ana, { surname: '', firstname: '', date_of_birth: null }, 201],
  ])('%s', (_what, existing, change, status) =>
    withKoha({ release: '25.11' }, async (koha) => {
      koha.putPatron('LOCAL', existing);
      expect((await create(koha, change)).status).toBe(status);
    }),
  );
});

// Koha/REST/V1/Patrons.pm, update.
describe('PUT with attributes', () => {
  test.each(testedReleases)('on %s', (release) =>
    withKoha({ release }, async (koha) => {
      const id = idOf(await create(koha));
      const reply = await put(koha, id, { extended_attributes: interests('maps') });
      expect(reply.status).toBe(release === '23.11' ? 500 : 200);
      expect(koha.state('21234000000017').patrons[0]?.extended_attributes).toHaveLength(
        release === '23.11' ? 0 : 1,
      );
    }),
  );

  test.each<[Release, boolean]>([
    ['24.05', false],
    ['24.11', false],
    ['25.05', true],
    ['26.05', true],
  ])('%s keeps the numbers of types that stay as they are: %s', (release, keeps) =>
    withKoha({ release }, async (koha) => {
      const before = koha.putPatron('1', {
        extended_attributes: [...interests('b', 'a'), attribute('PASSPORTED', 'x')],
      });
      const change = [attribute('PASSPORTED', 'y'), ...interests('a', 'b')];
      await put(koha, before.patron_id, { extended_attributes: change });
      const ids = (rows: readonly { type: string; extended_attribute_id: number }[] = []): number[] =>
        rows.filter(({ type }) => type === 'INTEREST').map((row) => row.extended_attribute_id);
      const after = koha.state('1').patrons[0]?.extended_attributes;
      expect(ids(after).every((id) => ids(before.extended_attributes).includes(id))).toBe(keeps);
    }),
  );

  test.each<[Release, string]>([
    ['24.11', 'attribute_not_unique'],
    ['25.05', 'invalid_attribute_type'],
  ])('%s names of two faults %s', (release, error_code) =>
    withKoha({ release }, async (koha) => {
      koha.putPatron('1', { extended_attributes: [attribute('PASSPORTED_ID', 'm:1')] });
      const both = [attribute('PASSPORTED_ID', 'm:1'), attribute('NONE', 'x')];
      expect(await create(koha, { extended_attributes: both })).toMatchObject({
        status: 400,
        body: { error_code },
      });
    }),
  );

  test('mandatory types are those of the category before the change', () =>
    withKoha({}, async (koha) => {
      koha.putSettings({
        attribute_types: [
          { code: 'FOR_AD', mandatory: true, category_id: 'AD' },
          { code: 'FOR_PT', mandatory: true, category_id: 'PT' },
        ],
      });
      const { patron_id } = koha.putPatron('1', { category_id: 'AD' });
      const change = (code: string): Promise<Reply> =>
        put(koha, patron_id, { category_id: 'PT', extended_attributes: [attribute(code, 'x')] });
      expect(await change('FOR_PT')).toMatchObject({
        status: 400,
        body: { error_code: 'missing_mandatory_attribute' },
      });
      expect(await change('FOR_AD')).toMatchObject({ status: 200, body: { category_id: 'PT' } });
    }));

  test('attributes are looked at before the category, the login and the card', () =>
    withKoha({}, async (koha) => {
      koha.putPatron('2', { userid: 'taken' });
      const { patron_id } = koha.putPatron('1', {});
      const change = {
        category_id: 'NOPE',
        userid: 'taken',
        cardnumber: '2',
        extended_attributes: [attribute('NONE', 'x')],
      };
      expect(await put(koha, patron_id, change)).toMatchObject({
        body: { error_code: 'invalid_attribute_type' },
      });
    }));
});

test('a time without an offset is an invalid parameter of a change, and of a create one that does not exist', () =>
  withKoha({ acceptsUnfit: true }, async (koha) => {
    const updated_on = '2026-01-01T00:00:00';
    expect(await create(koha, { updated_on })).toMatchObject({
      status: 400,
      body: { error: 'Given  does not exist' },
    });
    expect(await put(koha, 1, { updated_on })).toMatchObject({
      status: 400,
      body: { error: 'Invalid parameter(s)', parameters: 'updated_on' },
    });
  }));

// Run through Koha's own description in Mojolicious::Plugin::OpenAPI.
describe('what a body may hold', () => {
  test.each(['😀 Ana', '𠮷野家', 'שָׁלוֹם', 'Ko\u0301va\u0301c\u030c'])(
    '%s comes back as it was sent',
    (firstname) =>
      withKoha({}, async (koha) => {
        expect(await create(koha, { firstname })).toMatchObject({ status: 201, body: { firstname } });
      }),
  );

  test.each<[Row, string]>([
    [{ lang: null }, '/body/lang'],
    [{ date_of_birth: '' }, '/body/date_of_birth'],
    [{ surname: '\ud800' }, '/body'],
  ])('%j is refused at %s', (change, where) =>
    withKoha({}, async (koha) => {
      expect(await create(koha, change)).toMatchObject({ status: 400, body: { errors: [{ path: where }] } });
    }),
  );

  test('the code of an attribute matches in any case, and a value that is taken is taken in any', () =>
    withKoha({}, async (koha) => {
      const created = await create(koha, { extended_attributes: [attribute('passported_id', 'm:1')] });
      expect(created.status).toBe(201);
      const again = {
        cardnumber: '2',
        firstname: 'Bo',
        extended_attributes: [attribute('PASSPORTED_ID', 'M:1')],
      };
      expect(await create(koha, again)).toMatchObject({
        status: 400,
        body: { error_code: 'attribute_not_unique' },
      });
    }));
});

// Koha/REST/V1/Patrons.pm, add; the override is in the description from 26.05 on.
describe('the mail to the library about a new patron', () => {
  const undescribed = ['POST /patrons accepted: x-koha-override: a value that is not in the list'];
  test.each<[Release, string, number]>([
    ['25.11', 'welcome_no', 0],
    ['26.05', 'welcome_no', 1],
    ['26.05', 'welcome_no,opac_reg_no', 0],
  ])('on %s with %s: %i', (release, overrides, mails) =>
    withKoha(
      { release, undescribed, settings: { EmailPatronRegistrations: 'BranchEmailAddress' } },
      async (koha) => {
        expect(await create(koha, {}, { 'x-koha-override': overrides })).toMatchObject({ status: 201 });
        expect(koha.state().mails).toBe(mails);
      },
    ),
  );
});

test('a balance can be negative', () =>
  withKoha({}, async (koha) => {
    koha.putPatron('1', { account_balance: -12.5 });
    const headers = { 'x-koha-embed': 'account_balance' };
    const reply = await koha.request('GET', path, { query: { q: '{"cardnumber":"1"}' }, headers });
    expect(reply.body).toMatchObject([{ account_balance: -12.5 }]);
  }));

// Koha/REST/V1/Auth.pm: `Koha::ApiKeys->find(...)->patron_id`.
test('a token whose key was deleted is a 501 until it ends, then a 401', async () => {
  let now = Date.parse('2026-11-25T10:00:00Z');
  // The validator's own answer is in no description.
  const undescribed = ['GET /patrons: status 501: not described'];
  await withKoha({ now: () => now, undescribed }, async (koha) => {
    await koha.token();
    koha.putPatron('PASSPORT-SERVICE', { api_keys: [] });
    const errors = [{ message: 'No response rule for "500".' }];
    expect(await koha.request('GET', path)).toMatchObject({ status: 501, body: { errors, status: 501 } });
    now += 3_601_000;
    expect(await koha.request('GET', path)).toMatchObject({ status: 401 });
  });
});

// Koha/Patron.pm: libraries_where_can_see_things, can_see_things_from, unredact_list.
describe('patrons of another branch', () => {
  const without = ['borrowers:edit_borrowers', 'borrowers:list_borrowers'];
  const withSight = [...without, 'borrowers:view_borrower_infos_from_any_libraries'];

  test.each<[string, Row, Release, boolean, boolean]>([
    ['by default, without the permission', { permissions: without }, '25.05', false, false],
    ['with the permission', { permissions: withSight }, '25.05', true, true],
    [
      'in a group that hides, with the permission',
      { permissions: withSight, groups_hide_patrons: true },
      '25.05',
      true,
      true,
    ],
    [
      'under IndependentBranches, without it',
      { permissions: without, IndependentBranches: '1' },
      '25.05',
      false,
      false,
    ],
    [
      'under IndependentBranches with it',
      { permissions: withSight, IndependentBranches: '1' },
      '25.05',
      false,
      true,
    ],
    [
      'under IndependentBranches as superlibrarian',
      { permissions: ['superlibrarian'], IndependentBranches: '1' },
      '25.05',
      true,
      true,
    ],
    [
      'in groups that hide nothing',
      { permissions: without, groups_hide_patrons: false },
      '25.05',
      false,
      false,
    ],
    [
      'in groups that hide nothing, newest',
      { permissions: without, groups_hide_patrons: false },
      '26.05',
      true,
      true,
    ],
    [
      'in a group that hides, newest',
      { permissions: without, groups_hide_patrons: true },
      '26.05',
      false,
      false,
    ],
  ])('%s: found or not, shown or not', (_what, settings, release, isFound, isShown) =>
    withKoha({ release, settings }, async (koha) => {
      const { patron_id } = koha.putPatron('N1', { surname: 'Abe', library_id: 'NORTH', restricted: true });
      const list = await koha.request('GET', path, { query: { q: '{"cardnumber":"N1"}' } });
      expect(list.headers.get('x-total-count')).toBe(isFound ? '1' : '0');
      expect(list.body).toHaveLength(isFound ? 1 : 0);
      expect((await koha.request('GET', `${path}/${patron_id}`)).status).toBe(isFound ? 200 : 404);
      const made = await create(koha, { library_id: 'NORTH' });
      expect(made).toMatchObject({
        status: 201,
        body: { library_id: 'NORTH', surname: isShown ? 'Kovač' : null, restricted: false },
      });
      expect(idOf(made)).toBe(patron_id + 1);
    }),
  );
});
