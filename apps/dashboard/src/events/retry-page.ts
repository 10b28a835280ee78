import { setTimeout as sleep } from 'node:timers/promises';
import { FAILURES } from '@passport/contract';
import { LEFT_OUT_WORDS, type LeftOut, type RetryPlan, applyPlan, planRetry } from '@passport/queue/events';
import { readEventState } from '@passport/queue/scans';
import { durationText } from '@passport/runtime';
import type { FastifyInstance } from 'fastify';
import { type Html, html } from '../shell/html.ts';
import type { SendPage } from '../shell/layout.ts';
import type { PageDeps } from '../shell/page-deps.ts';
import type { ActionResult } from '../shell/person-actions.ts';
import { OF_LIBRARY, requirePerson } from '../login/require-login.ts';
import type { Person } from '../login/login.ts';
import { isOf, readFailures, retryPath } from './failure-groups.ts';
import type { FailureGroup, RetryRun, RetryRuns } from './retry-runs.ts';

/** As `passport events retry` does by default. */
const PACE_MS = 500;

type Query = Readonly<Record<string, unknown>>;

/** `/libraries/{library}/retry`: what a retry of failures with one cause would do, and the button that does it. */
export function registerRetryPage(app: FastifyInstance, deps: PageDeps, send: SendPage): void {
  const { basePath, retries, now } = deps;
  const path = '/libraries/:library/retry';
  const planOf = async (person: Person, group: FailureGroup): Promise<RetryPlan> => {
    const { events } = await readFailures(deps, person, group.library);
    const failed = { events: events.filter((event) => isOf(group, event)), unreadable: 0 };
    return planRetry(failed, deps, { nowMs: now(), withLate: false });
  };
  app.get<{ Params: { library: string }; Querystring: Query }>(path, OF_LIBRARY, async (request, reply) => {
    const group = groupOf(request.params.library, request.query);
    if (group === null) return reply.callNotFound();
    const person = requirePerson(request);
    const plan = await planOf(person, group);
    const page = { title: 'Retry failed events', here: 'events' } as const;
    return send(request, reply, page, retryPage(deps, group, plan, person.role === 'operator'));
  });
  app.post<{ Params: { library: string }; Querystring: Query }>(path, OF_LIBRARY, async (request, reply) => {
    const group = groupOf(request.params.library, request.query);
    if (group === null) return reply.callNotFound();
    const person = requirePerson(request);
    if (retries.run === null || retries.run.result !== null) {
      const plan = await planOf(person, group);
      if (plan.events.length > 0) start(deps, person, group, plan);
    }
    return reply.redirect(`${basePath}/events?state=failed`, 303);
  });
}

function groupOf(library: string, query: Query): FailureGroup | null {
  const outcome = FAILURES.find((each) => each === query['outcome']);
  const cause = query['cause'] ?? '';
  return outcome === undefined || typeof cause !== 'string' ? null : { library, outcome, cause };
}

/** Begins the retry, which nobody waits for: the list of failures says how it goes. */
function start(
  { retries, actions, redis, nameOf, now, stopping, log }: PageDeps,
  person: Person,
  group: FailureGroup,
  { events }: RetryPlan,
): void {
  const run: RetryRun = { by: person.user, group, events: events.length, result: null };
  retries.run = run;
  const work = applyPlan(events, {
    retryOne: async ({ state }) => {
      const result = await actions.retry(person, { library: state.library, eventId: state.event_id });
      return { kind: KINDS[result.kind] };
    },
    read: ({ state }) => readEventState(redis, state.library, state.event_id, nameOf),
    paceMs: PACE_MS,
    now,
    pause: (ms) => sleep(ms),
    isOver: stopping,
    report: () => undefined,
  });
  work.then(
    (result) => (run.result = result),
    (error: unknown) => {
      retries.run = null;
      log.warn({ error }, 'a bulk retry has ended early');
    },
  );
}

const KINDS = {
  done: 'retried',
  not_now: 'skipped',
  unknown: 'unknown',
  unreadable: 'unreadable',
  half_done: 'skipped',
  closed: 'unknown',
} as const satisfies Readonly<Record<ActionResult['kind'], string>>;

function retryPage(
  { basePath, nameOf }: PageDeps,
  group: FailureGroup,
  plan: RetryPlan,
  mayAct: boolean,
): Html {
  const { library, outcome, cause } = group;
  const count = plan.events.length;
  const left = new Map<LeftOut, number>();
  for (const [why] of plan.leftOut) left.set(why, (left.get(why) ?? 0) + 1);
  const button = html`<form method="post" action="${retryPath(basePath, group)}">
    <button class="button primary">Retry ${count === 1 ? 'this event' : `these ${count} events`}</button>
  </form>`;
  return html`<p class="crumbs"><a href="${basePath}/events?state=failed">Events: failed</a></p>
    <div class="title"><h1>Retry ${outcome} of ${nameOf(library)}</h1></div>
    ${cause === '' ? null : html`<p>${cause}</p>`}
    <p>
      ${
        count === 0
          ? 'There is nothing to retry.'
          : `${events(count)} would be retried, the newest scans first, in about ${durationText(count * PACE_MS)}. It stops when the cause is still there.`
      }
    </p>
    <ul>
      ${[...left].map(([why, number]) => html`<li>Left out: ${number} ${LEFT_OUT_WORDS[why]}</li>`)}
    </ul>
    ${count > 0 && mayAct ? button : null}`;
}

const events = (count: number): string => (count === 1 ? '1 event' : `${count} events`);

/** How the retry goes that somebody has begun here, for those who see its library. */
export function retryNotice({ run }: RetryRuns, nameOf: (library: string) => string): string | null {
  if (run === null) return null;
  const what = `${run.group.outcome} of ${nameOf(run.group.library)}`;
  if (run.result === null)
    return `${events(run.events)} (${what}) are being retried by ${run.by}, two a second. Load the page again to see how it goes.`;
  const { ended, failedAgain, waiting, left, stopped } = run.result;
  const parts = [
    `${ended} ended`,
    ...(failedAgain.length > 0 ? [`${failedAgain.length} failed again`] : []),
    ...(waiting.length > 0 ? [`${waiting.length} waiting`] : []),
    ...(left > 0 ? [`${left} not retried`] : []),
  ];
  const why = {
    done: '',
    trouble: ' It stopped, because the cause is still there.',
    stalled: ' It stopped, because no worker takes them.',
    interrupted: ' It was interrupted.',
  }[stopped];
  return `The last retry (${what}, by ${run.by}): ${parts.join(', ')}.${why}`;
}
