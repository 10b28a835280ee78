import { retryByPerson } from '@passport/queue/events';
import { jobIdOf } from '@passport/queue/keys';
import type { Ledger } from '@passport/queue/ledger';
import type { ScanJobs } from '@passport/queue/scans';
import type { Logger } from '@passport/runtime';
import type { Person } from '../login/login.ts';

/** The event that somebody acts on. */
export interface EventRef {
  readonly library: string;
  readonly eventId: string;
}

export type ActionName = 'retry' | 'promote' | 'discard';

export type ActionResult =
  | { readonly kind: 'done' }
  | { readonly kind: 'unknown' }
  /** Its state does not allow it; nothing was done. */
  | { readonly kind: 'not_now'; readonly state: string }
  /** A retry cannot help: its payload cannot be read, or its card is gone. */
  | { readonly kind: 'unreadable' }
  /** Its job is gone, but its books are open: sent again it would be taken as new. Another discard closes them. */
  | { readonly kind: 'half_done' }
  /** Its job was gone, and its books are closed now. */
  | { readonly kind: 'closed' };

/**
 * What a person may do to one event. Each try is one audit line: who, what, which event, what came of it. Of an event that is not there
 * nothing can be done, and there is no line: a program that guesses ids would fill the audit.
 */
export type PersonActions = Readonly<
  Record<ActionName, (person: Person, event: EventRef) => Promise<ActionResult>>
>;

const PROMOTABLE = ['delayed'];
/** Not `active`: a worker holds it, and may be about to write. */
const DISCARDABLE = ['failed', 'completed', 'delayed', 'prioritized', 'waiting'];

/** Builds the actions over the queue; `now` in milliseconds by the queue's clock. */
export function buildPersonActions(deps: {
  queue: ScanJobs;
  ledger: Ledger;
  now: () => number;
  log: Logger;
}): PersonActions {
  const { queue, ledger, now, log } = deps;
  const isKnown = async (action: ActionName, { library, eventId }: EventRef): Promise<boolean> =>
    (await queue.getJob(jobIdOf(library, eventId))) !== undefined ||
    (action === 'discard' && (await ledger.isOpen(library, eventId)));
  const audited =
    (action: ActionName, act: (jobId: string, event: EventRef) => Promise<ActionResult>) =>
    async (person: Person, { library, eventId }: EventRef): Promise<ActionResult> => {
      if (!(await isKnown(action, { library, eventId }))) return { kind: 'unknown' };
      const line = { audit: true, action, by: person.user, event: eventId, lending: library };
      try {
        const result = await act(jobIdOf(library, eventId), { library, eventId });
        const { kind, ...more } = result;
        log.info({ ...line, result: kind, ...more }, `${action} by a person`);
        return result;
      } catch (error) {
        log.warn({ ...line, result: 'not_known' }, `${action} by a person`);
        throw error;
      }
    };
  return {
    retry: audited('retry', async (jobId) => {
      const retry = await retryByPerson(queue, ledger, jobId, now());
      if (retry.kind === 'retried') return { kind: 'done' };
      return retry.kind === 'not_failed' ? { kind: 'not_now', state: retry.state } : { kind: retry.kind };
    }),
    promote: audited('promote', (jobId) => inState(queue, jobId, PROMOTABLE, (job) => job.promote())),
    discard: audited('discard', async (jobId, { library, eventId }) => {
      const removed = await inState(queue, jobId, DISCARDABLE, (job) => job.remove());
      if (removed.kind === 'not_now' && removed.state !== GONE) return removed;
      try {
        // Or a redelivery would bring it back. Also for a job that is gone: of a discard that was cut short here.
        await ledger.strikeOut(library, eventId);
      } catch (error) {
        log.error({ event: eventId, lending: library, error }, 'discarded, but its books are open');
        return { kind: 'half_done' };
      }
      return { kind: removed.kind === 'unknown' ? 'closed' : 'done' };
    }),
  };
}

/** What BullMQ calls the state of a job that is not there. */
const GONE = 'unknown';

type ScanJob = NonNullable<Awaited<ReturnType<ScanJobs['getJob']>>>;

/** Acts when the job is in one of `states`; a job that moved on while we acted counts as not being there. */
async function inState(
  queue: ScanJobs,
  jobId: string,
  states: readonly string[],
  act: (job: ScanJob) => Promise<void>,
): Promise<ActionResult> {
  const job = await queue.getJob(jobId);
  if (job === undefined) return { kind: 'unknown' };
  const state = await job.getState();
  if (!states.includes(state)) return { kind: 'not_now', state };
  try {
    await act(job);
    return { kind: 'done' };
  } catch (error) {
    const after = await job.getState();
    if (after === state) throw error;
    return { kind: 'not_now', state: after };
  }
}
