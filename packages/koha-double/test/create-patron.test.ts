import { describe, expect, test } from '@jest/globals';
import type { Release } from '../src/index.ts';
import { idOf, patronBody, rowOf, type Row } from './support/rows.ts';
import { withKoha, type Reply, type TestKoha } from './support/with-koha.ts';

const path = '/api/v1/patrons';
const create = (koha: TestKoha, change: Row = {}, headers: Record<string, string> = {}): Promise<Reply> =>
  koha.request('POST', path, { body: patronBody(change), headers });
const count = (koha: TestKoha): number => koha.state().patrons.length;
const passport = { type: 'PASSPORTED', value: 'midland' };
const homeKey = { type: 'PASSPORTED_ID', value: 'midland:7' };

/** Koha's validator makes text of it. */
const NUMBER_FOR_TEXT = 'POST /patrons accepted: body/cardnumber: type {"type":["string","null"]}';

describe('a good create', () => {
  test('answers 201, the object without attributes, and where it is', () =>
    withKoha({}, async (koha) => {
      const reply = await create(koha, { extended_attributes: [passport, homeKey] });
      expect(reply.status).toBe(201);
      expect(rowOf(reply)).toMatchObject({ cardnumber: '21234000000017', surname: 'Kovač' });
      expect(rowOf(reply)).not.toHaveProperty('extended_attributes');
      expect(idOf(reply)).toBe(rowOf(reply)['patron_id']);
      expect(koha.state('21234000000017').patrons[0]?.extended_attributes).toMatchObject([passport, homeKey]);
    }));

  test('fills in login name, dates, privacy and preferred name', async () => {
    const now = (): number => Date.parse('2026-11-30T09:00:00Z');
    await withKoha({ now }, async (koha) => {
      const reply = await create(koha, { privacy: 2 });
      expect(rowOf(reply)).toMatchObject({
        userid: 'ana.kovac',
        date_enrolled: '2026-11-30',
        expiry_date: '2027-11-30',
        privacy: 1,
        preferred_name: 'Ana',
      });
    });
  });

  test('numbers a login name that is taken', () =>
    withKoha({}, async (koha) => {
      await create(koha);
      const second = await create(koha, { cardnumber: '2', date_of_birth: '1990-01-01' });
      expect(rowOf(second)['userid']).toBe('ana.kovac1');
    }));

  test('trims outer blanks', () =>
    withKoha({}, async (koha) => {
      expect(rowOf(await create(koha, { surname: '  Kovač ', city: ' Split ' }))).toMatchObject({
        surname: 'Kovač',
        city: 'Split',
      });
    }));

  test('takes 0, 1 and their text for booleans', () =>
    withKoha({ acceptsUnfit: true }, async (koha) => {
      const reply = await create(koha, { incorrect_address: 1, patron_card_lost: '0' });
      expect(rowOf(reply)).toMatchObject({ incorrect_address: true, patron_card_lost: false });
    }));

  test('scrubs HTML out of notes, but not what is harmless', () =>
    withKoha({}, async (koha) => {
      const reply = await create(koha, { opac_notes: '<b>Hi</b><script>alert(1)</script>' });
      expect(rowOf(reply)['opac_notes']).toBe('<b>Hi</b>alert(1)');
    }));

  test('gives no number by itself', () =>
    withKoha({}, async (koha) => {
      expect(rowOf(await create(koha, { cardnumber: null }))['cardnumber']).toBeNull();
    }));

  test('T-02 leaves a copy without a usable password', () =>
    withKoha({}, async (koha) => {
      await create(koha);
      expect(koha.state('21234000000017').patrons[0]?.['password']).toBe('!');
    }));

  test('a number is taken for text', () =>
    withKoha({ undescribed: [NUMBER_FOR_TEXT] }, async (koha) => {
      expect(await create(koha, { cardnumber: 123 })).toMatchObject({
        status: 201,
        body: { cardnumber: '123' },
      });
    }));

  test('T-18 charges the enrolment fee of the category', () =>
    withKoha({ settings: { categories: [{ patron_category_id: 'PT', enrolment_fee: 7 }] } }, async (koha) => {
      await create(koha);
      expect(koha.state('21234000000017')).toMatchObject({ fees: 1, patrons: [{ account_balance: 7 }] });
    }));
});

