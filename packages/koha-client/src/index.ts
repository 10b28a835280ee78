export type { Capabilities } from './capabilities.ts';
export { readCertificateExpiry, type CertificateExpiry } from './certificate-expiry.ts';
export type { ChangeResult, PatronChange } from './change-patron.ts';
export type { CheckoutResult } from './check-out.ts';
export type { DeletionBlock, DeletionFacts } from './copy-deletions.ts';
export type { CreateResult, PatronBody } from './create-patron.ts';
export {
  createKohaClient,
  type KohaClient,
  type KohaClientOptions,
  type OpenKohaClient,
} from './koha-client.ts';
export { isEndedByUs, isOfOneRecord, KohaError, type KohaErrorCode, type KohaFailure } from './koha-error.ts';
export { listPages, type CopiesWanted, type ListedPage } from './list-pages.ts';
export type { OwedByCopy } from './owed.ts';
export type { PatronPage } from './patron-page.ts';
export { parsePatron, type KohaPatron, type PatronAttribute } from './patron.ts';
export { PATRON_FIELDS, SETTABLE_FIELDS, type FieldLimit, type PatronField } from './patron-fields.ts';
export type { PluginAbout, PluginCheck } from './plugin-routes.ts';
export { isAnsweredByPage, quoteOf } from './quote-answer.ts';
export type { Person } from './possible-duplicate.ts';
export type { KohaRestriction } from './restrictions.ts';
export type { CopyMemoryRow, RememberedCopy, RememberedField } from './remembered-copies.ts';
export { sameCard } from './same-card.ts';
export type { CallOptions } from './session.ts';
export type { KohaBranch, KohaCategory } from './set-up-reads.ts';
export type { StoredRule } from './stored-rules.ts';
export { readInHalves } from './read-in-halves.ts';
export type { VisiblePatrons } from './visible-patrons.ts';
