import type { NotificationFact, NotificationTopic, NotificationType } from '@passport/contract';

/** What is the case now, of one topic and library. */
export interface Observation {
  readonly topic: NotificationTopic;
  /** Null: of the whole service. */
  readonly library: string | null;
  /** Two observations of one state are the same news. */
  readonly state: string;
  /** As it should be: worth a message only after one that said otherwise. */
  readonly isWell: boolean;
  /** Null: nobody is notified of this state, it only ends another. */
  readonly type: Exclude<NotificationType, 'test'> | null;
  /** One sentence, without the library's id. */
  readonly text: string;
  /** Section of the runbook. */
  readonly section: string;
  readonly facts: Readonly<Record<string, NotificationFact>>;
}
