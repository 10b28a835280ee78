import { isFrom, type Release } from '../release.ts';
import { reference, type JsonSchema } from '../json-schema.ts';
import { patronFields, type PatronField } from './patron-fields.ts';

/** The patron object of a release's description. */
export function patronDefinition(release: Release): JsonSchema {
  const properties: Record<string, JsonSchema> = {};
  for (const field of patronFields) {
    if (field.since !== undefined && !isFrom(release, field.since)) continue;
    properties[field.name] = fieldSchema(field, release);
    if (field.name === 'patron_card_lost') {
      if (isFrom(release, '24.11')) properties['expired'] = { type: 'boolean', readOnly: true };
      properties['restricted'] = { type: 'boolean', readOnly: true };
    }
  }
  return {
    type: 'object',
    properties: { ...properties, ...embeds },
    additionalProperties: false,
    required: ['surname', 'library_id', 'category_id'],
  };
}

const embeds: Readonly<Record<string, JsonSchema>> = {
  extended_attributes: { type: 'array', items: reference('patron_extended_attribute') },
  checkouts_count: { type: ['integer', 'null'] },
  overdues_count: { type: ['integer', 'null'] },
  account_balance: { type: ['number', 'null'] },
  library: { type: ['object', 'null'] },
  _strings: { type: ['object', 'null'] },
};

/** Embeds are in the object's description, yet none of them is a column: sending one ends in a 500. */
export const unwritableEmbeds = [
  'checkouts_count',
  'overdues_count',
  'account_balance',
  'library',
  '_strings',
];

function fieldSchema(field: PatronField, release: Release): JsonSchema {
  if (field.name === 'anonymized') return { type: 'boolean', readOnly: true };
  if (field.name === 'check_previous_checkout') {
    return isFrom(release, '25.11') ? { type: 'string', enum: ['yes', 'no', 'inherit'] } : { type: 'string' };
  }
  const type = typeOf(field);
  return {
    type: field.nullable ? [type, 'null'] : type,
    ...(field.kind === 'date' || field.kind === 'date-time' ? { format: field.kind } : {}),
    ...(field.maxLength !== undefined && isFrom(release, '25.11') ? { maxLength: field.maxLength } : {}),
  };
}

function typeOf(field: PatronField): string {
  return field.kind === 'boolean' || field.kind === 'integer' ? field.kind : 'string';
}
