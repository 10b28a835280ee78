import type { Consortium } from '@passport/config';
import { KohaError } from '@passport/koha-client';
import { libraryById } from '@passport/patron-rules';
import { type DisclosureReceipt, type Receipts, takeRefreshQuota } from '@passport/queue';
import type { Redis } from '@passport/runtime';
import { LibraryClosed } from '../koha/library-closed.ts';
import { SweepPaused } from './sweep-paused.ts';

/** New values of a copy that are about to leave for its lending library. */
export type PassedValues = Required<
  Pick<DisclosureReceipt, 'home' | 'lending' | 'homeKey' | 'fields' | 'eventId' | 'patronId'>
>;

/**
 * Does what passes values of a home record on, after the receipt of it was written and its place in the lending library's hour was taken.
 * The receipt is taken back where nothing left: where one request failed that says so, or, of work that makes several or repeats them,
 * where `hasLeft` does. Throws SweepPaused where the hour is used up: then nothing was done.
 */
export type PassOn = <T>(values: PassedValues, work: () => Promise<T>, hasLeft?: () => boolean) => Promise<T>;

export interface PassOnDeps {
  readonly consortium: Consortium;
  readonly redis: Redis;
  readonly receipts: Receipts;
  /** Ends the calls: what fails with its reason was not sent. */
  readonly signal: AbortSignal;
  readonly now: () => number;
}

/** Builds the one way in which values of a copy that is there already leave for its lending library. */
export function buildPassOn({ consortium, redis, receipts, signal, now }: PassOnDeps): PassOn {
  return async (values, work, hasLeft) => {
    const { lending, eventId, patronId } = values;
    const { refreshesPerHour } = libraryById(consortium, lending).limits;
    const freeInMs = await takeRefreshQuota(redis, lending, `${eventId}.${patronId}`, refreshesPerHour);
    if (freeInMs > 0) throw new SweepPaused(now() + freeInMs);
    const nowMs = now();
    const receipt = { at: new Date(nowMs).toISOString(), ...values, what: 'refreshed' as const };
    const id = await receipts.append(receipt, nowMs, consortium.retention.receiptsMs);
    try {
      return await work();
    } catch (error) {
      const isUnsent = hasLeft === undefined ? error === signal.reason || didNotLeave(error) : !hasLeft();
      if (id !== null && isUnsent) await receipts.withdraw(receipt, id);
      throw error;
    }
  };
}

/**
 * Whether the one request of a call that failed was certainly never sent; whatever Koha answered, it has read it. For a call that is safe to
 * repeat `effect` says only that: it has no effect wherever its answer was lost.
 */
function didNotLeave(error: unknown): boolean {
  if (error instanceof LibraryClosed) return true;
  if (!(error instanceof KohaError)) return false;
  return error.operation === 'POST /oauth/token' || (error.status === null && error.effect === 'none');
}
