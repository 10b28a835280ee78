export type { CheckoutResult } from './checkouts/check-out.ts';
export {
  isEndedByUs,
  isOfOneRecord,
  KohaError,
  type KohaErrorCode,
  type KohaFailure,
} from './errors/koha-error.ts';
export { attempt } from './errors/attempt.ts';
export { isAnsweredByPage, quoteOf } from './errors/quote-answer.ts';
export {
  createKohaClient,
  type KohaClient,
  type KohaClientOptions,
  type OpenKohaClient,
} from './koha-client.ts';
export type { Person, VisiblePatrons } from './patrons/find-patrons.ts';
export {
  type CopiesWanted,
  type ListedPage,
  listPages,
  type PatronPage,
  readInHalves,
} from './patrons/patron-page.ts';
export { parsePatron, type KohaPatron, type PatronAttribute } from './patrons/patron.ts';
export type { ChangeResult, CreateResult, PatronBody, PatronChange } from './patrons/write-patron.ts';
export type { DeletionBlock, DeletionFacts } from './plugin/copy-deletions.ts';
export type { LoanCounts } from './plugin/loans.ts';
export type { OwedByCopy } from './plugin/owed.ts';
export type { PluginAbout, PluginCheck } from './plugin/plugin-routes.ts';
export {
  type MadeCopy,
  type RememberedCopy,
  type RememberedField,
  type Standing,
  storeRemembered,
} from './plugin/remembered-copies.ts';
export type { KohaRestriction, PatronRestriction, RestrictionResult } from './plugin/restrictions.ts';
export type { Capabilities } from './transport/capabilities.ts';
export type { KohaBranch, KohaCategory, StoredRule } from './setup/set-up-reads.ts';
export type { AnswerShape } from './answers/answer-shape.ts';
export { readCertificateExpiry, type CertificateExpiry } from './transport/certificate-expiry.ts';
export type { CallOptions } from './transport/session.ts';
export {
  openSip,
  SipError,
  type SipAccess,
  type SipConnection,
  type SipErrorCode,
} from './sip/sip-client.ts';
