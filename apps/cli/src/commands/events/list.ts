import { localTime } from '@passport/runtime';
import {
  type EventFilterState,
  type ListedEvent,
  ANY_EVENT,
  EVENT_STATES,
  findEvents,
} from '@passport/queue/events';
import { describeState, eventLine } from './describe-state.ts';
import { type OpenQueue, withQueue } from '../../connect/with-queue.ts';
import {
  choices,
  defineCommand,
  findLibrary,
  numberUpTo,
  parsedOr,
  type Report,
  optional,
} from '../../program/index.ts';

const libraryOf = (event: ListedEvent): string => event.jobId.slice(0, event.jobId.indexOf('.'));
const changedAt = (event: ListedEvent): string =>
  event.kind === 'event' ? localTime(Date.parse(event.state.updated_at)) : '';

/** The newest events in one state, page by page. */
async function newest(
  { redis, queue, nameOf }: OpenQueue,
  state: EventFilterState,
  { at, limit }: { readonly at: string | undefined; readonly limit: number },
): Promise<ListedEvent[]> {
  const events: ListedEvent[] = [];
  let after: string | null = null;
  do {
    const search = { ...ANY_EVENT, state, jobsAt: at ?? null, after, most: limit - events.length };
    const page = await findEvents(redis, queue, nameOf, search);
    events.push(...page.events);
    after = page.next;
  } while (after !== null && events.length < limit);
  return events;
}

function print(events: readonly ListedEvent[], report: Report): void {
  const { line, colors } = report;
  for (const event of events) {
    const about =
      event.kind === 'event'
        ? describeState(event.state, colors)
        : colors.red(`unreadable  the job does not match this version: ${event.fields.join(', ')}`);
    line(eventLine(report, changedAt(event), event.jobId, about));
  }
  if (events.length === 0) line('no events');
}

export const eventsList = defineCommand({
  summary: 'list the events in the queue, without personal data',
  description:
    'Lists the events that are still in the queue, the newest of each state first. The output contains no card, item or name: ' +
    'these are stored encrypted or not at all.',
  examples: [
    'passport events list',
    'passport events list --at riverside --state failed waiting',
    "passport events list --json | jq '.events[].event_id'",
  ],
  options: {
    at: optional('<library>', 'only events of this lending library'),
    state: choices('<state...>', 'only events in these states', EVENT_STATES),
    limit: parsedOr('<number>', 'maximum number of events per state', numberUpTo(9_999), [50]),
  },
  run: (options, _args, report, deps) =>
    withQueue(deps, async (open): Promise<0> => {
      if (options.at !== undefined) findLibrary(open.consortium, options.at);
      const events: ListedEvent[] = [];
      for (const state of options.state ?? EVENT_STATES) events.push(...(await newest(open, state, options)));
      report.json({
        events: events.map((event) =>
          event.kind === 'event'
            ? event.state
            : { library: libraryOf(event), unreadable: event.fields, job_id: event.jobId },
        ),
      });
      print(events, report);
      return 0;
    }),
});
