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
    ...setupDefinitions,
  };
  cache.set(release, built);
  return built;
}
