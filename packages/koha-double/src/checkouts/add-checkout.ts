import { crash, problem, type Answer } from '../answer.ts';
import type { ApiCall } from '../api/operation.ts';
import { hasPermission } from '../auth/permissions.ts';
import type { ItemRow } from '../items/item-table.ts';
import { isRecord } from '../record.ts';
import { isFrom } from '../release.ts';
import { findAvailability } from './availability.ts';
import type { Availability, Wish } from './wish.ts';
import { renderCheckout } from './checkout-source.ts';
import { confirmationId, readConfirmation } from './confirmation-token.ts';
import { checkOut } from './check-out.ts';

/** `POST /checkouts`: the availability check again, then the checkout. Due date, on-site and library are ignored. */
export function addCheckout(call: ApiCall): Answer {
  const { double, user } = call;
  const body = isRecord(call.body) ? call.body : {};
  const item = findItem(call, body);
  if ('status' in item) return item;
  const patron = double.db.patrons.get(Number(body['patron_id'] ?? 0));
  if (patron === undefined) return conflict('Patron not found', 'PATRON_NOT_FOUND');
  if (double.db.categories.get(patron.columns.category_id)?.category_type === 'X') {
    double.db.statistics += 1;
    return crash();
  }
  const isSuperlibrarian = hasPermission(user.permissions, 'superlibrarian', '1');
  const wish: Wish = { double, patron, item, actingLibrary: call.actingLibrary, isSuperlibrarian };
  const refused = refuse(call, wish, findAvailability(wish));
  if (refused !== null) return refused;
  if (item.columns.external_id === null) return problem(500, 'Unknown error during checkout');
  const row = checkOut(wish, user.patron_id);
  return {
    status: 201,
    body: renderCheckout(call, row),
    // Koha writes the number behind the whole address of the request, its query included.
    headers: { Location: `/api/v1/checkouts${queryOf(call)}/${row.checkout_id}` },
  };
}

function queryOf({ search }: ApiCall): string {
  return search === '' ? '' : `?${search}`;
}

function findItem(call: ApiCall, body: Readonly<Record<string, unknown>>): ItemRow | Answer {
  const { items } = call.double.db;
  const itemId = body['item_id'] ?? null;
  const barcode = body['external_id'] ?? null;
  if (itemId === null && barcode === null && isFrom(call.release, '24.11')) {
    return problem(400, 'Missing or wrong parameters', { error_code: 'MISSING_OR_WRONG_PARAMETERS' });
  }
  const byId = itemId === null ? undefined : items.get(Number(itemId));
  const byBarcode = typeof barcode === 'string' ? items.withBarcode(barcode) : undefined;
  const item = itemId === null ? byBarcode : byId;
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
  const token = call.query['confirmation'];
  if (typeof token !== 'string' || token === '') return problem(412, 'Confirmation error');
  const claim = readConfirmation(call.double.tokenSecret, token);
  // The newest code takes a token that it cannot read for one that does not fit; older code dies on it.
  if (claim === null) return isFrom(call.release, '26.05') ? problem(412, 'Confirmation error') : crash();
  const expected = confirmationId(call.user.patron_id, wish.item.item_id, found.confirms);
  return claim === expected ? null : problem(412, 'Confirmation error');
}

function conflict(error: string, error_code: string): Answer {
  return problem(409, error, { error_code });
}
