import type { Effect, KohaOperation } from './koha-error.ts';

const WRITES: ReadonlySet<KohaOperation> = new Set<KohaOperation>([
  'POST /patrons',
  'PUT /patrons/{patron_id}',
  'POST /patrons/{patron_id}/extended_attributes',
  'DELETE /patrons/{patron_id}/extended_attributes/{extended_attribute_id}',
  'PATCH /patrons/{patron_id}/extended_attributes/{extended_attribute_id}',
  'POST /contrib/passport/deletions',
  'POST /checkouts',
  'PUT /contrib/passport/scans/{event_id}/outcome',
]);

/**
 * What a lost answer of this operation leaves open. Requesting a token and the doctor's attribute probe are sent with
 * POST and PUT but change nothing that anyone could look up afterwards.
 */
export function effectOf(operation: KohaOperation): Effect {
  return WRITES.has(operation) ? 'unknown' : 'none';
}
