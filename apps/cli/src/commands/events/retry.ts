import { cliConfig } from '@passport/config';
import { FAILURES } from '@passport/contract';
import type { PersonRetry } from '@passport/queue/events';
import { buildRetryOne, retryMany } from './retry-many.ts';
import { type FoundEvent, lookForEvent } from './find-event.ts';
import { type OpenQueue, withQueue, withQueueOf } from '../../connect/with-queue.ts';
import {
  choices,
  type CliDeps,
  defineCommand,
  durationOf,
  flag,
  numberUpTo,
  parsed,
  parsedOr,
  type Report,
  optional,
  WrongUse,
} from '../../program/index.ts';

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

async function retryNamed(
  named: readonly string[],
  at: string | undefined,
  open: OpenQueue,
  report: Report,
  deps: CliDeps,
): Promise<0 | 1> {
  // Every name is looked for before the first retry, so that wrong use does nothing at all.
  const looks: [name: string, found: FoundEvent | null][] = [];
  for (const name of named) looks.push([name, await lookForEvent(open, name, at)]);
  const retryOne = buildRetryOne(open, deps);
  const tried: Tried[] = [];
  for (const [name, found] of looks) {
    const one: Tried =
      found === null
        ? { event: name, retry: { kind: 'unknown' } }
        : { event: found.jobId, retry: await retryOne({ ...found, eventId: found.state.event_id }) };
    tried.push(one);
    report.line(describe(one));
  }
  report.json({ events: tried.map(({ event, retry }) => ({ event, ...retry })) });
  return tried.every(({ retry }) => retry.kind === 'retried' || retry.kind === 'not_failed') ? 0 : 1;
}

/** Events are named, or chosen by outcome and time: never all of them by an oversight. */
function checkUse(
  named: readonly string[],
  { outcome, since, apply, withLate }: Readonly<Record<'outcome' | 'since' | 'apply' | 'withLate', unknown>>,
): void {
  const isBulk = [outcome, since, apply, withLate].some((option) => option !== undefined);
  if (named.length > 0 && isBulk)
    throw new WrongUse('--outcome, --since, --apply and --with-late choose events: name none beside them');
  if (named.length === 0 && (outcome === undefined || since === undefined))
    throw new WrongUse('name the events to retry, or choose them with --outcome and --since');
}

export const eventsRetry = defineCommand({
  summary: 'retry failed events after the cause is fixed',
  description:
    'Restarts the attempts of failed events: of those that are named, or of all that failed with an outcome in a time. Without ' +
    '--apply, the latter are only listed and counted. With it, they are retried at a pace, the newest scans first, a few at a time; ' +
    'it stops when the cause is still there. An item is checked out only within the time after the scan that the library allows: ' +
    'events whose checkout would be too late are left out, since their patrons have gone. Events that did not fail are left ' +
    'unchanged. Each retry is audited. Exit code 1 if an event does not exist, or has failed again.',
  examples: [
    'passport events retry riverside.evt_3f2a',
    'passport events retry --at riverside evt_3f2a evt_9c01',
    'passport events retry --at riverside --outcome MISCONFIGURED --since 2h',
    'passport events retry --at riverside --outcome MISCONFIGURED --since 2h --apply',
  ],
  argument: ['[event...]', 'LIBRARY.EVENT, or event ids'],
  options: {
    at: optional('<library>', 'only events of this lending library'),
    outcome: choices('<code...>', 'events that failed with these outcomes', FAILURES),
    since: parsed('<duration>', 'events that failed at most this long ago, such as 2h', durationOf),
    apply: flag('retry them; without it they are only listed'),
    withLate: flag('also events that are too late for their checkout: only the copy is made'),
    pace: parsedOr('<number>', 'events retried in a second, at most', numberUpTo(20), [2]),
  },
  run: (options, named, report, deps) => {
    checkUse(named, options);
    const { at, outcome = [], since = 0, apply, withLate, pace } = options;
    const work = (open: OpenQueue): Promise<0 | 1> => {
      if (named.length > 0) return retryNamed(named, at, open, report, deps);
      const wish = {
        at: at ?? null,
        outcomes: outcome,
        sinceMs: since,
        apply: apply === true,
        withLate: withLate === true,
        perSecond: pace,
      };
      return retryMany(wish, open, report, deps);
    };
    // Whether a checkout is too late stands in the file, and a default in its place would check out too late, or not at all.
    return apply === true ? withQueueOf(cliConfig(deps.env, deps.readFile), work) : withQueue(deps, work);
  },
});
