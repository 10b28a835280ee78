export { indexAgreements } from './agreements.ts';
export { ConfigError, type ConfigProblem } from './config-error.ts';
export { COPY_FIELDS, FIELD_GROUPS, type CopyField } from './field-groups.ts';
export type * from './model.ts';
export { type SidePause, nextWindows, pausesAt, windowAt } from './window-at.ts';
export type { PlannedWindow } from './windows-key.ts';
export { Secret } from './secret.ts';
export { doctorConfig, type DoctorConfig } from './doctor-config.ts';
export { parseConsortium } from './parse-consortium.ts';
export {
  cliConfig,
  dashboardConfig,
  explainConfig,
  loadConsortium,
  receiverConfig,
  senderConfig,
  workerConfig,
  type DashboardConfig,
  type QueueAccess,
  type ReceiverConfig,
  type WorkerConfig,
} from './process-config.ts';
export { type CheckedFile, checkedFile } from './checked-file.ts';
export { tryConfig } from './try-config.ts';
export { configWarnings } from './config-warnings.ts';
export { effectiveConfig, renderEffectiveConfig } from './effective-config.ts';
export { configurationReference } from './configuration-reference.ts';
export { parseDuration } from './duration.ts';
