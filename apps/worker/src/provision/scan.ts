import { type JobData, dayOfScan, sealContext } from '@passport/contract';
import type { Sealer } from '@passport/runtime';

/** A job, opened: what the story works with. It never leaves this process. */
export interface Scan {
  readonly lending: string;
  readonly eventId: string;
  readonly branch: string;
  readonly card: string;
  /** Koha's number of the member of staff who scanned; null where nobody was logged in. */
  readonly operator: number | null;
  /** Whether an item waits to be lent. */
  readonly itemAsked: boolean;
  /** Null when no item waits, or when it is gone because it would be too late. */
  readonly item: string | null;
  /** `YYYY-MM-DD` where the card was scanned. */
  readonly day: string;
  /** Keyed hash of the card, for the audit. */
  readonly cardHash: string;
  /** When the card was scanned, in milliseconds of the queue's clock. */
  readonly scannedMs: number;
  /** From when `give_up_after` counts: the scan, or the last retry by a person. */
  readonly startedMs: number;
  /** Whether an earlier run may have written something at the lending library. */
  readonly mayHaveWritten: boolean;
  /** What an earlier run was about to send to the lending library. */
  readonly sent: JobData['sent'];
  /** The copy of an earlier run, when only the loan is left. */
  readonly made: JobData['made'];
}

/** Opens a job. Throws SealError when its card was sealed with a key that is not here. */
export function openScan(job: JobData, sealer: Sealer, mayHaveWritten: boolean): Scan {
  const { library, event_id: eventId } = job;
  const open = (sealed: string | null, field: 'card' | 'item'): string | null =>
    sealed === null ? null : sealer.open(sealed, sealContext(library, eventId, field));
  const scannedMs = job.received_ms - job.age_at_delivery_ms;
  return {
    lending: library,
    eventId,
    branch: job.branch,
    card: open(job.sealed_card, 'card') ?? '',
    operator: job.operator,
    itemAsked: job.item_asked,
    item: open(job.sealed_item, 'item'),
    day: dayOfScan(job.scanned_at),
    cardHash: job.card_hash,
    scannedMs,
    startedMs: job.retried?.at_ms ?? scannedMs,
    mayHaveWritten,
    sent: job.sent,
    made: job.made,
  };
}
