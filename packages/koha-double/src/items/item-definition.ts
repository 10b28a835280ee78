import type { JsonSchema } from '../json-schema.ts';
import { isFrom, type Release } from '../release.ts';
import { itemFields, type ItemField } from './item-fields.ts';

const objectOrNull: JsonSchema = { type: ['object', 'null'] };

/** The item object of a release's description. */
export function itemDefinition(release: Release): JsonSchema {
  const properties = Object.fromEntries(itemFields.map((field) => [field.name, fieldSchema(field, release)]));
  return {
    type: 'object',
    properties: {
      ...properties,
      effective_not_for_loan_status: { type: 'integer' },
      effective_item_type_id: { type: ['string', 'null'] },
      biblio: objectOrNull,
      checkout: objectOrNull,
      transfer: objectOrNull,
      first_hold: objectOrNull,
      recall: objectOrNull,
      item_type: objectOrNull,
      _strings: objectOrNull,
    },
    additionalProperties: false,
  };
}

function fieldSchema(field: ItemField, release: Release): JsonSchema {
  const type = ['text', 'date', 'date-time'].includes(field.kind) ? 'string' : field.kind;
  return {
    type: field.nullable ? [type, 'null'] : type,
    ...(field.kind === 'date' || field.kind === 'date-time' ? { format: field.kind } : {}),
    ...(field.maxLength !== undefined && isFrom(release, '25.11') ? { maxLength: field.maxLength } : {}),
  };
}
