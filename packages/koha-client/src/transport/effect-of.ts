/** `none`: nothing was changed, or the call is safe to repeat. `unknown`: look before the call is made again. */
export type Effect = 'none' | 'unknown';

/**
 * What a lost answer of each operation leaves open. Some writes are safe to repeat: requesting a token, the doctor's attribute probe,
 * and what the plugin stores of copies and restrictions.
 */
const EFFECTS = {
  'GET /': 'none',
  'POST /oauth/token': 'none',
  'GET /patrons': 'none',
  'GET /patrons/{patron_id}': 'none',
  'POST /patrons': 'unknown',
  'PUT /patrons/{patron_id}': 'unknown',
  'PUT /patrons/{patron_id}/extended_attributes': 'none',
  'POST /patrons/{patron_id}/extended_attributes': 'unknown',
  'DELETE /patrons/{patron_id}/extended_attributes/{extended_attribute_id}': 'unknown',
  'PATCH /patrons/{patron_id}/extended_attributes/{extended_attribute_id}': 'unknown',
  'GET /items': 'none',
  'GET /checkouts': 'none',
  'GET /checkouts/availability': 'none',
  'POST /checkouts': 'unknown',
  'GET /libraries': 'none',
  'GET /patron_categories': 'none',
  'GET /circulation_rules': 'none',
  'GET /contrib/passport/about': 'none',
  'POST /contrib/passport/check': 'none',
  'PUT /contrib/passport/scans/{event_id}/outcome': 'unknown',
  'GET /contrib/passport/copies': 'none',
  'PUT /contrib/passport/copies/{patron_id}': 'none',
  'GET /contrib/passport/deletions': 'none',
  'POST /contrib/passport/deletions': 'unknown',
  'GET /contrib/passport/owed': 'none',
  'GET /contrib/passport/restrictions/{kind}': 'none',
  'PUT /contrib/passport/restrictions/{kind}/{library}/{patron_id}': 'none',
  'DELETE /contrib/passport/restrictions/{kind}/{library}/{patron_id}': 'none',
} as const satisfies Readonly<Record<string, Effect>>;

/** A Koha route as its own description spells it: method and path template, never a filled-in path. */
export type KohaOperation = keyof typeof EFFECTS;

/** What a lost answer of this operation leaves open. */
export function effectOf(operation: KohaOperation): Effect {
  return EFFECTS[operation];
}
