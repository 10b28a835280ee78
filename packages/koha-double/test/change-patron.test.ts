import { describe, expect, test } from '@jest/globals';
import { rowOf, type Row } from './support/rows.ts';
import { withKoha, type Reply, type TestKoha } from './support/with-koha.ts';

const echo = { surname: 'Kovač', library_id: 'MAIN', category_id: 'PT' };
const attribute = (type: string, value: string): Row => ({ type, value });

function seedOne(koha: TestKoha, change: Row = {}): number {
  return koha.putPatron('111', { ...echo, firstname: 'Ana', email: 'a@post.example', ...change }).patron_id;
}

const put = (koha: TestKoha, id: number, change: Row = {}): Promise<Reply> =>
  koha.request('PUT', `/api/v1/patrons/${id}`, { body: { ...echo, ...change } });

describe('PUT /patrons/{patron_id}', () => {
  test('writes the keys that are there and leaves the others', () =>
    withKoha({}, async (koha) => {
      const id = seedOne(koha);
      expect(await put(koha, id, { cardnumber: '222' })).toMatchObject({ status: 200 });
      expect(koha.state('222').patrons[0]).toMatchObject({ firstname: 'Ana', email: 'a@post.example' });
      expect(koha.state('111').patrons).toEqual([]);
    }));

  test('replaces the whole attribute set when it is named, and does not touch it otherwise', () =>
    withKoha({}, async (koha) => {
      const id = seedOne(koha, {
        extended_attributes: [attribute('PASSPORTED', 'a'), attribute('INTEREST', 'b')],
      });
      await put(koha, id, { firstname: 'Bo' });
      expect(koha.state('111').patrons[0]?.extended_attributes).toHaveLength(2);
      await put(koha, id, { extended_attributes: [attribute('INTEREST', 'c')] });
      expect(koha.state('111').patrons[0]?.extended_attributes).toMatchObject([attribute('INTEREST', 'c')]);
    }));

  test.each<[string, Row, number, Row]>([
    ['a card of somebody else', { cardnumber: '333' }, 409, { conflict: 'cardnumber' }],
    ['a login name of somebody else', { userid: 'other' }, 400, { error: 'Problem with other' }],
    ['an unknown category', { category_id: 'NOPE' }, 400, { error: 'Given category_id does not exist' }],
    ['an unknown library', { library_id: 'NOPE' }, 400, { error: 'Given library_id does not exist' }],
    [
      'an unknown attribute type',
      { extended_attributes: [attribute('X', '1')] },
      400,
      { error_code: 'invalid_attribute_type' },
    ],
    ['text too long', { cardnumber: 'x'.repeat(33) }, 500, { error_code: 'internal_server_error' }],
  ])('refuses %s and changes nothing', (_what, change, status, body) =>
    withKoha({ settings: { strict_sql_modes: true } }, async (koha) => {
      const id = seedOne(koha);
      koha.putPatron('333', { surname: 'Y', userid: 'other' });
      const before = koha.state('111').patrons[0];
      expect(await put(koha, id, { firstname: 'Changed', ...change })).toMatchObject({ status, body });
      expect(koha.state('111').patrons[0]).toEqual(before);
    }),
  );

  test('its own unique attribute is not in its own way', () =>
    withKoha({}, async (koha) => {
      const id = seedOne(koha, { extended_attributes: [attribute('PASSPORTED_ID', 'm:1')] });
      const reply = await put(koha, id, { extended_attributes: [attribute('PASSPORTED_ID', 'm:1')] });
      expect(reply.status).toBe(200);
    }));

  test('nobody there is 404', () =>
    withKoha({}, async (koha) => {
      expect(await put(koha, 99)).toMatchObject({ status: 404, body: { error: 'Patron not found' } });
    }));

  test('the three required fields are demanded', () =>
    withKoha({}, async (koha) => {
      const id = seedOne(koha);
      const reply = await koha.request('PUT', `/api/v1/patrons/${id}`, { body: { cardnumber: '5' } });
      expect(rowOf(reply)['errors']).toHaveLength(3);
    }));

  test("a superlibrarian's e-mail is out of reach", () =>
    withKoha({}, async (koha) => {
      const id = seedOne(koha, { permissions: ['superlibrarian'] });
      // not even its case can change
      expect(await put(koha, id, { email: 'A@post.example' })).toMatchObject({ status: 403 });
      expect(await put(koha, id, { email: 'a@post.example' })).toMatchObject({ status: 200 });
    }));

  test('T-24 the last write wins: there is no version to check', () =>
    withKoha({}, async (koha) => {
      const id = seedOne(koha);
      const replies = await Promise.all([put(koha, id, { city: 'A' }), put(koha, id, { state: 'B' })]);
      expect(replies.map((reply) => reply.status)).toEqual([200, 200]);
      expect(koha.state('111').patrons[0]).toMatchObject({ city: 'A', state: 'B' });
    }));
});

