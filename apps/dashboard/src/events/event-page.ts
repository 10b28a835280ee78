import { type Attempt, type EventState, parseJob } from '@passport/contract';
import { jobIdOf } from '@passport/queue/keys';
import { readEventState } from '@passport/queue/scans';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { adviceOn } from '../outcomes/outcome-advice.ts';
import { type Html, html } from '../shell/html.ts';
import type { SendPage } from '../shell/layout.ts';
import type { PageDeps } from '../shell/page-deps.ts';
import { definitions, libraryPath, timeElement } from '../shell/parts.ts';
import { eventHistory } from './event-history.ts';
import { eventCode, eventPath, kindOf } from './event-list.ts';
import type { ActionName, ActionResult, EventRef } from '../shell/person-actions.ts';
import { OF_LIBRARY, requirePerson } from '../login/require-login.ts';

interface EventPage {
  readonly basePath: string;
  readonly state: EventState;
  readonly attempts: readonly Attempt[];
  readonly nowMs: number;
  readonly nameOf: (library: string) => string;
  readonly mayAct: boolean;
  /** Whether they have the queue board, too. */
  readonly hasBoard: boolean;
  /** What came of the action that led here. */
  readonly notice: string | null;
}

/** One event: what happened in words, what to do, and everything that is known, none of it personal. */
function eventPage(page: EventPage): Html {
  const { state, basePath, notice } = page;
  const advice = adviceOn(state);
  return html`<p class="crumbs">
      <a href="${basePath}/events?state=${state.state}">Events: ${state.state}</a>
    </p>
    <div class="title">
      <h1>${state.message}</h1>
      ${eventCode(state)}
    </div>
    ${notice === null ? null : html`<p class="notice" role="status">${notice}</p>`}
    ${advice === null ? null : html`<p class="advice">${advice}</p>`} ${actions(page)}
    ${definitions('facts', facts(page))} ${eventHistory(page)}
    ${page.hasBoard ? boardLink(basePath, state) : null}`;
}

function boardLink(basePath: string, { library, event_id: eventId }: EventState): Html {
  const path = `${basePath}/board/queue/scans/${encodeURIComponent(`${library}.${eventId}`)}`;
  return html`<p class="quiet"><a href="${path}">This event on the queue board</a></p>`;
}

function facts({ basePath, state, nowMs, nameOf }: EventPage): Parameters<typeof definitions>[1] {
  const { waiting_for: waiting, problem, checkout } = state;
  return [
    [
      'Lending library',
      html`<a href="${libraryPath(basePath, state.library)}">${nameOf(state.library)}</a>
        <span class="quiet">${state.library}</span>`,
    ],
    ['Time of the scan', timeElement(Date.parse(state.scanned_at), nowMs)],
    ['State', state.state],
    ['Outcome', state.outcome === null ? undefined : `${state.outcome} (${kindOf(state) ?? ''})`],
    ['Reasons', state.reasons.length === 0 ? undefined : state.reasons.join(', ')],
    ['Home libraries', state.homes.length === 0 ? undefined : state.homes.map(({ name }) => name).join(', ')],
    ['Waits for', waiting === null ? undefined : `${nameOf(waiting.library)} (${words(waiting.reason)})`],
    ['Next try', nextTry(waiting, nowMs)],
    ['Problem', problem === null ? undefined : problemText(problem, nameOf)],
    [`Borrowernumber at ${nameOf(state.library)}`, state.patron_id ?? undefined],
    ['Checkout', checkout === null ? undefined : [checkout.result, ...checkout.keys].join(', ')],
    ['Attempt', state.attempt],
    ['Last change', timeElement(Date.parse(state.updated_at), nowMs)],
    ['Event id', html`<code>${state.event_id}</code>`],
  ];
}

function nextTry(waiting: EventState['waiting_for'], nowMs: number): Html | undefined {
  const at = waiting?.next_try_at ?? null;
  return at === null ? undefined : timeElement(Date.parse(at), nowMs);
}

function problemText(problem: NonNullable<EventState['problem']>, nameOf: EventPage['nameOf']): string {
  const name = problem.name === null ? '' : ` ${problem.name}`;
  return `${nameOf(problem.library)}: ${words(problem.what)}${name}`;
}

function words(code: string): string {
  return code.toLowerCase().replaceAll('_', ' ');
}

function actions(page: EventPage): Html | null {
  const { state, mayAct } = page;
  const isFailed = state.state === 'failed';
  const isWaiting = state.state === 'waiting';
  if (!isFailed && !isWaiting) return null;
  if (!mayAct)
    return html`<p class="quiet">Your login is read-only. An operator can retry or discard this event.</p>`;
  return html`<div class="actions">
    ${isFailed ? form(page, 'retry', 'Retry', 'primary') : form(page, 'promote', 'Try now', 'primary')}
    <details>
      <summary class="button">Discard …</summary>
      <p>
        ${isFailed ? 'It will not be retried, and' : 'The desk will get no result from it, and'} nobody can
        look at it any more.
      </p>
      ${form(page, 'discard', 'Discard permanently', 'danger')}
    </details>
  </div>`;
}

