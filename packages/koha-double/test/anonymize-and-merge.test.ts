import { describe, expect, test } from '@jest/globals';
import { withKoha } from './support/with-koha.ts';

const visitor = {
  surname: 'Kovač',
  firstname: 'Ana',
  email: 'ana@post.example',
  address: '1 Harbour Row',
  date_of_birth: '1980-01-02',
  date_enrolled: '2025-01-01',
  category_id: 'PT',
  debarred: '9999-12-31',
  extended_attributes: [{ type: 'PASSPORTED_ID', value: 'home:1' }],
};

// Koha/Patron.pm, sub anonymize.
describe('anonymising a patron', () => {
  test('empties what is personal, randomizes what is mandatory, and leaves the attributes', () =>
    withKoha({ release: '25.11' }, async (koha) => {
      const before = koha.putPatron('111', visitor);
      expect(koha.anonymizePatron('111')).toMatchObject({
        patron_id: before.patron_id,
        cardnumber: expect.stringMatching(/^\w{10}$/),
        surname: expect.stringMatching(/^\w{10}$/),
        userid: expect.stringMatching(/^\w{10}$/),
        firstname: null,
        preferred_name: null,
        email: null,
        address: null,
        date_of_birth: null,
        date_enrolled: '2025-01-01',
        category_id: 'PT',
        restricted: false,
        anonymized: true,
        extended_attributes: [{ type: 'PASSPORTED_ID', value: 'home:1' }],
      });
      expect(koha.state('111').patrons).toEqual([]);
      expect(await koha.request('GET', `/api/v1/patrons/${before.patron_id}`)).toMatchObject({
        body: { anonymized: true, firstname: null },
      });
    }));

  test('empties card and name too where the library does not make them mandatory', () =>
    withKoha({ settings: { BorrowerMandatoryField: 'email' } }, async (koha) => {
      koha.putPatron('111', visitor);
      expect(koha.anonymizePatron('111')).toMatchObject({ cardnumber: null, surname: null, email: null });
    }));

  test('passes over a patron with checkouts, and one who is not there', () =>
    withKoha({}, async (koha) => {
      koha.putPatron('111', visitor);
      koha.putItem('39', { checked_out_to: '111' });
      expect(koha.anonymizePatron('111')).toBeNull();
      expect(koha.state('111').patrons).toMatchObject([{ firstname: 'Ana', anonymized: false }]);
      expect(koha.anonymizePatron('222')).toBeNull();
    }));
});

// Koha/Patron.pm, sub merge_with.
describe('merging patrons', () => {
  test('moves attributes, checkouts and holds to the one that is kept, and removes the other', () =>
    withKoha({}, async (koha) => {
      const copy = koha.putPatron('111', visitor);
      const native = koha.putPatron('222', { surname: 'Kovač', category_id: 'AD' });
      koha.putItem('39', { checked_out_to: '111' });
      koha.putItem('40', { hold: { state: 'RESERVED', patron_id: copy.patron_id } });
      expect(koha.mergePatron('111', '222')).toMatchObject({
        patron_id: native.patron_id,
        extended_attributes: [{ type: 'PASSPORTED_ID', value: 'home:1' }],
      });
      expect(koha.state('111').patrons).toEqual([]);
      expect(koha.state()).toMatchObject({
        checkouts: [{ cardnumber: '222', external_id: '39' }],
        items: [expect.anything(), { hold: { patron_id: native.patron_id } }],
      });
    }));

  test('drops a second value of an attribute that cannot be repeated', () =>
    withKoha({}, async (koha) => {
      koha.putPatron('111', visitor);
      koha.putPatron('222', { extended_attributes: [{ type: 'PASSPORTED_ID', value: 'home:2' }] });
      const kept = koha.mergePatron('111', '222');
      expect(kept?.extended_attributes).toMatchObject([{ type: 'PASSPORTED_ID', value: 'home:2' }]);
    }));

  test('leaves protected patrons and the anonymous one alone', () =>
    withKoha({}, async (koha) => {
      koha.putPatron('111', visitor);
      const other = koha.putPatron('222', { protected: true });
      expect(koha.mergePatron('111', '222')).toBeNull();
      koha.putPatron('222', { protected: false });
      koha.putSettings({ AnonymousPatron: other.patron_id });
      expect(koha.mergePatron('111', '222')).toBeNull();
      expect(koha.state('111').patrons).toHaveLength(1);
    }));
});
