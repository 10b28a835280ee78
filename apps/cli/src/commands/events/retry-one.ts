import { type PersonRetry, openLedger, retryByPerson } from '@passport/queue';
import type { CliDeps } from '../../program/cli-deps.ts';
import { openLog } from '../../program/open-log.ts';
import type { OpenQueue } from '../../connect/with-queue.ts';

/** An event to retry, by the id of its job. */
interface ToRetry {
  readonly jobId: string;
  readonly library: string;
  readonly eventId: string;
}

/** Retries one event at a time, each with a line in the audit. */
export function buildRetryOne(open: OpenQueue, deps: CliDeps): (event: ToRetry) => Promise<PersonRetry> {
  const ledger = openLedger(open.redis);
  const log = openLog(deps);
  return async ({ jobId, library, eventId }) => {
    const retry = await retryByPerson(open.queue, ledger, jobId, await open.now());
    const { kind: result } = retry;
    // Gone since it was found: nothing was done.
    if (result === 'unknown') return retry;
    log.info(
      { audit: true, action: 'retry', by: deps.user, event: eventId, lending: library, result },
      'retry by an operator',
    );
    return retry;
  };
}