describe('a body that does not fit', () => {
  test.each<[string, Row, string, string]>([
    ['an unknown property', { branch: 'MAIN' }, '/body', 'Properties not allowed: branch.'],
    ['a read-only flag, even false', { restricted: false }, '/body/restricted', 'Read-only.'],
    ['null where text must be', { library_id: null }, '/body/library_id', 'Expected string - got null.'],
    ['no date', { date_of_birth: '31.12.1999' }, '/body/date_of_birth', 'Does not match date format.'],
    ['a day that is not', { date_of_birth: '2023-02-30' }, '/body/date_of_birth', 'Day out of range.'],
    [
      'an attribute without a value',
      { extended_attributes: [{ type: 'X' }] },
      '/body/extended_attributes/0/value',
      'Missing property.',
    ],
  ])('%s is reported by path', (_what, change, where, message) =>
    withKoha({}, async (koha) => {
      const reply = await create(koha, change);
      expect(reply).toMatchObject({ status: 400, body: { errors: [{ path: where, message }], status: 400 } });
      expect(count(koha)).toBe(1);
    }),
  );

  test.each(['surname', 'library_id', 'category_id'])('%s must be there', (name) =>
    withKoha({}, async (koha) => {
      const { [name]: _left, ...body } = patronBody();
      expect((await koha.request('POST', path, { body })).body).toEqual({
        errors: [{ path: `/body/${name}`, message: 'Missing property.' }],
        status: 400,
      });
    }),
  );

  test.each(['', '{"surname":', 'surname=X'])('no JSON: %j', (body) =>
    withKoha({}, async (koha) => {
      const reply = await koha.request('POST', path, { body });
      expect(reply.body).toEqual({ errors: [{ path: '/body', message: 'Missing property.' }], status: 400 });
    }),
  );

  test.each<[Release, string]>([
    ['23.11', 'preferred_name'],
    ['23.11', 'expired'],
  ])('%s does not know %s', (release, name) =>
    withKoha({ release }, async (koha) => {
      const reply = await create(koha, { [name]: null });
      expect(rowOf(reply)['errors']).toEqual([
        { path: '/body', message: `Properties not allowed: ${name}.` },
      ]);
    }),
  );

  test('an embed in the body passes the validator and ends in a 500', () =>
    withKoha({}, async (koha) => {
      const reply = await create(koha, { account_balance: 0 });
      expect(reply).toMatchObject({ status: 500, body: { error_code: 'internal_server_error' } });
    }));

  test('welcome_no with a blank before it is not in the list', () =>
    withKoha({}, async (koha) => {
      const reply = await create(koha, {}, { 'x-koha-override': 'welcome_no, welcome_yes' });
      expect(rowOf(reply)['errors']).toMatchObject([{ path: '/x-koha-override/1' }]);
    }));
});

describe('text that is too long, under strict_sql_modes', () => {
  test.each<[Release, string, number, Row]>([
    ['24.11', 'a card of 32', 201, { cardnumber: 'x'.repeat(32) }],
    ['24.11', 'a card of 33', 500, { cardnumber: 'x'.repeat(33) }],
    ['24.11', 'a login name of 76', 500, { userid: 'x'.repeat(76) }],
    [
      '24.11',
      'a name that makes a login name of 76',
      500,
      { firstname: 'x'.repeat(37), surname: 'y'.repeat(38) },
    ],
    ['24.11', 'a gender of 5', 500, { gender: 'other' }],
    ['25.11', 'a gender of 5', 400, { gender: 'other' }],
    ['24.11', '80 letters of 2 bytes in 80 characters', 201, { statistics_1: 'é'.repeat(80) }],
    ['24.11', '81 letters in 80 characters', 500, { statistics_1: 'é'.repeat(81) }],
    ['25.11', '81 letters in 80 characters', 400, { statistics_1: 'é'.repeat(81) }],
    ['24.11', '127 letters of 2 bytes in 255 bytes', 201, { postal_code: 'é'.repeat(127) }],
    ['24.11', '128 letters of 2 bytes in 255 bytes', 500, { postal_code: 'é'.repeat(128) }],
    ['24.11', '65535 bytes of text', 201, { address: 'x'.repeat(65_535) }],
    ['24.11', '65536 bytes of text', 500, { address: 'x'.repeat(65_536) }],
    ['24.11', 'a branch of 11', 500, { library_id: 'ELEVEN_LONG' }],
    ['25.11', 'a branch of 11', 400, { library_id: 'ELEVEN_LONG' }],
  ])('%s answers %s with %i', (release, _what, status, change) =>
    withKoha({ release, acceptsUnfit: true, settings: { strict_sql_modes: true } }, async (koha) => {
      expect((await create(koha, change)).status).toBe(status);
    }),
  );

  test('the validator of 25.11 counts characters', () =>
    withKoha({ release: '25.11' }, async (koha) => {
      const reply = await create(koha, { gender: 'F😀😀' });
      expect(rowOf(reply)['errors']).toEqual([{ path: '/body/gender', message: 'String is too long: 3/1.' }]);
    }));
});

