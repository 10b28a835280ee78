export type { AttributeAddition } from './attribute-writes.ts';
export type { Capabilities, Description } from './capabilities.ts';
export type { CauseCode } from './cause-code.ts';
export { readCertificateExpiry } from './certificate-expiry.ts';
export type { CertificateExpiry } from './certificate-expiry.ts';
export type { AttributeChange } from './change-attribute.ts';
export type { ChangeResult, PatronChange } from './change-patron.ts';
export type { Availability, CheckoutResult, CheckoutWish } from './check-out.ts';
export type { DeletionBlock, DeletionFacts, DeletionResult } from './copy-deletions.ts';
export type { CreateResult, PatronBody } from './create-patron.ts';
export type { Wanted } from './find-patrons.ts';
export { createKohaClient } from './koha-client.ts';
export type { KohaClient, KohaClientOptions, OpenKohaClient } from './koha-client.ts';
export { isOfOneRecord, KohaError } from './koha-error.ts';
export type { Effect, KohaErrorCode, KohaFailure, KohaOperation } from './koha-error.ts';
export { listPages } from './list-copies.ts';
export type { CopiesWanted } from './list-copies.ts';
export type { OwedByCopy, OwedPage } from './owed.ts';
export { PATRONS_A_PAGE } from './patron-page.ts';
export type { PagePart, PatronPage } from './patron-page.ts';
export { parsePatron } from './patron.ts';
export type { KohaPatron, PatronAttribute } from './patron.ts';
export {
  ATTRIBUTE_VALUE_LIMIT,
  CARD_NUMBER_LIMIT,
  CODE_LIMIT,
  PATRON_FIELDS,
  SETTABLE_FIELDS,
} from './patron-fields.ts';
export type { FieldLimit, PatronField } from './patron-fields.ts';
export type { PluginAbout, PluginCheck } from './plugin-routes.ts';
export { isAnsweredByPage, quoteOf } from './quote-answer.ts';
export type { Person } from './possible-duplicate.ts';
export type { Reach } from './reach.ts';
export type { KohaRestriction, RestrictionKind, RestrictionResult } from './restrictions.ts';
export type { CopyMemoryRow, RememberResult, RememberedCopy, RememberedField } from './remembered-copies.ts';
export { sameCard } from './same-card.ts';
export type { CallOptions } from './session.ts';
export type { CirculationRules, KohaBranch, KohaCategory } from './set-up-reads.ts';
export type { Refused, RefusedWhat } from './write-refusal.ts';
export type { StoredRule } from './stored-rules.ts';
export type { VisiblePatrons } from './visible-patrons.ts';
