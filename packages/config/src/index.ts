export { numberOf } from './cards/card-form.ts';
export { cardPattern } from './cards/card-pattern.ts';
export { type PartnerCards, hiddenPartners, partnerCards } from './cards/partner-cards.ts';
export { indexAgreements, type Agreement } from './agreements/agreements.ts';
export { ConfigError, type ConfigProblem, describeProblem } from './problems/config-error.ts';
export { type MailServer, readMailServer } from './schema/mail-keys.ts';
export type { Consortium, NotifiedEndpoint } from './schema/consortium-schema.ts';
export type {
  AppliedChanges,
  CategoryChoice,
  CategoryFilter,
  CopyPolicy,
  Eligibility,
  ExpiryChoice,
  Library,
} from './schema/library-schema.ts';
export { type SidePause, nextWindows, pausesAt, windowAt } from './windows/window-at.ts';
export type { PlannedWindow } from './windows/windows-key.ts';
export { Secret } from './secrets/secret.ts';
export { parseConsortium } from './file/parse-consortium.ts';
export {
  checkedFile,
  cliConfig,
  dashboardConfig,
  doctorConfig,
  rehearsalConfig,
  explainConfig,
  joinConfig,
  type JoinConfig,
  loadConsortium,
  queueConfig,
  receiverConfig,
  senderConfig,
  tryConfig,
  workerConfig,
  type CheckedFile,
  type DashboardConfig,
  type DoctorConfig,
  type QueueAccess,
  type ReceiverConfig,
  type WorkerConfig,
} from './environment/process-config.ts';
export { type LibraryEntry, addLibrary, renderLibrary, startLibrary } from './file/edit-file.ts';
export { faultOfNewLibrary } from './schema/library-schema.ts';
export { publicAddress } from './schema/koha-url.ts';
export { patternOf } from './cards/card-form.ts';
export { isComparable } from './cards/find-common-card.ts';
export { configWarnings } from './file/config-warnings.ts';
export { effectiveConfig, renderEffectiveConfig } from './file/effective-config.ts';
export { configurationReference } from './configuration-reference.ts';
export { parseDuration } from './keys/duration.ts';