describe('/patrons/{patron_id}/extended_attributes', () => {
  const at = (id: number, suffix = ''): string => `/api/v1/patrons/${id}/extended_attributes${suffix}`;

  test('adds, changes and removes', () =>
    withKoha({}, async (koha) => {
      const id = seedOne(koha);
      const added = await koha.request('POST', at(id), { body: attribute('INTEREST', 'maps') });
      expect(added).toMatchObject({ status: 201, body: attribute('INTEREST', 'maps') });
      const location = added.headers.get('location') ?? '';
      expect(await koha.request('PATCH', location, { body: { value: 'globes' } })).toMatchObject({
        status: 200,
      });
      expect(koha.state('111').patrons[0]?.extended_attributes).toMatchObject([
        attribute('INTEREST', 'globes'),
      ]);
      expect(await koha.request('DELETE', location)).toMatchObject({ status: 204 });
      expect(koha.state('111').patrons[0]?.extended_attributes).toEqual([]);
    }));

  test.each<[string, number, Row]>([
    ['an unknown type', 400, attribute('X', '1')],
    ['a second value of a single type', 409, attribute('PASSPORTED', 'b')],
    ['a value taken elsewhere', 409, attribute('PASSPORTED_ID', 'm:1')],
  ])('POST answers %s with %i, and without a code', (_what, status, body) =>
    withKoha({}, async (koha) => {
      const id = seedOne(koha, { extended_attributes: [attribute('PASSPORTED', 'a')] });
      koha.putPatron('9', { extended_attributes: [attribute('PASSPORTED_ID', 'm:1')] });
      const reply = await koha.request('POST', at(id), { body });
      expect(reply.status).toBe(status);
      expect(Object.keys(rowOf(reply))).toEqual(['error']);
    }),
  );

  test.each([
    ['PASSPORTED', '__no_such_type__'],
    ['WANTED', 'WANTED'],
  ])('the probe with %s names %s and changes nothing', (wanted, named) =>
    withKoha({}, async (koha) => {
      const id = seedOne(koha, { extended_attributes: [attribute('INTEREST', 'a')] });
      const body = [attribute(wanted, 'x'), attribute('__no_such_type__', 'x')];
      expect(await koha.request('PUT', at(id), { body })).toMatchObject({
        status: 400,
        body: { error: `Tried to use an invalid attribute type. type=${named}` },
      });
      expect(koha.state('111').patrons[0]?.extended_attributes).toHaveLength(1);
    }),
  );

  test('PUT replaces all, and wants what is mandatory', () =>
    withKoha({}, async (koha) => {
      const id = seedOne(koha, { extended_attributes: [attribute('INTEREST', 'a')] });
      const reply = await koha.request('PUT', at(id), { body: [attribute('PASSPORTED', 'b')] });
      expect(reply).toMatchObject({ status: 200, body: [attribute('PASSPORTED', 'b')] });
      koha.putSettings({ attribute_types: [{ code: 'CONSENT', mandatory: true }] });
      expect(await koha.request('PUT', at(id), { body: [] })).toMatchObject({ status: 400 });
    }));

  test('what is not there is 404', () =>
    withKoha({}, async (koha) => {
      const id = seedOne(koha);
      const body = { value: 'x' };
      expect(await koha.request('PUT', at(99), { body: [] })).toMatchObject({
        status: 404,
        body: { error: 'Patron not found' },
      });
      expect(await koha.request('PATCH', at(id, '/99'), { body })).toMatchObject({
        status: 404,
        body: { error: 'Attribute not found', error_code: 'not_found' },
      });
    }));
});
