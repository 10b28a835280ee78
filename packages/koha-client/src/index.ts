export type { Capabilities } from './setup/capabilities.ts';
export { readCertificateExpiry, type CertificateExpiry } from './transport/certificate-expiry.ts';
export type { ChangeResult, PatronChange } from './patrons/write-patron.ts';
export type { CheckoutResult } from './checkouts/check-out.ts';
export type { DeletionBlock, DeletionFacts } from './plugin/copy-deletions.ts';
export type { CreateResult, PatronBody } from './patrons/write-patron.ts';
export {
  createKohaClient,
  type KohaClient,
  type KohaClientOptions,
  type OpenKohaClient,
} from './koha-client.ts';
export {
  isEndedByUs,
  isOfOneRecord,
  KohaError,
  type KohaErrorCode,
  type KohaFailure,
} from './errors/koha-error.ts';
export { listPages, type CopiesWanted, type ListedPage } from './patrons/patron-page.ts';
export type { OwedByCopy } from './plugin/owed.ts';
export { PATRONS_A_PAGE, type PatronPage } from './patrons/patron-page.ts';
export { parsePatron, type KohaPatron, type PatronAttribute } from './patrons/patron.ts';
export {
  PATRON_FIELDS,
  SETTABLE_FIELDS,
  type FieldLimit,
  type PatronField,
} from './patrons/patron-fields.ts';
export type { PluginAbout, PluginCheck } from './plugin/plugin-routes.ts';
export { isAnsweredByPage, quoteOf } from './errors/quote-answer.ts';
export type { Person } from './patrons/find-patrons.ts';
export type { KohaRestriction } from './plugin/restrictions.ts';
export type { CopyMemoryRow, RememberedCopy, RememberedField } from './plugin/remembered-copies.ts';
export { sameCard } from './patrons/same-card.ts';
export type { CallOptions } from './transport/session.ts';
export type { KohaBranch, KohaCategory } from './setup/set-up-reads.ts';
export type { StoredRule } from './setup/set-up-reads.ts';
export { readInHalves } from './patrons/patron-page.ts';
export type { VisiblePatrons } from './patrons/find-patrons.ts';
