import { isEventId, isFailure, type Outcome, OUTCOMES } from '@passport/contract';
import {
  EVENT_STATES,
  type EventFilterState,
  type EventSearch,
  findEvents,
  type FoundEvents,
} from '@passport/queue/events';
import { readEventState } from '@passport/queue/scans';
import type { Redis } from '@passport/runtime';
import type { FastifyInstance } from 'fastify';
import { type Html, html } from '../shell/html.ts';
import type { SendPage } from '../shell/layout.ts';
import { librariesSeen, type PageDeps } from '../shell/page-deps.ts';
import { choice, filterForm, navLink, pager, problemList } from '../shell/parts.ts';
import { boundsOf, pathWith, readQuery } from '../shell/query-reader.ts';
import { eventPath, eventTable } from './event-list.ts';
import { failureGroups, readFailures } from './failure-groups.ts';
import { retryNotices } from './retry-page.ts';
import type { EventRef } from '../shell/person-actions.ts';
import { FILTERED, requirePerson } from '../login/require-login.ts';
import { type Scope, sees } from '../login/login.ts';

const EVENTS_SHOWN = 50;

/** The lists of events, and the way to one of them by its id. */
export function registerEventsPage(app: FastifyInstance, deps: PageDeps, send: SendPage): void {
  const { basePath, redis, queue, nameOf, now } = deps;
  app.get<{ Querystring: Readonly<Record<string, unknown>> }>('/events', FILTERED, async (request, reply) => {
    const person = requirePerson(request);
    const libraries = librariesSeen(deps, person.libraries);
    const named = request.query['library'];
    if (typeof named === 'string' && named !== '' && !sees(person, named)) return reply.callNotFound();
    const reading = readEventQuery(
      request.query,
      libraries.map(({ id }) => id),
    );
    const search = searchFor(reading.query, person.libraries);
    const unfinishedAt = libraries.map(({ id }) => id);
    const found = await findEvents(redis, queue, nameOf, { ...search, unfinishedAt });
    const { state, library, outcome, from, until, after } = reading.query;
    const isGrouped = state === 'failed' && [outcome, from, until, after].every((each) => each === null);
    const failures = isGrouped ? await readFailures(deps, person, library) : { events: [], isCut: false };
    const nowMs = now();
    const groups = failureGroups(deps, failures, { mayAct: person.role === 'operator', nowMs });
    const notices = retryNotices(deps, person);
    const content = eventsPage({ basePath, nowMs, reading, found, libraries, groups, notices });
    const page = { title: `Events: ${reading.query.state ?? 'all'}`, here: 'events' } as const;
    return send(request, reply.code(reading.problems.length === 0 ? 200 : 400), page, content);
  });
  app.get<{ Querystring: { id?: unknown } }>('/events/find', FILTERED, async (request, reply) => {
    const typed = typeof request.query.id === 'string' ? request.query.id : '';
    const named = parseNamedEvent(typed);
    const ids = librariesSeen(deps, requirePerson(request).libraries).map(({ id }) => id);
    const found = named === null ? [] : await findEventIds(redis, ids, named);
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

/** Which events the list is to show, as its address says it. */
interface EventQuery {
  /** Null: all. */
  readonly state: EventFilterState | null;
  /** A lending library. */
  readonly library: string | null;
  readonly outcome: Outcome | null;
  /** When it ended, or was accepted where it has not; `YYYY-MM-DDTHH:MM` in the time zone of the service. */
  readonly from: string | null;
  readonly until: string | null;
  /** Where the page begins. */
  readonly after: string | null;
}

/** A query, and what in it cannot be understood: the field, and what it takes. */
interface EventQueryReading {
  readonly query: EventQuery;
  readonly problems: readonly string[];
}

/** Reads the parameters of the list. An outcome decides between the states that it can stand in. */
function readEventQuery(
  parameters: Readonly<Record<string, unknown>>,
  libraries: readonly string[],
): EventQueryReading {
  const { problems, text, known, time } = readQuery(parameters);
  const outcome = known('outcome', OUTCOMES, 'no outcome');
  const state = known('state', EVENT_STATES, `none of ${EVENT_STATES.join(', ')}`);
  return {
    query: {
      state: outcome === null ? state : isFailure(outcome) ? 'failed' : 'done',
      library: known('library', libraries, 'no library'),
      outcome,
      from: time('from'),
      until: time('until'),
      after: text('after'),
    },
    problems,
  };
}

/** The address of the list for a query; what has its default is left out. */
export const eventsPath = (basePath: string, query: Partial<EventQuery>): string =>
  pathWith(`${basePath}/events`, { ...query });

interface EventsView {
  readonly basePath: string;
  readonly nowMs: number;
  readonly reading: EventQueryReading;
  readonly found: FoundEvents;
  /** Failures by their cause; null where there are none, or the list is filtered. */
  readonly groups: Html | null;
  /** How bulk retries go. */
  readonly notices: readonly string[];
  /** Those that may be chosen. */
  readonly libraries: readonly { readonly id: string; readonly name: string }[];
}

const EMPTY: Readonly<Record<EventFilterState, string>> = {
  queued: 'No scan is queued: workers keep up.',
  working: 'No scan is being processed at this moment.',
  waiting: 'No scan waits: every library that was needed has answered.',
  failed: 'No scan has failed, of those that are kept.',
  done: 'No finished scan is kept.',
};

/** What needs somebody comes first. */
const ORDER: readonly EventFilterState[] = ['failed', 'waiting', 'working', 'queued', 'done'];

/** Events, the newest first, by state, library, outcome and time; and the way to one event by its id. */
function eventsPage(view: EventsView): Html {
  const { basePath, nowMs, found } = view;
  const { query, problems } = view.reading;
  return html`<div class="title">
      <h1>Events</h1>
      <nav class="tabs" aria-label="State">
        ${tab(basePath, query, null)} ${ORDER.map((state) => tab(basePath, query, state))}
      </nav>
      ${idSearch(basePath)}
    </div>
    ${filterOf(view)} ${problemList(problems)}
    ${query.state !== 'failed' ? null : view.notices.map((notice) => html`<p class="notice" role="status">${notice}</p>`)}
    ${view.groups} ${found.events.length === 0 ? emptyText(query) : eventTable(basePath, found.events, nowMs)}
    ${found.isCut ? html`<p class="quiet">Only a part was searched for this page. Older events may fit.</p>` : null}
    ${pager({
      pathAt: (after) => eventsPath(basePath, { ...query, after }),
      after: query.after,
      next: found.next,
      count: found.events.length,
      what: 'event',
    })}`;
}

function emptyText(query: EventQuery): Html {
  if (isFiltered(query)) return html`<p class="empty">No event fits.</p>`;
  const text = query.state === null ? 'No scan is kept: none has come lately.' : EMPTY[query.state];
  return html`<p class="empty">${text}</p>`;
}

const isFiltered = ({ library, outcome, from, until, after }: EventQuery): boolean =>
  [library, outcome, from, until, after].some((value) => value !== null);

/** Another state: an outcome stands in one state alone, so it is not kept. */
function tab(basePath: string, query: EventQuery, state: EventFilterState | null): Html {
  const path = eventsPath(basePath, { ...query, state, outcome: null, after: null });
  return navLink(path, state ?? 'all', state === query.state);
}

function idSearch(basePath: string): Html {
  return html`<form class="find" method="get" action="${basePath}/events/find" role="search">
    <input
      name="id"
      required
      maxlength="200"
      autocomplete="off"
      spellcheck="false"
      placeholder="Event id"
      aria-label="Event id"
    />
    <button class="button">Find</button>
  </form>`;
}

function filterOf({ basePath, reading: { query }, libraries }: EventsView): Html {
  const { state, outcome } = query;
  const outcomes = OUTCOMES.map((each) => [each, each] as const);
  const kept = state === null ? [] : [html`<input type="hidden" name="state" value="${state}" />`];
  return filterForm({
    path: `${basePath}/events`,
    query,
    libraries,
    fields: [...kept, choice('outcome', 'Outcome', outcomes, outcome)],
    from: 'From',
    clearPath: isFiltered(query) ? eventsPath(basePath, { state }) : null,
  });
}

/** An id that somebody typed, with its library where they typed that, too (`riverside.evt_1`, as commands and logs write it). */
interface NamedEvent {
  readonly library: string | null;
  readonly eventId: string;
}

/** Reads an id as it was typed; null when it can be none. */
function parseNamedEvent(text: string): NamedEvent | null {
  const typed = text.trim();
  const dot = typed.indexOf('.');
  const named =
    dot === -1
      ? { library: null, eventId: typed }
      : { library: typed.slice(0, dot), eventId: typed.slice(dot + 1) };
  return isEventId(named.eventId) ? named : null;
}

/** The events of that id at these libraries. The id of a double scan leads to the first scan. */
export async function findEventIds(
  redis: Redis,
  libraries: readonly string[],
  { library, eventId }: NamedEvent,
): Promise<readonly EventRef[]> {
  const looked = libraries.filter((id) => library === null || id === library);
  const states = await Promise.all(looked.map((id) => readEventState(redis, id, eventId, (name) => name)));
  return states.flatMap((state) =>
    state === null ? [] : [{ library: state.library, eventId: state.event_id }],
  );
}

/** What a search by id came to where it leads to no page by itself: none, or several libraries that use the same id. */
function foundIdsPage(basePath: string, typed: string, found: readonly EventRef[]): Html {
  if (found.length === 0) {
    return html`<div class="title"><h1>No event has this id</h1></div>
      <p>
        <code>${typed}</code> never came, was discarded, or is older than finished and failed events are kept.
      </p>
      <p><a href="${basePath}/events">Events</a></p>`;
  }
  return html`<div class="title"><h1>Several libraries have an event of this id</h1></div>
    <ul class="events">
      ${found.map(
        ({ library, eventId }) =>
          html`<li><a href="${eventPath(basePath, library, eventId)}">${library}: ${eventId}</a></li>`,
      )}
    </ul>`;
}
