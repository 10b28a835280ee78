import type { FastifyInstance } from 'fastify';
import type { EventSearch, FoundEvents } from '@passport/queue';
import { type EventQuery, readEventQuery } from './event-query.ts';
import { type NamedEvent, parseNamedEvent } from './find-event-ids.ts';
import { eventPath } from './event-list.ts';
import { eventsPage } from './events-page.ts';
import { foundIdsPage } from './found-ids-page.ts';
import type { EventRef } from './person-actions.ts';
import { boundsOf } from '../shell/query-reader.ts';
import type { KnownLibrary } from '../overview/read-overview.ts';
import { requirePerson } from '../login/require-login.ts';
import { type Scope, sees } from '../login/scope.ts';
import type { SendPage } from '../shell/send-page.ts';

export interface ListRoutesDeps {
  readonly basePath: string;
  readonly libraries: readonly KnownLibrary[];
  readonly now: () => number;
  readonly findEvents: (search: EventSearch) => Promise<FoundEvents>;
  readonly findEventIds: (libraries: readonly string[], named: NamedEvent) => Promise<readonly EventRef[]>;
}

const EVENTS_SHOWN = 50;
const FILTERED = { config: { scope: 'filtered' } } as const;

/** The lists of events, and the way to one of them by its id. */
export function registerListRoutes(app: FastifyInstance, deps: ListRoutesDeps, send: SendPage): void {
  const { basePath, now } = deps;
  const librariesOf = (libraries: Scope): readonly KnownLibrary[] =>
    deps.libraries.filter(({ id }) => sees({ libraries }, id));
  app.get<{ Querystring: Readonly<Record<string, unknown>> }>('/events', FILTERED, async (request, reply) => {
    const person = requirePerson(request);
    const libraries = librariesOf(person.libraries);
    const named = request.query['library'];
    if (typeof named === 'string' && named !== '' && !sees(person, named)) return reply.callNotFound();
    const reading = readEventQuery(
      request.query,
      libraries.map(({ id }) => id),
    );
    const found = await deps.findEvents(searchFor(reading.query, person.libraries));
    const content = eventsPage({ basePath, nowMs: now(), reading, found, libraries });
    const page = { title: `Events: ${reading.query.state}`, here: 'events' } as const;
    return send(request, reply.code(reading.problems.length === 0 ? 200 : 400), page, content);
  });
  app.get<{ Querystring: { id?: unknown } }>('/events/find', FILTERED, async (request, reply) => {
    const typed = typeof request.query.id === 'string' ? request.query.id : '';
    const named = parseNamedEvent(typed);
    const ids = librariesOf(requirePerson(request).libraries).map(({ id }) => id);
    const found = named === null ? [] : await deps.findEventIds(ids, named);
    const [first, another] = found;
    if (first !== undefined && another === undefined) {
      return reply.redirect(eventPath(basePath, first.library, first.eventId));
    }
    const content = foundIdsPage(basePath, typed, found);
    return send(
      request,
      reply.code(first === undefined ? 404 : 200),
      { title: 'Find', here: 'events' },
      content,
    );
  });
}

function searchFor(query: EventQuery, scope: Scope): EventSearch {
  const { state, library, outcome, after } = query;
  const own = scope === 'all' ? null : scope;
  return {
    state,
    outcome,
    after,
    libraries: library === null ? own : [library],
    jobsAt: null,
    ...boundsOf(query),
    most: EVENTS_SHOWN,
  };
}
