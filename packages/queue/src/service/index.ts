export {
  type NewRefusal,
  REFUSAL_REASONS,
  type RefusalReason,
  type RefusedDeliveries,
  openRefusedDeliveries,
} from './refused-deliveries.ts';
export {
  type Asker,
  type ServiceFinding,
  findProcessFaults,
  findRedisFaults,
  readServiceFindings,
  sectionOf,
} from './service-findings.ts';
