import { describe, expect, test } from '@jest/globals';
import { rowOf, rowsOf, type Row } from './support/rows.ts';
import { withKoha, type Reply, type TestKoha, type TestOptions } from './support/with-koha.ts';

const barcode = '39999000000017';
/** Rental charges have to be confirmed only where the library wants it (C4/Circulation.pm, CanBookBeIssued). */
const confirmsFees = { RentalFeesCheckoutConfirmation: '1' };

/** A clean adult with card 111, and a clean book. */
async function withItem(
  options: TestOptions,
  run: (koha: TestKoha, patronId: number, itemId: number) => Promise<void>,
): Promise<void> {
  await withKoha(options, async (koha) => {
    const patron = koha.putPatron('111', { surname: 'X', category_id: 'PT', date_of_birth: '2010-01-01' });
    const item = koha.putItem(barcode, {});
    await run(koha, patron.patron_id, item.item_id);
  });
}

const checkOut = (koha: TestKoha, body: Row, query: Record<string, string> = {}): Promise<Reply> =>
  koha.request('POST', '/api/v1/checkouts', { body, query });

const availabilityOf = (koha: TestKoha, patronId: number, itemId: number): Promise<Reply> =>
  koha.request('GET', '/api/v1/checkouts/availability', {
    query: { patron_id: String(patronId), item_id: String(itemId) },
  });

describe('lending', () => {
  test('by barcode: 201, where it is, the branch that acts', () =>
    withItem({ now: () => Date.parse('2026-11-25T09:00:00Z') }, async (koha, patron_id) => {
      const headers = { 'x-koha-library': 'NORTH' };
      const body = { patron_id, external_id: barcode, due_date: '2030-01-01T00:00:00Z', library_id: 'MAIN' };
      const reply = await koha.request('POST', '/api/v1/checkouts', { body, headers });
      expect(reply).toMatchObject({ status: 201, body: { patron_id, library_id: 'NORTH', issuer_id: null } });
      expect(rowOf(reply)['due_date']).toBe('2026-12-09T23:59:00+00:00');
      expect(reply.headers.get('location')).toBe('/api/v1/checkouts/1');
      expect(koha.state().items[0]).toMatchObject({
        checked_out_date: '2026-12-09',
        holding_library_id: 'NORTH',
      });
    }));

  test('23.11 knows no barcode here, and takes the item', () =>
    withItem({ release: '23.11' }, async (koha, patron_id, item_id) => {
      const refused = await checkOut(koha, { patron_id, external_id: barcode });
      expect(rowOf(refused)['errors']).toEqual([
        { path: '/body', message: 'Properties not allowed: external_id.' },
      ]);
      expect(await checkOut(koha, { patron_id, item_id })).toMatchObject({ status: 201 });
    }));

  test.each<[string, Row, number, Row]>([
    ['neither item nor barcode', {}, 400, { error_code: 'MISSING_OR_WRONG_PARAMETERS' }],
    ['an unknown item', { item_id: 99 }, 409, { error_code: 'ITEM_NOT_FOUND' }],
    ['an unknown barcode', { external_id: '0' }, 409, { error_code: 'ITEM_NOT_FOUND' }],
    ['an unknown patron', { patron_id: 99, external_id: barcode }, 409, { error_code: 'PATRON_NOT_FOUND' }],
    [
      'item and barcode of two items',
      { item_id: 1, external_id: '40' },
      409,
      { error_code: 'ITEM_ID_NOT_MATCHING_EXTERNAL_ID' },
    ],
  ])('%s', (_what, change, status, body) =>
    withItem({}, async (koha, patron_id) => {
      koha.putItem('40', {});
      expect(await checkOut(koha, { patron_id, ...change })).toMatchObject({ status, body });
    }),
  );
});

