import { localTime } from '@passport/runtime';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EventState } from '@passport/contract';
import { EVENT_STATES } from '@passport/queue/events';
import { watchEvents } from '@passport/queue/scans';
import { describeState, eventLine } from './describe-state.ts';
import { withQueue } from '../../connect/with-queue.ts';
import {
  choices,
  type CliDeps,
  defineCommand,
  durationOf,
  findLibrary,
  type OptionValues,
  parsed,
  type Report,
  optional,
} from '../../program/index.ts';

const OPTIONS = {
  at: optional('<library>', 'only events of this lending library'),
  state: choices('<state...>', 'only events in these states', EVENT_STATES),
  for: parsed('<duration>', 'end after this time', durationOf),
};

const LOOK_MS = 300;
/** Events whose last number is remembered, so that each change is printed once. */
const MOST_REMEMBERED = 10_000;

/** Whether this state of the event was not seen yet. */
function buildIsNew(): (state: EventState) => boolean {
  const seen = new Map<string, number>();
  return ({ library, event_id: eventId, seq }) => {
    const key = `${library}.${eventId}`;
    if ((seen.get(key) ?? 0) >= seq) return false;
    seen.delete(key);
    seen.set(key, seq);
    const [oldest] = seen.keys();
    if (seen.size > MOST_REMEMBERED && oldest !== undefined) seen.delete(oldest);
    return true;
  };
}

function show(state: EventState, report: Report): void {
  report.jsonLine(state);
  const time = localTime(Date.parse(state.updated_at));
  const jobId = `${state.library}.${state.event_id}`;
  report.line(eventLine(report, time, jobId, describeState(state, report.colors)));
}

async function watch(
  { at, state: states, for: forMs }: OptionValues<typeof OPTIONS>,
  look: Awaited<ReturnType<typeof watchEvents>>,
  report: Report,
  { now, signal }: Pick<CliDeps, 'now' | 'signal'>,
): Promise<0> {
  const isNew = buildIsNew();
  const isWanted = (event: EventState): boolean =>
    (at === undefined || event.library === at) && (states === undefined || states.includes(event.state));
  const endsAt = forMs === undefined ? Infinity : now() + forMs;
  for (;;) {
    const { states: changed, isIncomplete } = await look();
    for (const event of changed) if (isNew(event) && isWanted(event)) show(event, report);
    if (isIncomplete) report.progress('some changes came too fast to be shown');
    if (signal.aborted || now() >= endsAt) return 0;
    await sleep(Math.min(LOOK_MS, endsAt - now()), undefined, { signal }).catch(() => undefined);
  }
}

export const eventsWatch = defineCommand({
  summary: 'show the changes of events as they happen',
  description:
    'Prints each event that changes from now on, until Ctrl-C: the time, the event and its state. The output contains ' +
    'no card, item or name. With --json, each line is one JSON value.',
  examples: [
    'passport events watch',
    'passport events watch --at riverside --state failed waiting',
    "passport events watch --for 10m --json | jq -r '.outcome // empty'",
  ],
  options: OPTIONS,
  run: (options, _args, report, deps) =>
    withQueue(deps, async ({ consortium, redis, nameOf }): Promise<0> => {
      if (options.at !== undefined) findLibrary(consortium, options.at);
      const look = await watchEvents(redis, nameOf);
      report.progress('watching; Ctrl-C ends');
      return watch(options, look, report, deps);
    }),
});
