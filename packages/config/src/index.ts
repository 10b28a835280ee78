export { indexAgreements } from './agreements.ts';
export { ConfigError } from './config-error.ts';
export type { ConfigProblem } from './config-error.ts';
export { COPY_FIELDS, FIELD_GROUPS, SET_ONLY_FIELDS } from './field-groups.ts';
export type { CopyField } from './field-groups.ts';
export type * from './model.ts';
export { type SidePause, nextWindows, pausesAt, windowAt } from './window-at.ts';
export type { PlannedWindow } from './windows-key.ts';
export { Secret } from './secret.ts';
export { doctorConfig } from './doctor-config.ts';
export type { DoctorConfig } from './doctor-config.ts';
export { parseConsortium } from './parse-consortium.ts';
export {
  cliConfig,
  dashboardConfig,
  explainConfig,
  loadConsortium,
  receiverConfig,
  senderConfig,
  workerConfig,
} from './process-config.ts';
export type { DashboardConfig, QueueAccess, ReceiverConfig, WorkerConfig } from './process-config.ts';
export { tryConfig } from './try-config.ts';
export { configWarnings } from './config-warnings.ts';
export { effectiveConfig, renderEffectiveConfig } from './effective-config.ts';
export { configurationReference } from './configuration-reference.ts';
export { parseDuration } from './duration.ts';
