import type { Consortium } from '@passport/config';
import type { JobData } from '@passport/contract';
import { type DisclosureReceipt, type Ledger, type Receipts, hourUseOf, statisticsOf } from '@passport/queue';
import type { ObserveDeps } from '../provision/local-copy.ts';
import { type OwnCopy, disclosuresOf } from '../provision/result.ts';
import { wantedSinceMs } from '../provision/scan.ts';

/** What an event leaves in Redis beside its job. All of it may be done again after a crash. */
export interface Settlement {
  /**
   * Writes a receipt for each record that has left for the lending library, once per event and patron, and puts the `copy` that is
   * there on record.
   */
  recordDisclosures(job: JobData, copy?: OwnCopy): Promise<void>;
  /** Writes the receipt of a record that was read for a library that only observes, once per event and patron. */
  readonly recordObserved: ObserveDeps['recordObserved'];
  /** Settles an event that has ended in the ledger, once, and notes when its encrypted item must go. */
  settle(job: JobData, jobId: string): Promise<void>;
  /** Releases the quota of an event that waits, unless it has sent a record. */
  releaseQuota(job: JobData): Promise<void>;
}

export function buildSettlement(deps: {
  readonly consortium: Consortium;
  readonly ledger: Pick<Ledger, 'settle' | 'releaseQuota'>;
  readonly receipts: Receipts;
  /** Notes that a failed job's encrypted item must be gone by then. */
  readonly noteItem: (jobId: string, goneAtMs: number) => Promise<void>;
  readonly now: () => number;
}): Settlement {
  const { consortium, ledger, receipts, noteItem, now } = deps;
  const append = async (receipt: Omit<DisclosureReceipt, 'at'>): Promise<void> => {
    const at = new Date(now()).toISOString();
    await receipts.append({ at, ...receipt }, now(), consortium.retention.receiptsMs);
  };
  return {
    async recordDisclosures(job, copy = copyOf(job)) {
      for (const { home, home_key: homeKey, fields } of disclosuresOf(job)) {
        const { library: lending, event_id: eventId, consent } = job;
        await append({
          home,
          lending,
          homeKey,
          fields,
          eventId,
          ...(copy?.homeKey === homeKey ? { patronId: copy.patronId } : {}),
          ...(consent === undefined ? {} : { consent }),
        });
      }
    },
    recordObserved: (receipt) => append({ ...receipt, what: 'observed' }),
    async settle(job, jobId) {
      const { outcome, homes, updated_at: endedAt } = job.progress;
      if (outcome === null) return;
      const used = hourUseOf({ outcome, homes, hasSentRecord: hasDisclosed(job) });
      await ledger.settle(job.library, job.event_id, outcome, endedAt, {
        used,
        statistics: statisticsOf(job),
      });
      if (job.sealed_item !== null) await noteItem(jobId, itemGoneAt(consortium, job));
    },
    async releaseQuota(job) {
      if (!hasDisclosed(job)) await ledger.releaseQuota(job.library, job.event_id);
    },
  };
}

/** The copy that a job says is there: while its checkout is left to do, and where this event made it. */
function copyOf(job: JobData): OwnCopy | undefined {
  const { made, progress } = job;
  if (made !== null) return { homeKey: made.home_key, patronId: made.patron_id };
  const last = disclosuresOf(job).at(-1);
  if (progress.outcome !== 'COPIED' || progress.patron_id === null || last === undefined) return undefined;
  return { homeKey: last.home_key, patronId: progress.patron_id };
}

/** Whether a record has left for the lending library, stored there or not. */
const hasDisclosed = (job: JobData): boolean => disclosuresOf(job).length > 0;

/** A failed job loses its item when it is too late to check it out. */
function itemGoneAt({ libraries }: Consortium, job: JobData): number {
  const lending = libraries.find(({ id }) => id === job.library);
  return wantedSinceMs(job) + (lending?.retry.checkoutWithinMs ?? 0);
}
