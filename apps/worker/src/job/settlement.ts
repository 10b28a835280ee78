import type { JobData } from '@passport/contract';
import { type Ledger, hourUseOf } from '@passport/queue/ledger';
import type { DisclosureReceipt } from '@passport/queue/copies';
import { noteItem } from '@passport/queue/retention';
import { statisticsOf } from '@passport/queue/statistics';
import type { Redis } from '@passport/runtime';
import type { ProvisionContext } from '../provision/context.ts';
import { appendReceipt } from '../provision/record-copy.ts';
import { type OwnCopy, disclosuresOf } from '../provision/result.ts';
import { wantedSinceMs } from '../provision/scan.ts';

type ReceiptContext = Pick<ProvisionContext, 'consortium' | 'receipts' | 'now'>;

/** What an event leaves in Redis beside its job is written on. All of it may be done again after a crash. */
export interface SettleContext extends ReceiptContext {
  readonly ledger: Pick<Ledger, 'settle' | 'releaseQuota'>;
  readonly redis: Redis;
}

/**
 * Writes a receipt for each record that has left for the lending library, once per event and patron, and puts the `copy` that is
 * there on record.
 */
export async function recordDisclosures(
  job: JobData,
  context: ReceiptContext,
  copy: OwnCopy | undefined = copyOf(job),
): Promise<void> {
  for (const { home, home_key: homeKey, fields } of disclosuresOf(job)) {
    const { library: lending, event_id: eventId, consent } = job;
    const receipt = { home, lending, homeKey, fields, eventId, ...overrideOf(job, homeKey, context) };
    const number = copy?.homeKey === homeKey ? { patronId: copy.patronId } : {};
    await appendReceipt({ ...receipt, ...number, ...(consent === undefined ? {} : { consent }) }, context);
  }
}

/** What staff have overridden of this patron, and for how long that holds by what the lending library says now. */
function overrideOf(
  { library, decided = [] }: JobData,
  homeKey: string,
  { consortium }: ReceiptContext,
): Pick<DisclosureReceipt, 'override'> {
  const made = decided.find((each) => each.question === 'OVERRIDE' && each.home_key === homeKey);
  if (made === undefined) return {};
  const { reasons, option: because, operator, at } = made;
  const lending = consortium.libraries.find(({ id }) => id === library);
  const until = new Date(Date.parse(at) + (lending?.eligibility.override?.forMs ?? 0)).toISOString();
  return { override: { reasons, because, operator, at, until } };
}

/** Settles an event that has ended in the ledger, once, and notes when its encrypted item must go. */
export async function settle(
  job: JobData,
  jobId: string,
  { consortium, ledger, redis }: SettleContext,
): Promise<void> {
  const { outcome, homes, updated_at: endedAt } = job.progress;
  if (outcome === null) return;
  const used = hourUseOf({ outcome, homes, hasSentRecord: hasDisclosed(job), hasAsked: hasAsked(job) });
  await ledger.settle(job.library, job.event_id, outcome, endedAt, { used, statistics: statisticsOf(job) });
  if (job.encrypted_item === null) return;
  // A failed job loses its item when it is too late to check it out.
  const lending = consortium.libraries.find(({ id }) => id === job.library);
  await noteItem(redis, jobId, wantedSinceMs(job) + (lending?.retry.checkoutWithinMs ?? 0));
}

/** Releases the quota of an event that waits, unless it has sent a record, or staff have read something of a patron. */
export async function releaseQuota(job: JobData, { ledger }: Pick<SettleContext, 'ledger'>): Promise<void> {
  if (!hasDisclosed(job) && !hasAsked(job)) await ledger.releaseQuota(job.library, job.event_id);
}

/** The copy that a job says is there: while its checkout is left to do, and where this event made it. */
function copyOf(job: JobData): OwnCopy | undefined {
  const { made, progress } = job;
  if (made !== null) return { homeKey: made.home_key, patronId: made.patron_id };
  const last = disclosuresOf(job).at(-1);
  if (progress.outcome !== 'COPIED' || progress.patron_id === null || last === undefined) return undefined;
  return { homeKey: last.home_key, patronId: progress.patron_id };
}

/** Whether staff were asked about somebody: whoever cancels then has read where they are at home, or why they are refused. */
const hasAsked = ({ asks }: JobData): boolean => asks !== undefined;

/** Whether a record has left for the lending library, stored there or not. */
const hasDisclosed = (job: JobData): boolean => disclosuresOf(job).length > 0;