describe('what is taken', () => {
  test.each(['cardnumber', 'borrowers.cardnumber'] as const)(
    'the card, in any letter case, is a 409 that names the index %s',
    (card_conflict) =>
      withKoha({ settings: { card_conflict } }, async (koha) => {
        await create(koha, { cardnumber: 'Abc1' });
        const reply = await create(koha, { cardnumber: 'aBC1 ', surname: 'Else' });
        expect(reply).toMatchObject({
          status: 409,
          body: { error: 'Duplicate ID', conflict: card_conflict },
        });
        expect(count(koha)).toBe(2);
      }),
  );

  test('the login name is a 400', () =>
    withKoha({}, async (koha) => {
      await create(koha);
      const reply = await create(koha, { cardnumber: '2', userid: 'ANA.KOVAC' });
      expect(reply).toMatchObject({ status: 400, body: { error: 'Problem with ANA.KOVAC' } });
    }));

  test('T-20 of fifty creates of one card at once, one succeeds', () =>
    withKoha({ settings: { unique_gap_ms: 20 } }, async (koha) => {
      await koha.token();
      const replies = await Promise.all(Array.from({ length: 50 }, () => create(koha)));
      expect(replies.map((reply) => reply.status).filter((status) => status === 201)).toHaveLength(1);
      expect(replies.filter((reply) => rowOf(reply)['conflict'] === 'cardnumber')).toHaveLength(49);
      expect(count(koha)).toBe(2);
    }));

  test('a create that waits for one that is rolled back gets the card', () =>
    withKoha({ settings: { unique_gap_ms: 30 } }, async (koha) => {
      const [failed, kept] = await Promise.all([
        create(koha, { extended_attributes: [{ type: 'NONE', value: '1' }] }),
        create(koha),
      ]);
      expect([failed.status, kept.status].sort((a, b) => a - b)).toEqual([201, 400]);
    }));

  test.each([
    ['library_id', 'Given library_id does not exist'],
    ['category_id', 'Given category_id does not exist'],
  ])('an unknown %s is named', (name, error) =>
    withKoha({}, async (koha) => {
      expect(await create(koha, { [name]: 'NOPE' })).toMatchObject({ status: 400, body: { error } });
    }),
  );

  test('a child under ChildNeedsGuarantor cannot be created through the API', () =>
    withKoha({ settings: { ChildNeedsGuarantor: true } }, async (koha) => {
      expect(await create(koha, { category_id: 'CH' })).toMatchObject({ status: 500 });
    }));
});

describe('possible duplicates', () => {
  const sameAs = { error: 'A patron record matching these details already exists' };

  test('on 25.11 are tested before the card: the same create again is a possible duplicate', () =>
    withKoha({ release: '25.11' }, async (koha) => {
      await create(koha);
      expect((await create(koha)).body).toEqual(sameAs);
      const confirmed = await create(koha, {}, { 'x-confirm-not-duplicate': '1' });
      expect(confirmed.body).toEqual({ error: 'Duplicate ID', conflict: 'cardnumber' });
    }));

  test('24.11 does not look', () =>
    withKoha({ release: '24.11' }, async (koha) => {
      await create(koha);
      expect(await create(koha, { cardnumber: '2' })).toMatchObject({ status: 201 });
    }));
});

