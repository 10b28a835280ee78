import { checkoutDefinition } from '../checkouts/checkout-table.ts';
import { itemDefinition } from '../items/item-table.ts';
import type { Definitions, JsonSchema } from './schema.ts';
import { patronDefinition } from '../patrons/patron-fields.ts';
import type { Release } from '../release.ts';
import { setupDefinitions } from '../setup/setup-rows.ts';

const cache = new Map<Release, Definitions>();

const error: JsonSchema = {
  type: 'object',
  properties: {
    error: { description: 'Error message', type: 'string' },
    error_code: { description: 'Error code', type: 'string' },
  },
  additionalProperties: true,
};

const attribute: JsonSchema = {
  type: 'object',
  properties: {
    extended_attribute_id: { type: 'integer' },
    type: { type: 'string' },
    value: { type: ['string', 'null'] },
  },
  additionalProperties: false,
  required: ['type', 'value'],
};

const availability: JsonSchema = {
  type: 'object',
  properties: {
    blockers: { type: 'object' },
    confirms: { type: 'object' },
    warnings: { type: 'object' },
    confirmation_token: { type: ['string', 'null'] },
  },
  additionalProperties: false,
};

const bundleLink: JsonSchema = {
  type: 'object',
  properties: {
    item_id: { type: ['integer', 'null'] },
    external_id: { type: ['string', 'null'] },
    force_checkin: { type: ['boolean', 'null'] },
    ignore_holds: { type: ['boolean', 'null'] },
    marc_link: { type: 'boolean' },
  },
  additionalProperties: false,
};

const number: JsonSchema = { type: 'number' };
const numberOrNull: JsonSchema = { type: ['integer', 'null'] };
const textOrNull: JsonSchema = { type: ['string', 'null'] };

/** What a patron owes (`api/v1/swagger/definitions/debit.yaml`). */
const accountLine: JsonSchema = {
  type: 'object',
  properties: {
    account_line_id: { ...numberOrNull, readOnly: true },
    amount: { ...number, minimum: 0 },
    amount_outstanding: number,
    ...Object.fromEntries(
      ['cash_register_id', 'checkout_id', 'item_id', 'user_id'].map((name) => [name, numberOrNull]),
    ),
    ...Object.fromEntries(
      ['description', 'interface', 'internal_note', 'library_id', 'payout_type', 'status', 'type'].map(
        (name) => [name, textOrNull],
      ),
    ),
    date: { type: 'string', format: 'date-time' },
    timestamp: { type: 'string', format: 'date-time' },
    patron_id: { type: 'integer' },
  },
  required: ['amount'],
  additionalProperties: false,
};

const credit: JsonSchema = {
  type: 'object',
  properties: {
    credit_type: { type: 'string' },
    amount: { ...number, minimum: 0 },
    library_id: textOrNull,
    account_lines_ids: { type: 'array', items: { type: 'integer' } },
    payment_type: { type: 'string' },
    date: { type: 'string', format: 'date' },
    description: { type: 'string' },
    note: { type: 'string' },
  },
  required: ['amount'],
  additionalProperties: false,
};

/** The objects of a release's description, by name. */
export function definitionsOf(release: Release): Definitions {
  const known = cache.get(release);
  if (known !== undefined) return known;
  const built: Definitions = {
    error,
    patron: patronDefinition(release),
    patron_extended_attribute: attribute,
    item: itemDefinition(release),
    checkout: checkoutDefinition(release),
    checkout_availability: availability,
    bundle_link: bundleLink,
    debit: accountLine,
    patron_account_credit: credit,
    ...setupDefinitions,
  };
  cache.set(release, built);
  return built;
}