describe('reasons against a checkout', () => {
  const cases: [string, Row, Row, Row, 'blockers' | 'confirms' | 'warnings', Row][] = [
    ['GNA', { incorrect_address: true }, {}, {}, 'blockers', { GNA: 1 }],
    ['CARD_LOST', { patron_card_lost: true }, {}, {}, 'blockers', { CARD_LOST: 1 }],
    ['EXPIRED', { expiry_date: '2020-01-01' }, {}, {}, 'blockers', { EXPIRED: 1 }],
    [
      'DEBARRED',
      { debarred: '2999-01-01' },
      {},
      {},
      'blockers',
      { DEBARRED: 1, USERBLOCKEDWITHENDDATE: '2999-01-01' },
    ],
    ['DEBARRED for ever', { restricted: true }, {}, {}, 'blockers', { USERBLOCKEDNOENDDATE: '9999-12-31' }],
    ['DEBT', { account_balance: 30 }, {}, {}, 'blockers', { DEBT: 30 }],
    ['DEBT, small', { account_balance: 2 }, {}, {}, 'confirms', { DEBT: 2 }],
    [
      'a warning, which keeps nobody',
      { circulation_extra: { warnings: { OTHER_CHARGES: '2.00' } } },
      {},
      {},
      'warnings',
      { OTHER_CHARGES: '2.00' },
    ],
    ['NOT_FOR_LOAN', {}, { not_for_loan_status: 1 }, {}, 'blockers', { NOT_FOR_LOAN: 1, item_notforloan: 1 }],
    [
      'NOT_FOR_LOAN by type',
      {},
      { item_type_id: 'REF' },
      {},
      'blockers',
      { NOT_FOR_LOAN: 1, itemtype_notforloan: 'REF' },
    ],
    ['WTHDRAWN', {}, { withdrawn: 1 }, {}, 'blockers', { WTHDRAWN: 1 }],
    ['RESTRICTED', {}, { restricted_status: 1 }, {}, 'blockers', { RESTRICTED: 1 }],
    ['RENTALCHARGE', {}, { rental_charge: 1.5 }, confirmsFees, 'confirms', { RENTALCHARGE: 1.5 }],
    [
      'ADDITIONAL_MATERIALS',
      {},
      { materials_notes: '1 map' },
      { CircConfirmItemParts: 1 },
      'confirms',
      { ADDITIONAL_MATERIALS: '1 map' },
    ],
    [
      'RESERVED',
      {},
      { hold: { state: 'RESERVED', patron_id: 1 } },
      {},
      'confirms',
      { RESERVED: 1, resborrowernumber: 1 },
    ],
    [
      'RESERVE_WAITING',
      {},
      { hold: { state: 'RESERVE_WAITING', patron_id: 1 } },
      {},
      'confirms',
      { RESERVE_WAITING: 1 },
    ],
    ['TRANSFERRED', {}, { hold: { state: 'TRANSFERRED', patron_id: 1 } }, {}, 'confirms', { TRANSFERRED: 1 }],
    ['PROCESSING', {}, { hold: { state: 'PROCESSING', patron_id: 1 } }, {}, 'confirms', { PROCESSING: 1 }],
    [
      'ITEMNOTSAMEBRANCH',
      {},
      { holding_library_id: 'NORTH' },
      { IndependentBranches: 1 },
      'blockers',
      { ITEMNOTSAMEBRANCH: 1, itemhomebranch: 'NORTH' },
    ],
    [
      'BORRNOTSAMEBRANCH',
      { library_id: 'NORTH' },
      {},
      { IndependentBranches: 1 },
      'confirms',
      { BORRNOTSAMEBRANCH: 'NORTH' },
    ],
    [
      'any other key',
      {},
      { circulation_extra: { confirms: { HIGHHOLDS: 1 } } },
      {},
      'confirms',
      { HIGHHOLDS: 1 },
    ],
  ];

  test.each(cases)('%s', (_key, patron, item, settings, group, expected) =>
    withItem({ settings }, async (koha, patronId, itemId) => {
      koha.putPatron('111', patron);
      koha.putItem(barcode, item);
      const reply = await availabilityOf(koha, patronId, itemId);
      expect(rowOf(reply)[group]).toMatchObject(expected);
      const { status, body } = await checkOut(koha, { patron_id: patronId, external_id: barcode });
      if (group === 'warnings') expect(status).toBe(201);
      if (group === 'confirms') expect([status, body]).toEqual([412, { error: 'Confirmation error' }]);
      if (group === 'blockers') {
        expect(status).toBe(403);
        expect(rowOf({ status, body, headers: reply.headers })['error']).toMatch(
          /^Checkout not authorized \(.*\)$/,
        );
        expect(body).not.toHaveProperty('required_permissions');
      }
    }),
  );

  test('nothing against it: three empty objects and a token all the same', () =>
    withItem({}, async (koha, patronId, itemId) => {
      expect((await availabilityOf(koha, patronId, itemId)).body).toEqual({
        blockers: {},
        confirms: {},
        warnings: {},
        confirmation_token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
      });
    }));

  test('TOO_MANY is named with the number that is allowed', () =>
    withItem({}, async (koha, patronId, itemId) => {
      koha.putSettings({ circulation_rules: [{ rule: 'maxissueqty', value: '1' }] });
      koha.putItem('40', { checked_out_to: '111' });
      expect(rowOf(await availabilityOf(koha, patronId, itemId))['confirms']).toMatchObject({
        TOO_MANY: 'TOO_MANY_CHECKOUTS',
        current_loan_count: 1,
        max_loans_allowed: 1,
      });
    }));

  test('no rule at all is NO_RULE_DEFINED', () =>
    withItem({ settings: { circulation_rules: [] } }, async (koha, patronId, itemId) => {
      expect(rowOf(await availabilityOf(koha, patronId, itemId))['confirms']).toMatchObject({
        TOO_MANY: 'NO_RULE_DEFINED',
        PATRON_CANT: 1,
        max_loans_allowed: 0,
      });
    }));

  test.each([[''], ['?patron_id=2'], ['?patron_id=99&item_id=1']])(
    'an unknown party "%s" is an error that nothing catches',
    (search) =>
      withItem({}, async (koha) => {
        expect(await koha.request('GET', `/api/v1/checkouts/availability${search}`)).toMatchObject({
          status: 500,
          body: { errors: [{ message: 'Internal Server Error.', path: '/' }], status: 500 },
        });
      }),
  );

  test('availability for a statistical patron writes a statistics row and fails', () =>
    withItem({}, async (koha, patronId, itemId) => {
      koha.putSettings({ categories: [{ patron_category_id: 'PT', category_type: 'X' }] });
      expect(await availabilityOf(koha, patronId, itemId)).toMatchObject({ status: 500 });
      expect(koha.state().statistics).toBe(1);
    }));
});

