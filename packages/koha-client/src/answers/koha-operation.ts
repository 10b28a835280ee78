/** `none`: nothing was changed, or the call is safe to repeat. `unknown`: look before the call is made again. */
export type Effect = 'none' | 'unknown';

const KB = 1024;
/** A refusal or a receipt is a few kilobytes. */
const SMALL_BYTES = 256 * KB;
/** A page of 100 patrons is about 400 KB. One alone is a few, but the notes in Koha's `mediumtext` and `longtext` have no end. */
const LIST = { maxBytes: 1024 * KB };
/**
 * A lost answer leaves open whether it was done. Other writes are safe to repeat: requesting a token, the doctor's attribute probe, and
 * what the plugin stores of copies and restrictions.
 */
const UNSAFE = { effect: 'unknown' } as const;

/** Every call that is ever made, as Koha's own description spells it, with what is not usual about it. */
const OPERATIONS = {
  // A whole Koha of 2026 describes itself in about 2 MB; plugins add theirs.
  'GET /': { maxBytes: 4 * 1024 * KB },
  'POST /oauth/token': { maxBytes: 16 * KB },
  'GET /patrons': LIST,
  'GET /patrons/{patron_id}': LIST,
  'POST /patrons': UNSAFE,
  'PUT /patrons/{patron_id}': { ...UNSAFE, ...LIST },
  'PUT /patrons/{patron_id}/extended_attributes': {},
  'POST /patrons/{patron_id}/extended_attributes': UNSAFE,
  'DELETE /patrons/{patron_id}/extended_attributes/{extended_attribute_id}': UNSAFE,
  'PATCH /patrons/{patron_id}/extended_attributes/{extended_attribute_id}': UNSAFE,
  'DELETE /patrons/{patron_id}': UNSAFE,
  'POST /patrons/{patron_id}/account/debits': UNSAFE,
  'POST /patrons/{patron_id}/account/credits': UNSAFE,
  'GET /biblios': LIST,
  'POST /biblios': UNSAFE,
  'DELETE /biblios/{biblio_id}': UNSAFE,
  'POST /biblios/{biblio_id}/items': UNSAFE,
  'DELETE /items/{item_id}': UNSAFE,
  'POST /items/{item_id}/bundled_items': UNSAFE,
  'DELETE /items/{item_id}/bundled_items/{bundled_item_id}': UNSAFE,
  'GET /items': LIST,
  'GET /checkouts': {},
  // Its warnings can hold the whole record of another patron.
  'GET /checkouts/availability': LIST,
  'POST /checkouts': UNSAFE,
  // Each branch may have a page of HTML for the catalogue (`opac_info`).
  'GET /libraries': { maxBytes: 4 * 1024 * KB },
  'GET /patron_categories': LIST,
  // One row for each branch, category and item type that has a rule, without pages: 50,000 of them are 6 MB.
  'GET /circulation_rules': { maxBytes: 8 * 1024 * KB },
  'PUT /circulation_rules': {},
  'GET /contrib/passport/about': {},
  'POST /contrib/passport/check': {},
  'PUT /contrib/passport/scans/{event_id}/outcome': UNSAFE,
  // 200 rows with some 25 fields of 120 bytes each.
  'GET /contrib/passport/copies': { maxBytes: 4 * 1024 * KB },
  'PUT /contrib/passport/copies': {},
  'PUT /contrib/passport/copies/{patron_id}': {},
  'GET /contrib/passport/deletions': {},
  'POST /contrib/passport/deletions': UNSAFE,
  'GET /contrib/passport/owed': {},
  // 5,000 rows of 120 bytes.
  'GET /contrib/passport/loans': LIST,
  'GET /contrib/passport/restrictions/{kind}': {},
  'PUT /contrib/passport/restrictions/{kind}/{library}/{patron_id}': {},
  'DELETE /contrib/passport/restrictions/{kind}/{library}/{patron_id}': {},
  'GET /contrib/passport/patrons/{patron_id}/restrictions': {},
} as const satisfies Readonly<Record<string, OperationFacts>>;

interface OperationFacts {
  readonly effect?: Effect;
  readonly maxBytes?: number;
}

/** A Koha route as its own description spells it: method and path template, never a filled-in path. */
export type KohaOperation = keyof typeof OPERATIONS;

const factsOf = (operation: KohaOperation): OperationFacts => OPERATIONS[operation];

/** What a lost answer of this operation leaves open. */
export const effectOf = (operation: KohaOperation): Effect => factsOf(operation).effect ?? 'none';

/** How many bytes an answer to this operation may have; nothing beyond is read. */
export const maxAnswerBytes = (operation: KohaOperation): number =>
  factsOf(operation).maxBytes ?? SMALL_BYTES;

/** Method and path of a call: the template with its places filled. Throws TypeError where one of them is missing. */
export function requestLine(
  operation: KohaOperation,
  places: Readonly<Record<string, string | number>> = {},
): { readonly method: string; readonly path: string } {
  const [method = '', template = ''] = operation.split(' ');
  const path = template.replaceAll(/\{(\w+)\}/g, (_place, name: string) => {
    const value = places[name];
    if (value === undefined) throw new TypeError(`${operation} needs ${name}`);
    return encodeURIComponent(value);
  });
  return { method, path };
}
