export { type NewRefusal, openRefusedDeliveries } from './refused-deliveries.ts';
export { openUnreadableJobs } from './unreadable-jobs.ts';
export {
  type Asker,
  type ServiceFinding,
  findProcessFaults,
  findRedisFaults,
  readServiceFindings,
  sectionOf,
} from './service-findings.ts';
