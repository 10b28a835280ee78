import { libraryById } from '@passport/patron-rules';
import type { DisclosureReceipt } from '@passport/queue/copies';
import { takeRefreshQuota } from '@passport/queue/ledger';
import { wasNotSent } from '../koha/koha-failure.ts';
import { SweepPaused } from '../koha/slice.ts';
import type { CopiesContext } from '../work-context.ts';

/** New values of a copy that are about to leave for its lending library. */
export type PassedValues = Required<
  Pick<DisclosureReceipt, 'home' | 'lending' | 'homeKey' | 'fields' | 'eventId' | 'patronId'>
> &
  Pick<DisclosureReceipt, 'what' | 'formerKey'>;

/** Makes one request that has values. However often it is tried again, and whatever the last try comes to: one that was read has left. */
export type Sending = <R>(request: () => Promise<R>) => Promise<R>;

/**
 * Does what passes values of a home record on, after the receipt of it was written and its place in the lending library's hour was taken;
 * the receipt is withdrawn where the work fails and nothing was sent. Throws SweepPaused where the hour is used up, and the reason of
 * the signal where it has ended: then nothing was done.
 */
export type PassOn = <T>(values: PassedValues, work: (sending: Sending) => Promise<T>) => Promise<T>;

/** Builds the one way in which values of a copy that is there already leave for its lending library. */
export function buildPassOn(
  { consortium, redis, receipts, now }: Pick<CopiesContext, 'consortium' | 'redis' | 'receipts' | 'now'>,
  /** Ends the calls. */
  signal: AbortSignal,
): PassOn {
  return async (values, work) => {
    signal.throwIfAborted();
    const { lending, eventId, patronId } = values;
    const { refreshesPerHour } = libraryById(consortium, lending).limits;
    const freeInMs = await takeRefreshQuota(redis, lending, `${eventId}.${patronId}`, refreshesPerHour);
    if (freeInMs > 0) throw new SweepPaused(now() + freeInMs);
    const nowMs = now();
    const receipt = { at: new Date(nowMs).toISOString(), what: 'refreshed' as const, ...values };
    const id = await receipts.append(receipt, nowMs, consortium.retention.receiptsMs);
    let hasLeft = false;
    try {
      return await work(async (request) => {
        let isSent = true;
        try {
          return await request();
        } catch (error) {
          isSent = !wasNotSent(error);
          throw error;
        } finally {
          hasLeft ||= isSent;
        }
      });
    } catch (error) {
      if (id !== null && !hasLeft) await receipts.withdraw(receipt, id);
      throw error;
    }
  };
}
