import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { eventPath } from './event-list.ts';
import { eventPage } from './event-page.ts';
import { html } from '../shell/html.ts';
import type { ActionName, ActionResult, EventRef, PersonActions } from './person-actions.ts';
import type { EventRecord } from './read-event.ts';
import { requirePerson } from '../login/require-login.ts';
import type { SendPage } from '../shell/send-page.ts';

export interface EventRoutesDeps {
  readonly basePath: string;
  readonly nameOf: (library: string) => string;
  readonly now: () => number;
  /** Null when nothing is known of it. */
  readonly readEvent: (event: EventRef) => Promise<EventRecord | null>;
  readonly actions: PersonActions;
}

const ACTIONS: readonly ActionName[] = ['retry', 'promote', 'discard'];
const OF_LIBRARY = { config: { scope: 'library' } } as const;
const HALF_DISCARDED = 'discard-half_done';
const NOTICES: Readonly<Record<string, string>> = {
  'retry-done': 'It is being tried again, as if it were new.',
  'promote-done': 'It is being tried now.',
  'discard-done': 'It was discarded.',
  'retry-not_now': 'Nothing was done: it has not failed, or it was retried already.',
  'promote-not_now': 'Nothing was done: it is not waiting any more.',
  [HALF_DISCARDED]:
    'It was discarded, but Redis failed while that was noted: if the library sends it again, it is taken as new. Discard it once more.',
  'discard-closed': 'It is gone, and sent again it is not taken as new.',
  'discard-not_now': 'Nothing was done: a worker has it at this moment.',
  'retry-unreadable':
    'Nothing was done: its card is gone or its payload cannot be read. Scan the card again.',
};

/** An event's page and what an operator may do there. After an action the browser is sent back to a page. */
export function registerEventRoutes(app: FastifyInstance, deps: EventRoutesDeps, send: SendPage): void {
  app.get<{ Params: EventRef; Querystring: { done?: string } }>(
    '/events/:library/:eventId',
    OF_LIBRARY,
    async (request, reply) => {
      const { library, eventId } = request.params;
      const found = await deps.readEvent({ library, eventId });
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

const noticeOf = ({ done }: { done?: string }): string | null => NOTICES[done ?? ''] ?? null;

function sendUnknown(
  request: FastifyRequest<{ Params: EventRef; Querystring: { done?: string } }>,
  reply: FastifyReply,
  { basePath }: EventRoutesDeps,
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