function form({ basePath, state }: EventPage, action: ActionName, label: string, kind: string): Html {
  return html`<form method="post" action="${eventPath(basePath, state.library, state.event_id)}/${action}">
    <button class="button ${kind}">${label}</button>
  </form>`;
}

const ACTIONS: readonly ActionName[] = ['retry', 'promote', 'discard'];
const HALF_DISCARDED = 'discard-half_done';
/** By what an address says in `done`, which anybody can write. */
const NOTICES: ReadonlyMap<unknown, string> = new Map([
  ['retry-done', 'It is being tried again, as if it were new.'],
  ['promote-done', 'It is being tried now.'],
  ['discard-done', 'It was discarded.'],
  ['retry-not_now', 'Nothing was done: it has not failed, or it was retried already.'],
  ['promote-not_now', 'Nothing was done: it is not waiting any more.'],
  [
    HALF_DISCARDED,
    'It was discarded, but Redis failed while that was noted: if the library sends it again, it is taken as new. Discard it once more.',
  ],
  ['discard-closed', 'It is gone, and sent again it is not taken as new.'],
  ['discard-not_now', 'Nothing was done: a worker has it at this moment.'],
  [
    'retry-unreadable',
    'Nothing was done: its card is gone or its payload cannot be read. Scan the card again.',
  ],
]);

/** An event's page and what an operator may do there. After an action the browser is sent back to a page. */
export function registerEventPage(app: FastifyInstance, deps: PageDeps, send: SendPage): void {
  app.get<{ Params: EventRef; Querystring: { done?: string } }>(
    '/events/:library/:eventId',
    OF_LIBRARY,
    async (request, reply) => {
      const { library, eventId } = request.params;
      const found = await readEvent(deps, { library, eventId });
      if (found === null) return sendUnknown(request, reply.code(404), deps, send);
      if (found.eventId !== eventId) return reply.redirect(eventPath(deps.basePath, library, found.eventId));
      const content = eventPage({
        ...deps,
        state: found.state,
        attempts: found.attempts,
        nowMs: deps.now(),
        mayAct: requirePerson(request).role === 'operator',
        hasBoard: requirePerson(request).libraries === 'all',
        notice: noticeOf(request.query),
      });
      return send(request, reply, { title: found.state.message, here: 'events' }, content);
    },
  );
  for (const action of ACTIONS) {
    const path = `/events/:library/:eventId/${action}`;
    app.post<{ Params: EventRef; Querystring: { done?: string } }>(
      path,
      OF_LIBRARY,
      async (request, reply) => {
        const event = { library: request.params.library, eventId: request.params.eventId };
        const result = await deps.actions[action](requirePerson(request), event);
        if (result.kind === 'unknown') return sendUnknown(request, reply.code(404), deps, send);
        return reply.redirect(nextPath(deps.basePath, event, action, result), 303);
      },
    );
  }
}

function nextPath(basePath: string, event: EventRef, action: ActionName, { kind }: ActionResult): string {
  if (action === 'discard' && kind === 'done') return `${basePath}/events?state=failed`;
  return `${eventPath(basePath, event.library, event.eventId)}?done=${action}-${kind}`;
}

const noticeOf = ({ done }: { done?: string }): string | null => NOTICES.get(done) ?? null;

function sendUnknown(
  request: FastifyRequest<{ Params: EventRef; Querystring: { done?: string } }>,
  reply: FastifyReply,
  { basePath }: PageDeps,
  send: SendPage,
): FastifyReply {
  const { library, eventId } = request.params;
  const notice = noticeOf(request.query);
  const again = `${eventPath(basePath, library, eventId)}/discard`;
  const isHalfDone = request.query.done === HALF_DISCARDED && requirePerson(request).role === 'operator';
  const content = html`<div class="title"><h1>Nothing is known of this event</h1></div>
    ${notice === null ? null : html`<p class="notice" role="status">${notice}</p>`}
    ${isHalfDone ? html`<form method="post" action="${again}"><button class="button danger">Discard once more</button></form>` : null}
    <p>
      It never came, was discarded, or is older than finished and failed events are kept. The
      <a href="${basePath}/events?state=failed">failed ones</a> are listed.
    </p>`;
  return send(request, reply, { title: 'Unknown event', here: 'events' }, content);
}

/** An event as its page shows it. */
interface EventRecord {
  /** The id to follow: a coalesced event has another's. */
  readonly eventId: string;
  readonly state: EventState;
  /** Oldest first; empty for an event of an earlier version. */
  readonly attempts: readonly Attempt[];
}

/** Reads an event; null when nothing is known of it. Rejects when Redis does not answer. */
export async function readEvent(
  { redis, queue, nameOf }: Pick<PageDeps, 'redis' | 'queue' | 'nameOf'>,
  { library, eventId }: EventRef,
): Promise<EventRecord | null> {
  const state = await readEventState(redis, library, eventId, nameOf);
  if (state === null) return null;
  const job = await queue.getJob(jobIdOf(library, state.event_id));
  const parsed = job === undefined ? null : parseJob(job.data);
  const attempts = parsed?.kind === 'job' ? (parsed.job.attempts ?? []) : [];
  return { eventId: state.event_id, state, attempts };
}