describe('inline attributes', () => {
  test.each<[string, unknown[], string, string]>([
    [
      'an unknown type',
      [{ type: 'NONE', value: 'v' }],
      'invalid_attribute_type',
      'Tried to use an invalid attribute type. type=NONE',
    ],
    [
      'a second value of a single type',
      [passport, { type: 'PASSPORTED', value: 'b' }],
      'non_repeatable_attribute',
      'Tried to add more than one non-repeatable attributes. type=PASSPORTED value=b',
    ],
    [
      'a value taken for a unique type',
      [homeKey],
      'attribute_not_unique',
      'Your action breaks a unique constraint on the attribute. type=PASSPORTED_ID value=midland:7',
    ],
  ])('%s is 400 and rolls the patron back', async (_what, extended_attributes, error_code, error) => {
    for (const release of ['23.11', '24.11'] as const) {
      await withKoha({ release }, async (koha) => {
        koha.putPatron('1', { extended_attributes: [homeKey] });
        const reply = await create(koha, { extended_attributes });
        expect(reply.status).toBe(400);
        expect(reply.body).toEqual(release === '23.11' ? { error } : { error, error_code });
        expect(koha.state('21234000000017').patrons).toEqual([]);
      });
    }
  });

  test('a mandatory type is enforced even when no attributes are sent', () =>
    withKoha({ settings: { attribute_types: [{ code: 'CONSENT', mandatory: true }] } }, async (koha) => {
      expect(await create(koha)).toMatchObject({
        status: 400,
        body: {
          error: 'Missing mandatory extended attribute (type=CONSENT)',
          error_code: 'missing_mandatory_attribute',
        },
      });
    }));

  test('a mandatory type of another category, or of some libraries, is not', () =>
    withKoha(
      {
        settings: {
          attribute_types: [
            { code: 'A', mandatory: true, category_id: 'AD' },
            { code: 'B', mandatory: true, libraries: ['NORTH'] },
          ],
        },
      },
      async (koha) => {
        expect(await create(koha)).toMatchObject({ status: 201 });
      },
    ));

  test('a date type refuses what is no date with a 500', () =>
    withKoha({ settings: { attribute_types: [{ code: 'SINCE', is_date: true }] } }, async (koha) => {
      const reply = await create(koha, { extended_attributes: [{ type: 'SINCE', value: 'soon' }] });
      expect(reply.status).toBe(500);
    }));

  test('T-20 unique values are counted without a lock: two creates at once can both pass', () =>
    withKoha({ settings: { unique_gap_ms: 50 } }, async (koha) => {
      await koha.token();
      const replies = await Promise.all([
        create(koha, { extended_attributes: [homeKey] }),
        create(koha, { cardnumber: '2', firstname: 'Bo', extended_attributes: [homeKey] }),
      ]);
      expect(replies.map((reply) => reply.status)).toEqual([201, 201]);
    }));
});

test('two creates at once that come to the same login name: the later one is a 409', () =>
  withKoha({ settings: { unique_gap_ms: 50 } }, async (koha) => {
    await koha.token();
    const replies = await Promise.all([create(koha), create(koha, { cardnumber: '2' })]);
    expect(replies.map((reply) => reply.status).sort((a, b) => a - b)).toEqual([201, 409]);
    expect(replies.find((reply) => reply.status === 409)?.body).toEqual({
      error: 'Duplicate ID',
      conflict: 'userid',
    });
  }));

describe('the welcome mail', () => {
  const settings = { AutoEmailNewUser: true };

  test('T-18 leaves before the attributes are looked at, until 25.11', async () => {
    const broken = { extended_attributes: [{ type: 'NONE', value: '1' }] };
    await withKoha({ release: '24.11', settings }, async (koha) => {
      await create(koha, broken);
      expect(koha.state()).toMatchObject({ mails: 1, fees: 0 });
    });
    await withKoha({ release: '25.11', settings }, async (koha) => {
      await create(koha, broken);
      expect(koha.state().mails).toBe(0);
      await create(koha);
      expect(koha.state().mails).toBe(1);
    });
  });

  test.each<[string, boolean, Record<string, string>, Row, number]>([
    ['welcome_no', true, { 'x-koha-override': 'welcome_no' }, {}, 0],
    ['welcome_yes', false, { 'x-koha-override': 'welcome_yes' }, {}, 1],
    ['nothing said', false, {}, {}, 0],
    ['nobody to write to', true, {}, { email: null }, 0],
  ])('T-18 %s with the preference %s', (_what, AutoEmailNewUser, headers, change, mails) =>
    withKoha({ settings: { AutoEmailNewUser } }, async (koha) => {
      await create(koha, change, headers);
      expect(koha.state().mails).toBe(mails);
    }),
  );
});

describe('a patron the API user may not see', () => {
  test('is created, and answered with nulls', () =>
    withKoha(
      { settings: { groups_hide_patrons: true, permissions: ['borrowers:edit_borrowers'] } },
      async (koha) => {
        const reply = await create(koha, { library_id: 'NORTH' });
        expect(reply.status).toBe(201);
        expect(rowOf(reply)).toMatchObject({
          patron_id: null,
          cardnumber: null,
          surname: null,
          library_id: 'NORTH',
          restricted: false,
          expired: false,
        });
        expect(idOf(reply)).toBe(koha.state('21234000000017').patrons[0]?.patron_id);
        expect(await create(koha, { library_id: 'NORTH' })).toMatchObject({ status: 409 });
      },
    ));
});
