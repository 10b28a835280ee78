import type { KohaOperation } from './koha-error.ts';

const KB = 1024;

/** A page of 100 patrons is about 400 KB; a single record, a refusal or a receipt is a few. */
const SMALL_BYTES = 256 * KB;
const LIST_BYTES = 1024 * KB;
const LARGER: Partial<Readonly<Record<KohaOperation, number>>> = {
  'POST /oauth/token': 16 * KB,
  // A whole Koha of 2026 describes itself in about 2 MB; plugins add theirs.
  'GET /': 4 * 1024 * KB,
  'GET /patrons': LIST_BYTES,
  'GET /items': LIST_BYTES,
  'GET /libraries': LIST_BYTES,
  'GET /patron_categories': LIST_BYTES,
  // One row for each branch, category and item type that has a rule, without pages.
  'GET /circulation_rules': 4 * 1024 * KB,
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