describe('items that are out', () => {
  test('the own checkout is RENEW_ISSUE, and confirming renews it', () =>
    withItem({}, async (koha, patron_id, item_id) => {
      const first = await checkOut(koha, { patron_id, item_id });
      const availability = await availabilityOf(koha, patron_id, item_id);
      expect(rowOf(availability)['confirms']).toEqual({ RENEW_ISSUE: 1 });
      expect(await checkOut(koha, { patron_id, item_id })).toMatchObject({ status: 412 });
      const confirmation = String(rowOf(availability)['confirmation_token']);
      const again = await checkOut(koha, { patron_id, item_id }, { confirmation });
      expect(again.status).toBe(201);
      expect(rowOf(again)).toMatchObject({ checkout_id: rowOf(first)['checkout_id'], renewals_count: 1 });
    }));

  test('no more renewals is a blocker', () =>
    withItem(
      { settings: { circulation_rules: [{ rule: 'maxissueqty', value: '9' }] } },
      async (koha, patron_id, item_id) => {
        await checkOut(koha, { patron_id, item_id });
        expect(await checkOut(koha, { patron_id, item_id })).toMatchObject({
          status: 403,
          body: { error: 'Checkout not authorized (NO_MORE_RENEWALS)' },
        });
      },
    ));

  test("another's checkout names the other, and confirming returns it first", () =>
    withItem({}, async (koha, patron_id, item_id) => {
      koha.putPatron('222', { surname: 'Other', firstname: 'Ola', library_id: 'NORTH' });
      koha.putItem(barcode, { checked_out_to: '222' });
      const availability = await availabilityOf(koha, patron_id, item_id);
      expect(rowOf(availability)['confirms']).toMatchObject({
        ISSUED_TO_ANOTHER: 1,
        issued_cardnumber: '222',
      });
      const confirmation = String(rowOf(availability)['confirmation_token']);
      expect(await checkOut(koha, { patron_id, item_id }, { confirmation })).toMatchObject({ status: 201 });
      expect(koha.state()).toMatchObject({
        checkouts: [{ patron_id }],
        old_checkouts: [{ cardnumber: '222' }],
      });
    }));
});

describe('reasons that are none', () => {
  test.each<[string, Row]>([
    ['a rental charge that needs no confirmation', { rental_charge: 2 }],
    ['a restriction of the item other than 1', { restricted_status: 2 }],
    ['an own hold', { hold: { patron_id: 2 } }],
  ])('%s', (_what, item) =>
    withItem({}, async (koha, patronId, itemId) => {
      koha.putPatron('222', {});
      koha.putItem(barcode, item);
      const { blockers, confirms } = rowOf(await availabilityOf(koha, patronId, itemId));
      expect({ blockers, confirms }).toEqual({ blockers: {}, confirms: {} });
    }),
  );
});

