export { indexAgreements } from './agreements/agreements.ts';
export { ConfigError, type ConfigProblem } from './problems/config-error.ts';
export { COPY_FIELDS, FIELD_GROUPS, SET_ONLY_FIELDS, type CopyField } from './file/field-groups.ts';
export type * from './file/model.ts';
export { type SidePause, nextWindows, pausesAt, windowAt } from './windows/window-at.ts';
export type { PlannedWindow } from './windows/windows-key.ts';
export { Secret } from './secrets/secret.ts';
export { doctorConfig, type DoctorConfig } from './environment/doctor-config.ts';
export { parseConsortium } from './file/parse-consortium.ts';
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
} from './environment/process-config.ts';
export { type CheckedFile, checkedFile } from './environment/checked-file.ts';
export { tryConfig } from './environment/try-config.ts';
export { configWarnings } from './file/config-warnings.ts';
export { effectiveConfig, renderEffectiveConfig } from './file/effective-config.ts';
export { configurationReference } from './file/configuration-reference.ts';
export { parseDuration } from './file/duration.ts';
