/** What operators can be notified of; the words of `notify[].topics` in the configuration. */
export const NOTIFICATION_TOPICS = [
  'library',
  'set_up_fault',
  'limit_reached',
  'worker_missing',
  'service_fault',
  'deliveries_refused',
  'reports_refused',
  'sweep_finished',
  'certificate',
  'join_request',
] as const;
export type NotificationTopic = (typeof NOTIFICATION_TOPICS)[number];

/** The types of the messages, each of one topic. `test` is sent by `passport notify test` only. */
export const NOTIFICATION_TYPES = {
  'library.away': 'library',
  'library.back': 'library',
  'set_up.fault': 'set_up_fault',
  'set_up.fixed': 'set_up_fault',
  'limit.reached': 'limit_reached',
  'worker.missing': 'worker_missing',
  'worker.back': 'worker_missing',
  'service.fault': 'service_fault',
  'service.fixed': 'service_fault',
  'deliveries.refused': 'deliveries_refused',
  'deliveries.accepted': 'deliveries_refused',
  'reports.refused': 'reports_refused',
  'reports.accepted': 'reports_refused',
  'sweep.finished': 'sweep_finished',
  'certificate.expiring': 'certificate',
  'join.requested': 'join_request',
} as const satisfies Readonly<Record<string, NotificationTopic>>;
export type NotificationType = keyof typeof NOTIFICATION_TYPES | 'test';

/** A fact of a message: a code, a count, a time. */
export type NotificationFact = string | number | null | Readonly<Record<string, number>>;

/**
 * One message to operators, as it is sent in the format `standard`. Nothing in it is about a person: ids and names of libraries, codes, counts,
 * times.
 */
export interface NotificationMessage {
  readonly type: NotificationType;
  /** When it was found, ISO 8601. */
  readonly timestamp: string;
  readonly data: {
    readonly consortium: string;
    /** Null: of the whole service. */
    readonly library: { readonly id: string; readonly name: string } | null;
    /** One sentence for people. */
    readonly text: string;
    /** The page of the dashboard about it; null where the configuration does not say where the dashboard is. */
    readonly link: string | null;
    /** The section of the runbook on the dashboard; else its path and section in the documentation of this version. */
    readonly runbook: string;
    readonly facts: Readonly<Record<string, NotificationFact>>;
  };
}
