import { Option } from 'commander';
import type { PersonRetry } from '@passport/queue';
import { openLedger, retryByPerson } from '@passport/queue';
import type { CommandDraft } from './command.ts';
import { findEvent } from './find-event.ts';
import { openLog, withQueue } from './with-queue.ts';

interface Tried {
  readonly event: string;
  readonly retry: PersonRetry;
}

function describe({ event, retry }: Tried): string {
  switch (retry.kind) {
    case 'retried':
      return `${event}: tried again, with its attempts anew; the loan is left out once it is too late for it`;
    case 'not_failed':
      return retry.state === 'completed'
        ? `${event}: has ended with ${retry.outcome ?? 'a result'}, nothing to do`
        : `${event}: is being worked on (${retry.state}), nothing to do`;
    case 'unknown':
      return `${event}: the queue has no such event`;
    case 'unreadable':
      return `${event}: cannot be tried again, its card is no longer there; scan the card again`;
    default:
      return retry satisfies never;
  }
}

export const eventsRetry: CommandDraft<{ at?: string }> = {
  name: 'retry',
  summary: 'try failed events again, after what was wrong is mended',
  description:
    'Starts the attempts of failed events anew. Each event is named: there is no way to retry all, as most old scans are of ' +
    'patrons who have left. A loan is made only within the time after the scan that the library allows. An event that did not ' +
    'fail is left alone.',
  examples: [
    'passport events retry riverside.evt_3f2a',
    'passport events retry --at riverside evt_3f2a evt_9c01',
  ],
  argument: ['<event...>', 'LIBRARY.EVENT, or event ids'],
  options: [new Option('--at <library>', 'the lending library of event ids without one')],
  run: ({ at }, named, report, deps) =>
    withQueue(deps, async (open): Promise<0 | 1> => {
      const ledger = openLedger(open.redis);
      const log = openLog(deps);
      const tried: Tried[] = [];
      for (const name of named) {
        const { jobId, library, state } = await findEvent(open, name, at);
        const retry = await retryByPerson(open.queue, ledger, jobId, await open.now());
        const { kind: result } = retry;
        log.info(
          { audit: true, action: 'retry', by: deps.user, event: state.event_id, lending: library, result },
          'retry by a person',
        );
        tried.push({ event: jobId, retry });
        report.line(describe({ event: jobId, retry }));
      }
      report.json({ events: tried.map(({ event, retry }) => ({ event, ...retry })) });
      return tried.every(({ retry }) => retry.kind === 'retried' || retry.kind === 'not_failed') ? 0 : 1;
    }),
};
