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
import { type Person, sees } from '../login/login.ts';
import { cutNote, isOf, readFailures, retryPath } from './failure-groups.ts';
import type { FailureGroup, RetryRun } from './retry-runs.ts';

/** As `passport events retry` does by default. */
const PACE_MS = 500;

type Query = Readonly<Record<string, unknown>>;

/** `isCut`: there are more failures than a page looks at. */
type ShownPlan = RetryPlan & { readonly isCut: boolean };

/** `/libraries/{library}/retry`: what a retry of failures with one cause would do, and the button that does it. */
export function registerRetryPage(app: FastifyInstance, deps: PageDeps, send: SendPage): void {
  const { basePath, retries, now } = deps;
  const path = '/libraries/:library/retry';
  const planOf = async (person: Person, group: FailureGroup): Promise<ShownPlan> => {
    const { events, isCut } = await readFailures(deps, person, group.library);
    const failed = { events: events.filter((event) => isOf(group, event)), unreadable: 0 };
    return { ...planRetry(failed, deps, { nowMs: now(), withLate: false }), isCut };
  };
  app.get<{ Params: { library: string }; Querystring: Query }>(path, OF_LIBRARY, async (request, reply) => {
    const group = groupOf(request.params.library, request.query);
    if (group === null) return reply.callNotFound();
    const person = requirePerson(request);
    const plan = await planOf(person, group);
    const page = { title: 'Retry failed events', here: 'events' } as const;
    return send(request, reply, page, retryPage(deps, group, plan, { mayAct: person.role === 'operator' }));
  });
  app.post<{ Params: { library: string }; Querystring: Query }>(path, OF_LIBRARY, async (request, reply) => {
    const group = groupOf(request.params.library, request.query);
    if (group === null) return reply.callNotFound();
    const person = requirePerson(request);
    const { library } = group;
    const before = retries.get(library);
    if (before?.result === null) {
      const page = { title: 'A retry goes on', here: 'events' } as const;
      return send(request, reply.code(409), page, busyPage(deps, library));
    }
    // Claimed before anything is waited for: another press must not begin the same.
    const shown = shownCount(request.query);
    const run: RetryRun = { by: person.user, group, events: shown, result: null };
    retries.delete(library); // the last of the map is what was begun last
    retries.set(library, run);
    const giveBack = (): void => {
      if (before === undefined) retries.delete(library);
      else retries.set(library, before);
    };
    const plan = await planOf(person, group).catch((error: unknown) => {
      giveBack();
      throw error;
    });
    if (plan.events.length === 0 || plan.events.length > shown) {
      giveBack();
      const page = { title: 'Retry failed events', here: 'events' } as const;
      return send(
        request,
        reply.code(409),
        page,
        retryPage(deps, group, plan, { mayAct: true, isAgain: true }),
      );
    }
    run.events = plan.events.length;
    start(deps, person, run, plan);
    return reply.redirect(`${basePath}/events?state=failed`, 303);
  });
}

function groupOf(library: string, query: Query): FailureGroup | null {
  const outcome = FAILURES.find((each) => each === query['outcome']);
  const cause = query['cause'] ?? '';
  return outcome === undefined || typeof cause !== 'string' ? null : { library, outcome, cause };
}

/** How many events the page before has said; 0 where it is no number. */
const shownCount = ({ events: text }: Query): number =>
  typeof text === 'string' && /^\d{1,4}$/.test(text) ? Number(text) : 0;

/** Begins the retry, which nobody waits for: the list of failures says how it goes. */
function start(
  { retries, actions, redis, nameOf, now, stopping, log }: PageDeps,
  person: Person,
  run: RetryRun,
  { events }: RetryPlan,
): void {
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
      retries.delete(run.group.library);
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

/** That one press was enough, for whoever pressed second. */
const busyPage = ({ basePath, nameOf }: PageDeps, library: string): Html =>
  html`<div class="title"><h1>Nothing was retried</h1></div>
    <p>Failures of ${nameOf(library)} are being retried already. Try again when that has ended.</p>
    <p><a href="${basePath}/events?state=failed">How it goes</a></p>`;

function retryPage(
  { basePath, nameOf }: PageDeps,
  group: FailureGroup,
  plan: ShownPlan,
  { mayAct, isAgain = false }: { readonly mayAct: boolean; readonly isAgain?: boolean },
): Html {
  const { library, outcome, cause } = group;
  const count = plan.events.length;
  // The address can name any cause, and is not to speak on this page.
  const isKnown = count + plan.leftOut.length > 0;
  const left = new Map<LeftOut, number>();
  for (const [why] of plan.leftOut) left.set(why, (left.get(why) ?? 0) + 1);
  const button = html`<form method="post" action="${retryPath(basePath, group)}&amp;events=${count}">
    <button class="button primary">Retry ${count === 1 ? 'this event' : `these ${count} events`}</button>
  </form>`;
  return html`<p class="crumbs"><a href="${basePath}/events?state=failed">Events: failed</a></p>
    <div class="title"><h1>Retry ${outcome} of ${nameOf(library)}</h1></div>
    ${isAgain ? html`<p class="notice" role="status">Nothing was retried: this is no longer what the page before has shown.</p>` : null}
    ${isKnown && cause !== '' ? html`<p>${cause}</p>` : null}
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
    ${cutNote(plan.isCut)} ${count > 0 && mayAct ? button : null}`;
}

const events = (count: number): string => (count === 1 ? '1 event' : `${count} events`);

/** How the retries go that were begun here, of the libraries that somebody sees: those that go on, and the last that has ended. */
export function retryNotices(
  { retries, nameOf }: Pick<PageDeps, 'retries' | 'nameOf'>,
  person: Person,
): readonly string[] {
  const runs = [...retries.values()].filter(({ group }) => sees(person, group.library));
  const ended = runs.filter(({ result }) => result !== null).slice(-1);
  return [...runs.filter(({ result }) => result === null), ...ended].map((run) => retryNotice(run, nameOf));
}

function retryNotice(run: RetryRun, nameOf: (library: string) => string): string {
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
