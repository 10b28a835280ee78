import { notFound, ok, uncaught, type Answer } from '../answer.ts';
import type { ApiCall, Operation } from '../api/operation.ts';
import { embed, filter, jsonBody, listParameters, pathId, withErrors } from '../api/parameters.ts';
import { hasPermission } from '../auth/permissions.ts';
import { reference } from '../json-schema.ts';
import { everything } from '../query/condition.ts';
import { simpleFilters } from '../query/filters.ts';
import { listAnswer } from '../query/list-answer.ts';
import { addCheckout } from './add-checkout.ts';
import { findAvailability } from './availability.ts';
import { checkoutSource, renderCheckout } from './checkout-source.ts';
import { confirmationId, signConfirmation } from './confirmation-token.ts';

const checkout = reference('checkout');
const checkoutList = { type: 'array', items: checkout } as const;
const patronOnly = new Set(['patron_id']);
const circulate = { circulate: 'circulate_remaining_permissions' };
const checkedIn = filter('checked_in', 'boolean');

const list: Operation = {
  method: 'GET',
  path: '/checkouts',
  spec: () => ({
    parameters: [filter('patron_id', 'integer'), ...listParameters, checkedIn, embed('issuer', 'renewals')],
    responses: withErrors({ '200': checkoutList }, 404),
    permissions: [circulate, { circulate: 'manage_bookings' }],
  }),
  handle: (call) =>
    listAnswer(
      call,
      checkoutSource(
        call.double,
        { isReturned: call.query['checked_in'] === true, patronId: null },
        call.embeds,
      ),
      simpleFilters(call.query, patronOnly),
      (row) => renderCheckout(call, row),
    ),
};

const ofPatron: Operation = {
  method: 'GET',
  path: '/patrons/{patron_id}/checkouts',
  since: '24.05',
  spec: () => ({
    parameters: [pathId('patron_id'), ...listParameters, checkedIn, embed('issuer')],
    responses: withErrors({ '200': checkoutList }, 404),
    permissions: circulate,
  }),
  handle: (call) => {
    const patronId = Number(call.path['patron_id']);
    if (call.double.db.patrons.get(patronId) === undefined) return notFound(call.release, 'Patron');
    return listAnswer(
      call,
      checkoutSource(call.double, { isReturned: call.query['checked_in'] === true, patronId }, call.embeds),
      everything,
      (row) => renderCheckout(call, row),
    );
  },
};

const one: Operation = {
  method: 'GET',
  path: '/checkouts/{checkout_id}',
  spec: () => ({
    parameters: [pathId('checkout_id'), embed('issuer', 'renewals')],
    responses: withErrors({ '200': checkout }, 404),
    permissions: circulate,
  }),
  handle: (call) => {
    const row = call.double.db.checkouts.get(Number(call.path['checkout_id']));
    return row === undefined ? notFound(call.release, 'Checkout') : ok(renderCheckout(call, row));
  },
};

const availability: Operation = {
  method: 'GET',
  path: '/checkouts/availability',
  spec: () => ({
    parameters: [filter('patron_id', 'integer'), filter('item_id', 'integer')],
    responses: withErrors({ '200': reference('checkout_availability') }),
    permissions: circulate,
  }),
  handle: answerAvailability,
};

/** Not harmless: for a statistical patron it writes a statistics row, and then fails. */
function answerAvailability(call: ApiCall): Answer {
  const { double, user } = call;
  const patron = double.db.patrons.get(Number(call.query['patron_id']));
  const item = double.db.items.get(Number(call.query['item_id']));
  if (patron === undefined || item === undefined) return uncaught();
  if (double.db.categories.get(patron.columns.category_id)?.category_type === 'X') {
    double.db.statistics += 1;
    return uncaught();
  }
  const found = findAvailability({
    double,
    patron,
    item,
    actingLibrary: call.actingLibrary,
    isSuperlibrarian: hasPermission(user.permissions, 'superlibrarian', '1'),
  });
  const id = confirmationId(user.patron_id, item.item_id, found.confirms);
  return ok({ ...found, confirmation_token: signConfirmation(double.tokenSecret, id) });
}

const add: Operation = {
  method: 'POST',
  path: '/checkouts',
  spec: () => ({
    parameters: [jsonBody(checkout), filter('confirmation')],
    responses: withErrors({ '201': checkout }, 409, 412),
    permissions: circulate,
  }),
  handle: addCheckout,
};

export const checkoutRoutes: readonly Operation[] = [list, ofPatron, availability, one, add];
