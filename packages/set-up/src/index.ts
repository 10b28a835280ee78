export { checkAddress } from './check-address.ts';
export { checkSight } from './check-api-user.ts';
export { branchesWithout, ruleInForce, saysZero } from './check-categories.ts';
export type { PluginReports } from './check-plugin.ts';
export { type Examined, checkClosedMap, checkTwins, collect, examineLibrary } from './examine-library.ts';
export {
  type ExaminedKoha,
  type Examinee,
  type ExamineeDeps,
  type Findings,
  examineeOf,
} from './examinee.ts';
export {
  type Finding,
  type FindingCode,
  FINDING_CODES,
  fault,
  unchecked,
  warning,
  withoutIntended,
} from './finding.ts';
export { findingsToKeep, withUnseenFaults } from './findings-to-keep.ts';
export { PLUGIN_FINDINGS, isOfUnknownLibrary } from './plugin-findings.ts';
