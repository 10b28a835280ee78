import type { KohaOperation } from './effect-of.ts';

const KB = 1024;

/** A refusal or a receipt is a few kilobytes. */
const SMALL_BYTES = 256 * KB;
/** A page of 100 patrons is about 400 KB. One alone is a few, but the notes in Koha's `mediumtext` and `longtext` have no end. */
const LIST_BYTES = 1024 * KB;
const LARGER: Partial<Readonly<Record<KohaOperation, number>>> = {
  'POST /oauth/token': 16 * KB,
  // A whole Koha of 2026 describes itself in about 2 MB; plugins add theirs.
  'GET /': 4 * 1024 * KB,
  'GET /patrons': LIST_BYTES,
  'GET /patrons/{patron_id}': LIST_BYTES,
  'PUT /patrons/{patron_id}': LIST_BYTES,
  // Its warnings can hold the whole record of another patron.
  'GET /checkouts/availability': LIST_BYTES,
  'GET /items': LIST_BYTES,
  // Each branch may have a page of HTML for the catalogue (`opac_info`).
  'GET /libraries': 4 * 1024 * KB,
  'GET /patron_categories': LIST_BYTES,
  // One row for each branch, category and item type that has a rule, without pages: 50,000 of them are 6 MB.
  'GET /circulation_rules': 8 * 1024 * KB,
  // 200 rows with some 25 fields of 120 bytes each.
  'GET /contrib/passport/copies': 4 * 1024 * KB,
};

/** How many bytes an answer to this operation may have; nothing beyond is read. */
export function maxAnswerBytes(operation: KohaOperation): number {
  return LARGER[operation] ?? SMALL_BYTES;
}

/** Koha's description nests about 20 deep, everything else less than 6. */
export const MAX_DEPTH = 64;
/** Attributes of one patron, types of one Koha, complaints of one refusal that are looked at. */
export const MAX_ATTRIBUTES = 500;
/** Koha's column holds 255 characters; nothing longer is ever compared or written. */
export const MAX_ATTRIBUTE_VALUE = 4_000;
