import { STANDING_REASONS } from '@passport/contract';

/** What may be said of one copy; each is counted in the report of a sweep. */
export const COPY_FINDINGS = [
  /** The copy is as the home library would have it. */
  'UNCHANGED',
  /** Fields of the copy get the home library's new values. */
  'REFRESHED',
  /** Somebody edited a field at the lending library: it stays, whatever home says. */
  'KEPT_LOCAL',
  /** The service's own records do not know this copy, or know it as another patron's: it is not followed. */
  'NOT_ON_RECORD',
  /** The lending library requests consent, and of this patron none is on record: nothing is passed on. */
  'NO_CONSENT',
  /** Nothing is known of what was written: made before this was remembered, or without the plugin. */
  'NOT_REMEMBERED',
  /** What was written is remembered by a key that is not here. */
  'PASSPORT_KEY_UNKNOWN',
  /** Home replaced the card. */
  'CARD_CHANGED',
  /** Home's card is none of its own, or one of another library's: the copy keeps the one it has. */
  'CARD_NOT_OF_HOME',
  /** The expiry moved. */
  'EXPIRY_CHANGED',
  /** By the patron's category at home, the copy would be made in another one today. */
  'CATEGORY_CHANGED',
  'HOME_RESTRICTED',
  /** Not any more: what the service restricted the copy for. */
  'HOME_RESTRICTION_LIFTED',
  'HOME_CARD_LOST',
  /** Not any more: what the service marked the copy for. */
  'HOME_CARD_FOUND',
  'HOME_EXPIRED',
  /** By the lending library's `eligibility`, or what it has agreed with home, the patron would not be copied today; the reasons stand beside it. */
  'NOT_ELIGIBLE',
  /** They would be, and the lending library was told otherwise last. */
  'ELIGIBLE_AGAIN',
  ...STANDING_REASONS,
  // HOME_GONE, of STANDING_REASONS: home anonymised the patron; of a record that was not answered it needs two sweeps a day apart.
  /** Home did not answer for the patron once: not gone yet. */
  'HOME_MISSING',
  /** So many are missing at one home that it hides its patrons: nobody is taken for gone. */
  'HOME_HIDES_PATRONS',
  /** Home has the card under another number, and it is not sure that the patron is the same, or another copy has that number. */
  'HOME_MERGED',
  /** Home has merged the record into another: the copy has its number now. */
  'REKEYED',
  'MERGED_INTO_NATIVE',
  /** Home has given the number to somebody else: another card, and another birth date or other names. */
  'OTHER_PERSON',
  'COPY_ANONYMIZED',
  // NOT_SHARED, of STANDING_REASONS: nothing more of the patron is passed on.
  /** The lending library made it its own patron. */
  'NOT_A_COPY',
  /** The library of the home key is none that copies may come from. */
  'HOME_UNKNOWN',
  /** The record is no patron by anything known of Koha, here or at home. */
  'UNREADABLE',
  /** The lending Koha did not take the change. */
  'KOHA_REFUSED',
] as const;
export type CopyFinding = (typeof COPY_FINDINGS)[number];
