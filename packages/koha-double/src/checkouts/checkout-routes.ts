import { createHmac, timingSafeEqual } from 'node:crypto';
import { crash, ok, problem, uncaught, type Answer } from '../answer.ts';
import {
  buildRoute,
  embed,
  filter,
  jsonBody,
  listParameters,
  type ApiCall,
  type Operation,
} from '../api/operation.ts';
import { listOf, reference } from '../api/schema.ts';
import { hasPermission } from '../auth/permissions.ts';
import type { Double } from '../double.ts';
import type { ItemRow } from '../items/item-table.ts';
import type { PatronRow } from '../patrons/patron-table.ts';
import { candidateIds } from '../query/condition.ts';
import { listAnswer, type Source } from '../query/list-answer.ts';
import { isRecord } from '../record.ts';
import { isFrom } from '../release.ts';
import { findAvailability, type Availability, type Wish } from './availability.ts';
import { checkOut } from './check-out.ts';
import { checkoutFields, type CheckoutRow } from './checkout-table.ts';

const checkout = reference('checkout');
const circulate = { circulate: 'circulate_remaining_permissions' };

/** A column that all releases have in the table of checkouts. */
function columnOf(name: string): string | undefined {
  const column = checkoutFields.nameOf(name);
  return checkoutFields.byName.get(column ?? '')?.since === undefined ? column : undefined;
}

function checkoutSource({ db: { checkouts } }: Double): Source<CheckoutRow> {
  return {
    rows: () => checkouts.rows(),
    column: columnOf,
    read: (row, column) => row[column as keyof CheckoutRow],
    candidates: (condition) => {
      const ids = candidateIds(condition, (of, value) => {
        if (of.kind !== 'column') return null;
        if (of.column === 'patron_id') return checkouts.ids('patron', String(Number(value)));
        return of.column === 'item_id' ? checkouts.ids('item', String(Number(value))) : null;
      });
      return ids === null ? null : checkouts.inOrder(ids);
    },
  };
}

/** A checkout as the API of this release answers it; the barcode is accepted on input only. */
function renderCheckout({ release }: ApiCall, row: CheckoutRow): unknown {
  const known = checkoutFields.fieldsOf(release).filter(({ name }) => Object.hasOwn(row, name));
  return Object.fromEntries(known.map(({ name }) => [name, row[name as keyof CheckoutRow]]));
}

const list = buildRoute(
  'GET',
  '/checkouts',
  {
    parameters: [
      filter('patron_id', 'integer'),
      ...listParameters,
      filter('checked_in', 'boolean'),
      embed('issuer', 'renewals'),
    ],
    answers: { 200: listOf(checkout) },
    permissions: [circulate, { circulate: 'manage_bookings' }],
  },
  (call) =>
    listAnswer(call, checkoutSource(call.double), ['patron_id', 'checked_in'], (row) =>
      renderCheckout(call, row),
    ),
);

const availability = buildRoute(
  'GET',
  '/checkouts/availability',
  {
    parameters: [filter('patron_id', 'integer'), filter('item_id', 'integer')],
    answers: { 200: reference('checkout_availability') },
    permissions: circulate,
  },
  (call) => {
    const { double, user, query } = call;
    const patron = double.db.patrons.get(Number(query['patron_id']));
    const item = double.db.items.get(Number(query['item_id']));
    if (patron === undefined || item === undefined || isStatistical(double, patron)) return uncaught();
    const found = findAvailability(wishOf(call, patron, item));
    const id = confirmationId(user.patron_id, item.item_id, found.confirms);
    return ok({ ...found, confirmation_token: signConfirmation(double.tokenSecret, id) });
  },
);

/** To look is not harmless: for a statistical patron Koha writes a statistics row, and then fails. */
function isStatistical({ db }: Double, patron: PatronRow): boolean {
  const isSo = db.categories.get(patron.columns.category_id)?.category_type === 'X';
  if (isSo) db.statistics += 1;
  return isSo;
}

function wishOf({ double, user, actingLibrary }: ApiCall, patron: PatronRow, item: ItemRow): Wish {
  const isSuperlibrarian = hasPermission(user.permissions, 'superlibrarian', '1');
  return { double, patron, item, actingLibrary, isSuperlibrarian };
}