describe('the confirmation token', () => {
  test('is an HS256 JWT of API user, item and all confirm keys, sorted', () =>
    withItem({ settings: confirmsFees }, async (koha, patronId, itemId) => {
      koha.putItem(barcode, {
        rental_charge: 1,
        circulation_extra: { confirms: { HIGHHOLDS: 1, duration: 3 } },
      });
      const token = String(rowOf(await availabilityOf(koha, patronId, itemId))['confirmation_token']);
      const [header, payload] = token.split('.').map((part) => Buffer.from(part, 'base64url').toString());
      expect(JSON.parse(header ?? '')).toEqual({ alg: 'HS256' });
      expect(JSON.parse(payload ?? '')).toEqual({ id: `1:${itemId}:HIGHHOLDS:RENTALCHARGE:duration` });
    }));

  test('does not name the borrower: one patron’s token checks out to another', () =>
    withItem({ settings: confirmsFees }, async (koha, patronId, itemId) => {
      koha.putItem(barcode, { rental_charge: 1 });
      const other = koha.putPatron('222', {});
      const confirmation = String(rowOf(await availabilityOf(koha, patronId, itemId))['confirmation_token']);
      const reply = await checkOut(koha, { patron_id: other.patron_id, item_id: itemId }, { confirmation });
      expect(reply.status).toBe(201);
    }));

  test('no longer fits when the reasons changed', () =>
    withItem({ settings: confirmsFees }, async (koha, patron_id, item_id) => {
      koha.putItem(barcode, { rental_charge: 1 });
      const confirmation = String(
        rowOf(await availabilityOf(koha, patron_id, item_id))['confirmation_token'],
      );
      koha.putPatron('111', { account_balance: 1 });
      expect(await checkOut(koha, { patron_id, item_id }, { confirmation })).toMatchObject({ status: 412 });
    }));

  test('one that cannot be read does not fit in the newest code', () =>
    withItem({ settings: confirmsFees }, async (koha, patron_id, item_id) => {
      koha.putSettings({ release: '26.05' });
      koha.putItem(barcode, { rental_charge: 1 });
      const reply = await checkOut(koha, { patron_id, item_id }, { confirmation: 'nonsense' });
      expect(reply).toMatchObject({ status: 412, body: { error: 'Confirmation error' } });
    }));

  test('comes back in the Location of the checkout, before its number', () =>
    withItem({ settings: confirmsFees }, async (koha, patron_id, item_id) => {
      koha.putItem(barcode, { rental_charge: 1 });
      const confirmation = String(
        rowOf(await availabilityOf(koha, patron_id, item_id))['confirmation_token'],
      );
      const reply = await checkOut(koha, { patron_id, item_id }, { confirmation });
      const { checkout_id } = rowOf(reply);
      expect(reply.headers.get('location')).toBe(
        `/api/v1/checkouts?confirmation=${confirmation}/${String(checkout_id)}`,
      );
    }));

  test.each(['nonsense', 'eyJhbGciOiJIUzI1NiJ9.eyJpZCI6IjE6MSJ9.AAAA'])('%s is a 500', (confirmation) =>
    withItem({ settings: confirmsFees }, async (koha, patron_id, item_id) => {
      koha.putItem(barcode, { rental_charge: 1 });
      expect(await checkOut(koha, { patron_id, item_id }, { confirmation })).toMatchObject({ status: 500 });
    }),
  );
});

describe('finding checkouts and items', () => {
  test('patron_id is a "contains" match, too', () =>
    withKoha({}, async (koha) => {
      for (let card = 1; card <= 14; card++) {
        koha.putPatron(`c${card}`, {});
        koha.putItem(`i${card}`, { checked_out_to: `c${card}` });
      }
      const ids = async (query: Record<string, string>): Promise<unknown[]> =>
        rowsOf(await koha.request('GET', '/api/v1/checkouts', { query })).map((row) => row['patron_id']);
      expect(await ids({ patron_id: '5' })).toEqual([5, 15]);
      expect(await ids({ q: '{"patron_id":5,"item_id":4}' })).toEqual([5]);
      expect(await ids({ q: '{"patron_id":5,"item_id":5}' })).toEqual([]);
    }));

  test('a barcode is a "contains" match, and exact in a query', () =>
    withKoha({}, async (koha) => {
      koha.putItem('1234', {});
      koha.putItem('912345', {});
      const found = async (query: Record<string, string>): Promise<unknown[]> =>
        rowsOf(await koha.request('GET', '/api/v1/items', { query })).map((row) => row['external_id']);
      expect(await found({ external_id: '1234' })).toEqual(['1234', '912345']);
      expect(await found({ q: '{"external_id":"1234"}' })).toEqual(['1234']);
    }));
});
