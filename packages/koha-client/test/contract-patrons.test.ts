import { describe, expect, test } from '@jest/globals';
import { isFrom, testedReleases } from '@passport/koha-double';
import {
  CARD,
  HOME_KEY,
  at,
  body,
  how,
  plain,
  testThatRequestsFit,
  useContractBench,
} from './contract-bench.ts';

describe.each(testedReleases)('patrons of a Koha %s', (release) => {
  const bench = useContractBench(release);

  describe('looking up', () => {
    test('finds a patron by card in one call, in another case and with blanks around it', async () => {
      bench.koha.putPatron('Ab123', { surname: 'Okafor' });
      const [found] = await bench.client.findByCard(' aB123 ', { attributes: true, balance: true });
      expect(found).toMatchObject({
        cardnumber: 'Ab123',
        surname: 'Okafor',
        attributes: [],
        accountBalance: 0,
      });
      expect(bench.calls()).toEqual(['GET /patrons']);
    });

    test.each(['1', '%', '_', '2123', ''])(
      'T-07 the card %j finds no other, though Koha matches parts',
      async (card) => {
        bench.koha.putPatron('12345', { surname: 'Okafor' });
        bench.koha.putPatron(CARD, { surname: 'Nguyen' });
        expect(await bench.client.findByCard(card, plain)).toEqual([]);
      },
    );

    test.each(['a/b', 'a?b=c', 'a#b', '100%', '../../patrons/1', 'a..b', 'a b', 'a+b&c', '"a"', 'Ж漢🎫'])(
      'T-06 finds exactly the patron with the card %j',
      async (card) => {
        bench.koha.putPatron(card, { surname: 'Okafor' });
        bench.koha.putPatron(CARD, { surname: 'Nguyen' });
        expect((await bench.client.findByCard(card, plain)).map(({ surname }) => surname)).toEqual([
          'Okafor',
        ]);
        expect(bench.calls()).toEqual(['GET /patrons']);
      },
    );

    test('T-09 does not find somebody by their login', async () => {
      bench.koha.putPatron('X1', { surname: 'Okafor', userid: CARD });
      expect(await bench.client.findByCard(CARD, plain)).toEqual([]);
    });

    test('says whether somebody of this name and birth date is there, as the database compares', async () => {
      bench.koha.putPatron('X1', { surname: 'Okafor', firstname: 'Adaéze', date_of_birth: '1990-05-01' });
      bench.koha.putPatron('X2', { surname: 'Okafor', firstname: null, date_of_birth: null });
      const isThere = (surname: string, firstname: string | null, dateOfBirth: string): Promise<boolean> =>
        bench.client.hasPossibleDuplicate({ surname, firstname, dateOfBirth });
      expect(await isThere('OKAFOR', 'Adaeze', '1990-05-01')).toBe(true);
      expect(await isThere('Okafor', null, '1990-05-01')).toBe(true);
      expect(await isThere('Okafor', 'Adaeze', '1990-05-02')).toBe(false);
      expect(await isThere('Okafo', 'Adaeze', '1990-05-01')).toBe(false);
      expect(await isThere('%', null, '1990-05-01')).toBe(false);
    });

    test('T-01 keeps nothing of a record but the contact fields and the facts', async () => {
      const planted = 'planted-0815';
      bench.koha.putPatron(CARD, {
        surname: 'Okafor',
        password: planted,
        secret: planted,
        staff_notes: planted,
        opac_notes: planted,
        userid: planted,
        overdrive_auth_token: planted,
        statistics_1: planted,
      });
      const found = await bench.client.findByCard(CARD, { attributes: true, balance: true });
      expect(found).toHaveLength(1);
      expect(JSON.stringify(found)).not.toContain(planted);
    });

    test('knows Koha’s expired flag where the release has it, and the other facts always', async () => {
      bench.koha.putPatron(CARD, { surname: 'Okafor', expiry_date: '2020-01-01', patron_card_lost: true });
      const [found] = await bench.client.findByCard(CARD, plain);
      expect(found).toMatchObject({
        expired: isFrom(release, '24.11') ? true : null,
        expiryDate: '2020-01-01',
        restricted: false,
        cardLost: true,
        incorrectAddress: false,
      });
    });

    test('finds a copy by its home key, and reads it with all attributes', async () => {
      const patronId = await bench.created();
      await bench.created({
        cardnumber: 'OTHER1',
        extended_attributes: [{ type: 'PASSPORTED_ID', value: 'midland:8' }],
      });
      const found = await bench.client.findByAttribute('PASSPORTED_ID', HOME_KEY);
      expect(found.map((patron) => patron.patronId)).toEqual([patronId]);
      const read = await bench.client.readPatron(patronId);
      expect(read?.attributes?.map(({ type }) => type).toSorted()).toEqual(['PASSPORTED', 'PASSPORTED_ID']);
    });

    test('goes through more copies than one page', async () => {
      for (let index = 0; index < 130; index += 1) {
        bench.koha.putPatron(`C${index}`, {
          surname: 'Copy',
          extended_attributes: [{ type: 'PASSPORTED', value: 'midland' }],
        });
      }
      expect(await bench.client.findByAttribute('PASSPORTED', 'midland')).toHaveLength(130);
      expect(bench.calls()).toEqual(['GET /patrons', 'GET /patrons']);
    });

    test('knows that there is no such patron, item or checkout', async () => {
      expect(await bench.client.readPatron(4_711)).toBeNull();
      expect(await bench.client.findItem('4711')).toBeNull();
      expect(await bench.client.findCheckout(4_711, 4_711)).toBeNull();
    });
  });

  describe('creating', () => {
    test('T-18 makes the patron with both attributes in one call, at the branch, and no mail goes out', async () => {
      bench.koha.putSettings({ AutoEmailNewUser: '1' });
      const result = await bench.client.createPatron(body({ email: 'adaeze@example.org' }), how);
      expect(result).toMatchObject({ kind: 'created', hidden: false });
      expect(bench.calls()).toEqual(['POST /patrons']);
      expect(bench.koha.calls().at(-1)?.library).toBe('MAIN');
      const [stored] = bench.koha.state(CARD).patrons;
      expect(stored?.extended_attributes.map(({ type, value }) => [type, value])).toEqual([
        ['PASSPORTED', 'midland'],
        ['PASSPORTED_ID', HOME_KEY],
      ]);
      expect(bench.koha.state().mails).toBe(0);
    });

    test('recognizes that the patron is there already, in the words of the release', async () => {
      await bench.created();
      const again = await bench.client.createPatron(body(), how);
      expect(again.kind).toBe(isFrom(release, '25.11') ? 'possible_duplicate' : 'card_taken');
      const otherName = { surname: 'Nguyen', firstname: 'Minh', extended_attributes: [] };
      expect(await bench.client.createPatron(body(otherName), how)).toEqual({ kind: 'card_taken' });
    });

    test('gets past a possible duplicate when it is confirmed, and then meets the card', async () => {
      await bench.created();
      const confirmed = { ...at, confirmNotDuplicate: true };
      const otherCard = body({ cardnumber: 'OTHER1', extended_attributes: [] });
      expect((await bench.client.createPatron(otherCard, how)).kind).toBe(
        isFrom(release, '25.11') ? 'possible_duplicate' : 'created',
      );
      const third = body({ cardnumber: 'OTHER2', extended_attributes: [] });
      expect((await bench.client.createPatron(third, confirmed)).kind).toBe('created');
      const sameCard = body({ extended_attributes: [] });
      expect(await bench.client.createPatron(sameCard, confirmed)).toEqual({ kind: 'card_taken' });
    });

    test.each<[string, Record<string, unknown>, object]>([
      ['a login that is taken', { userid: 'passport-service' }, { kind: 'userid_taken' }],
      ['an unknown category', { category_id: 'NOPE' }, { kind: 'refused', what: 'category', name: 'NOPE' }],
      ['an unknown branch', { library_id: 'NOPE' }, { kind: 'refused', what: 'branch', name: 'NOPE' }],
      [
        'an unknown attribute type',
        { extended_attributes: [{ type: 'NOPE', value: 'x' }] },
        { kind: 'refused', what: 'attribute_type', name: 'NOPE' },
      ],
      ['a property Koha does not know', { nope: 1 }, { kind: 'refused', what: 'other', name: '/body' }],
    ])('names %s', async (_what, changes, expected) => {
      expect(await bench.client.createPatron(body(changes), how)).toMatchObject(expected);
      expect(bench.koha.state(CARD).patrons).toEqual([]);
    });

    test('names a home key that is taken', async () => {
      await bench.created();
      const other = body({ cardnumber: 'OTHER1', surname: 'Nguyen' });
      expect(await bench.client.createPatron(other, how)).toEqual({
        kind: 'attribute_not_unique',
        type: 'PASSPORTED_ID',
      });
    });

    test('names a mandatory attribute', async () => {
      const before = [{ code: 'PASSPORTED' }, { code: 'PASSPORTED_ID', unique_id: true }];
      bench.koha.putSettings({ attribute_types: [...before, { code: 'SCHOOL', mandatory: true }] });
      expect(await bench.client.createPatron(body(), how)).toEqual({
        kind: 'refused',
        what: 'mandatory_attribute',
        name: 'SCHOOL',
      });
    });

    test('as a branch the library does not have names the branch', async () => {
      expect(await bench.client.createPatron(body(), { ...how, branch: 'NOPE' })).toEqual({
        kind: 'refused',
        what: 'branch',
        name: 'NOPE',
      });
    });

    test('names the permission that is missing', async () => {
      bench.koha.putSettings({ permissions: ['catalogue:1'] });
      await expect(bench.client.createPatron(body(), how)).rejects.toMatchObject({
        code: 'permission',
        permission: 'borrowers: edit_borrowers',
        effect: 'none',
      });
    });

    test('says that Koha could not store a record', async () => {
      bench.koha.putSettings({ strict_sql_modes: true });
      await expect(
        bench.client.createPatron(body({ cardnumber: 'x'.repeat(33) }), how),
      ).rejects.toMatchObject({
        code: 'record_refused',
        effect: 'unknown',
      });
    });

    test('says that the patron is hidden from this API user', async () => {
      bench.koha.putSettings({
        groups_hide_patrons: true,
        permissions: ['borrowers:edit_borrowers', 'borrowers:list_borrowers'],
      });
      const result = await bench.client.createPatron(body({ library_id: 'NORTH' }), how);
      expect(result).toMatchObject({ kind: 'created', hidden: true });
      expect(
        result.kind === 'created' && bench.koha.state(CARD).patrons[0]?.patron_id === result.patronId,
      ).toBe(true);
      expect(await bench.client.findByCard(CARD, plain)).toEqual([]);
    });

    test('knows that a lost answer may have had its effect', async () => {
      bench.koha.addFaults([{ operation: 'POST /patrons', kind: 'reset_after' }]);
      await expect(bench.client.createPatron(body(), how)).rejects.toMatchObject({ effect: 'unknown' });
      expect(bench.koha.state(CARD).patrons).toHaveLength(1);
      expect(bench.calls()).toEqual(['POST /patrons']);
    });
  });

  describe('changing and deleting', () => {
    const required = { surname: 'Okafor', library_id: 'MAIN', category_id: 'PT' };

    test('gives a copy its new card and leaves all other fields', async () => {
      const patronId = await bench.created({ email: 'kept@example.org' });
      expect(await bench.client.changePatron(patronId, { ...required, cardnumber: 'NEW1' }, at)).toEqual({
        kind: 'changed',
        cardnumber: 'NEW1',
      });
      const [stored] = bench.koha.state('NEW1').patrons;
      expect(stored).toMatchObject({ patron_id: patronId, email: 'kept@example.org' });
      expect(stored?.extended_attributes).toHaveLength(2);
    });

    test('recognizes when the new card is somebody else’s, and when the patron is gone', async () => {
      const patronId = await bench.created();
      bench.koha.putPatron('TAKEN1', { surname: 'Nguyen' });
      const change = { ...required, cardnumber: 'TAKEN1' };
      expect(await bench.client.changePatron(patronId, change, at)).toEqual({ kind: 'card_taken' });
      expect(await bench.client.changePatron(4_711, change, at)).toEqual({ kind: 'gone' });
    });

    test('names the whole permission where the release wants it', async () => {
      const patronId = await bench.created();
      bench.koha.putSettings({ permissions: ['borrowers:list_borrowers'] });
      await expect(bench.client.changePatron(patronId, required, at)).rejects.toMatchObject({
        code: 'permission',
        permission: expect.stringMatching(/^borrowers: (1|edit_borrowers)$/),
      });
    });
  });

  testThatRequestsFit(bench, ['POST /patrons: body: additionalProperties {"additionalProperty":"nope"}']);
});
