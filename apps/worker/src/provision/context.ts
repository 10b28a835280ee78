import type { JobData, Question } from '@passport/contract';
import type { Receipts } from '@passport/queue/copies';
import type { StoredConsent, StoredDecision } from '@passport/queue/scans';
import type { WrittenCopy } from '../koha/copy-memory.ts';
import type { Libraries } from '../koha/libraries.ts';
import type { Audit } from './audit.ts';
import type { CreateAccess } from './create-access.ts';
import type { Quota } from './quota.ts';
import type { WithPatronLock } from './with-patron-lock.ts';
import type { WorkContext } from '../work-context.ts';

/** What the workflow of a scan is done with; built once (start-worker.ts), and handed on as it is. */
export interface ProvisionContext extends Pick<
  WorkContext,
  'consortium' | 'now' | 'monotonicNow' | 'pause' | 'random'
> {
  readonly libraries: Pick<Libraries, 'call' | 'capabilities' | 'prepare'>;
  readonly quota: Quota;
  readonly withPatronLock: WithPatronLock;
  readonly createAccess: CreateAccess;
  readonly audit: Audit;
  readonly receipts: Pick<Receipts, 'append'>;
  /** The service's own records of copies. */
  readonly records: {
    /** The copy on record with this home key, by Koha's number of it; null where there is none. */
    find(lending: string, homeKey: string): Promise<number | null>;
    /** Gives a copy another home key, where it has the one of before. */
    rekey(
      lending: string,
      copy: { readonly patronId: number; readonly from: string; readonly to: string },
    ): Promise<unknown>;
  };
  /** What the desk has reported of an event that has put its question; null: nothing yet. */
  readonly readConsent: (job: Pick<JobData, 'library' | 'event_id'>) => Promise<StoredConsent | null>;
  /** What staff have decided of the question that an event has put; null: nothing yet. */
  readonly readDecision: (
    job: Pick<JobData, 'library' | 'event_id'>,
    question: Question,
  ) => Promise<StoredDecision | null>;
  /** A copy was made, so long after its scan, or after the patron's yes. */
  readonly copied: (lending: string, sinceScanMs: number) => void;
  /** Remembers what was written into a copy; nothing waits for it. */
  readonly remember: (written: WrittenCopy) => void;
  /** Does one step of the workflow, measured and traced. */
  readonly inStep: <T>(name: 'locate' | 'copy' | 'checkout', work: () => Promise<T>) => Promise<T>;
}
