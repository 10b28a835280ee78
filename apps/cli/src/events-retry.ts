import { Option } from 'commander';
import type { PersonRetry } from '@passport/queue';
import { openLedger, retryByPerson } from '@passport/queue';
import type { CliDeps } from './cli-deps.ts';
import type { CommandDraft } from './command.ts';
import type { FoundEvent } from './find-event.ts';
import { lookForEvent } from './find-event.ts';
import type { OpenQueue } from './with-queue.ts';
import { openLog } from './open-log.ts';
import { withQueue } from './with-queue.ts';

interface Tried {
  readonly event: string;
  readonly retry: PersonRetry;
}

function describe({ event, retry }: Tried): string {
  switch (retry.kind) {
    case 'retried':
      return `${event}: retried from the first attempt; the checkout is skipped if it is too late`;
    case 'not_failed':
      return retry.state === 'completed'
        ? `${event}: already ended with ${retry.outcome ?? 'a result'}, nothing to do`
        : `${event}: has not ended yet (${retry.state}), nothing to do`;
    case 'unknown':
      return `${event}: the queue has no such event`;
    case 'unreadable':
      return `${event}: cannot be retried, because its card is no longer stored; scan the card again`;
    default:
      return retry satisfies never;
  }
}

function buildRetry(open: OpenQueue, deps: CliDeps): (found: FoundEvent) => Promise<Tried> {
  const ledger = openLedger(open.redis);
  const log = openLog(deps);
  return async ({ jobId, library, state }) => {
    const retry = await retryByPerson(open.queue, ledger, jobId, await open.now());
    const { kind: result } = retry;
    log.info(
      { audit: true, action: 'retry', by: deps.user, event: state.event_id, lending: library, result },
      'retry by an operator',
    );
    return { event: jobId, retry };
  };
}

export const eventsRetry: CommandDraft<{ at?: string }> = {
  name: 'retry',
  summary: 'retry failed events after the cause is fixed',
  description:
    'Restarts the attempts of failed events. Each event must be named: there is no bulk retry, because most old scans belong to ' +
    'patrons who have left. An item is checked out only within the time after the scan that the library allows. Events that did not ' +
    'fail are left unchanged. If an event does not exist, the others are still retried, and the exit code is 1.',
  examples: [
    'passport events retry riverside.evt_3f2a',
    'passport events retry --at riverside evt_3f2a evt_9c01',
  ],
  argument: ['<event...>', 'LIBRARY.EVENT, or event ids'],
  options: [new Option('--at <library>', 'the lending library of event ids that do not include one')],
  run: ({ at }, named, report, deps) =>
    withQueue(deps, async (open): Promise<0 | 1> => {
      // Every name is looked for before the first retry, so that wrong use does nothing at all.
      const looks: [name: string, found: FoundEvent | null][] = [];
      for (const name of named) looks.push([name, await lookForEvent(open, name, at)]);
      const retryOne = buildRetry(open, deps);
      const tried: Tried[] = [];
      for (const [name, found] of looks) {
        const one: Tried =
          found === null ? { event: name, retry: { kind: 'unknown' } } : await retryOne(found);
        tried.push(one);
        report.line(describe(one));
      }
      report.json({ events: tried.map(({ event, retry }) => ({ event, ...retry })) });
      return tried.every(({ retry }) => retry.kind === 'retried' || retry.kind === 'not_failed') ? 0 : 1;
    }),
};