/** The availability check again, then the checkout. Due date, on-site and library are ignored. */
const add = buildRoute(
  'POST',
  '/checkouts',
  {
    parameters: [jsonBody(checkout), filter('confirmation')],
    answers: { 201: checkout },
    permissions: circulate,
  },
  (call) => {
    const { double, search } = call;
    const body = isRecord(call.body) ? call.body : {};
    const item = findItem(call, body);
    if ('status' in item) return item;
    const patron = double.db.patrons.get(Number(body['patron_id'] ?? 0));
    if (patron === undefined) return conflict('Patron not found', 'PATRON_NOT_FOUND');
    if (isStatistical(double, patron)) return crash();
    const wish = wishOf(call, patron, item);
    const refused = refuse(call, wish, findAvailability(wish));
    if (refused !== null) return refused;
    if (item.columns.external_id === null) return problem(500, 'Unknown error during checkout');
    const row = checkOut(wish);
    // Koha writes the number behind the whole address of the request, its query included.
    const location = `/api/v1/checkouts${search === '' ? '' : `?${search}`}/${row.checkout_id}`;
    return { status: 201, body: renderCheckout(call, row), headers: { Location: location } };
  },
);

function findItem(call: ApiCall, body: Readonly<Record<string, unknown>>): ItemRow | Answer {
  const { items } = call.double.db;
  const { item_id: itemId = null, external_id: barcode = null } = body;
  if (itemId === null && barcode === null && isFrom(call.release, '24.11')) {
    return problem(400, 'Missing or wrong parameters', { error_code: 'MISSING_OR_WRONG_PARAMETERS' });
  }
  const byBarcode = typeof barcode === 'string' ? items.withBarcode(barcode) : undefined;
  const item = itemId === null ? byBarcode : items.get(Number(itemId));
  if (item === undefined) return conflict('Item not found', 'ITEM_NOT_FOUND');
  if (itemId !== null && barcode !== null && byBarcode !== item) {
    return conflict('Item ID does not match the provided external ID', 'ITEM_ID_NOT_MATCHING_EXTERNAL_ID');
  }
  return item;
}

function refuse(call: ApiCall, wish: Wish, found: Availability): Answer | null {
  const blockers = Object.keys(found.blockers);
  if (blockers.length > 0) return problem(403, `Checkout not authorized (${blockers.join(' ')})`);
  if (Object.keys(found.confirms).length === 0) return null;
  const { confirmation: token = '' } = call.query;
  const unconfirmed = problem(412, 'Confirmation error');
  if (typeof token !== 'string' || token === '') return unconfirmed;
  const claim = readConfirmation(call.double.tokenSecret, token);
  // The newest code takes a token that it cannot read for one that does not fit; older code dies on it.
  if (claim === null) return isFrom(call.release, '26.05') ? unconfirmed : crash();
  const expected = confirmationId(call.user.patron_id, wish.item.item_id, found.confirms);
  return claim === expected ? null : unconfirmed;
}

function conflict(error: string, error_code: string): Answer {
  return problem(409, error, { error_code });
}

const header = encode({ alg: 'HS256' });

/** Koha's confirmation token: an HS256 JWT with one claim, `APIUSER:ITEM:KEY:KEY...`, and no end. */
function signConfirmation(secret: string, id: string): string {
  const signed = `${header}.${encode({ id })}`;
  return `${signed}.${signature(secret, signed)}`;
}

/** The claim of a token, or null for one that is malformed or signed elsewhere: Koha's decoder dies on those. */
function readConfirmation(secret: string, token: string): string | null {
  const [head = '', payload = '', given = ''] = token.split('.');
  const expected = Buffer.from(signature(secret, `${head}.${payload}`));
  const actual = Buffer.from(given);
  if (expected.length !== actual.length || !timingSafeEqual(expected, actual)) return null;
  const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
  return isRecord(claims) && typeof claims['id'] === 'string' ? claims['id'] : null;
}

/** The claim for an API user, an item and the keys that want confirming, data keys included. */
function confirmationId(userId: number, itemId: number, confirms: Availability['confirms']): string {
  return [String(userId), String(itemId), ...Object.keys(confirms).sort()].join(':');
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function signature(secret: string, signed: string): string {
  return createHmac('sha256', secret).update(signed).digest('base64url');
}

export const checkoutRoutes: readonly Operation[] = [list, availability, add];
