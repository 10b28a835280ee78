import type { JsonSchema } from '../json-schema.ts';
import { isFrom, type Release } from '../release.ts';

const integerOrNull: JsonSchema = { type: ['integer', 'null'] };
const textOrNull: JsonSchema = { type: ['string', 'null'] };
const momentOrNull: JsonSchema = { type: ['string', 'null'], format: 'date-time' };
const objectOrNull: JsonSchema = { type: ['object', 'null'] };

/** The checkout object of a release's description: barcode from 24.11, booking and return place from 25.11. */
export function checkoutDefinition(release: Release): JsonSchema {
  return {
    type: 'object',
    properties: {
      checkout_id: { type: 'integer' },
      patron_id: { type: 'integer' },
      item_id: integerOrNull,
      ...(isFrom(release, '25.11') ? { booking_id: integerOrNull } : {}),
      ...(isFrom(release, '24.11') ? { external_id: textOrNull } : {}),
      due_date: { type: 'string', format: 'date-time' },
      library_id: textOrNull,
      issuer_id: integerOrNull,
      checkin_date: momentOrNull,
      ...(isFrom(release, '25.11') ? { checkin_library_id: textOrNull } : {}),
      last_renewed_date: momentOrNull,
      renewals_count: integerOrNull,
      unseen_renewals: integerOrNull,
      auto_renew: { type: 'boolean' },
      auto_renew_error: textOrNull,
      timestamp: { type: 'string' },
      checkout_date: { type: 'string', format: 'date-time' },
      onsite_checkout: { type: 'boolean' },
      note: textOrNull,
      note_date: { type: ['string', 'null'], format: 'date' },
      note_seen: { type: ['boolean', 'null'] },
      issuer: objectOrNull,
      ...(isFrom(release, '25.11')
        ? { item: objectOrNull, library: objectOrNull, patron: objectOrNull, booking: objectOrNull }
        : {}),
    },
    additionalProperties: false,
  };
}
