/**
 * What can be found wrong with the service itself, with the section of the runbook about it. The codes are stable: `--ignore` and
 * scripts use them.
 */
export const SERVICE_FINDINGS = {
  receiver_unreachable: 'passportreceivergone',
  receiver_refuses: 'passportreceiverrefuses',
  redis_unreachable: 'passportredisdown',
  redis_policy: 'passportredisforgets',
  redis_no_file: 'passportredisnofile',
  redis_filling: 'passportredisfilling',
  no_worker: 'passportnoworker',
  no_receiver: 'passportreceivergone',
  process_gone: 'passporttargetdown',
  process_version: 'upgrade',
  config_differs: 'change-the-configuration',
  config_refused: 'change-the-configuration',
  not_reloaded: 'change-the-configuration',
  shared_address: 'users-of-the-dashboard',
  notify_stopped: 'notify-operators',
  deliveries_refused: 'passportunauthorized',
  unknown_sender: 'passportunknownlibrary',
  reports_refused: 'passportreportsrefused',
  unreadable_job: 'a-job-that-cannot-be-read',
  log_lost: 'passportloglost',
} as const;
export type ServiceFindingCode = keyof typeof SERVICE_FINDINGS;
