import { OUTCOMES } from '@passport/contract';
import type { EventFilterState, FoundEvents } from '@passport/queue';
import { type EventQuery, type EventQueryReading, eventsPath } from './event-query.ts';
import { eventList } from './event-list.ts';
import { choice, filterForm } from '../shell/parts.ts';
import { type Html, html } from '../shell/html.ts';

export interface EventsView {
  readonly basePath: string;
  readonly nowMs: number;
  readonly reading: EventQueryReading;
  readonly found: FoundEvents;
  /** Those that may be chosen. */
  readonly libraries: readonly { readonly id: string; readonly name: string }[];
}

const EMPTY: Readonly<Record<EventFilterState, string>> = {
  queued: 'No scan is queued.',
  working: 'No scan is being processed.',
  waiting: 'No scan waits for a library.',
  failed: 'No failed scans.',
  done: 'No finished scan is kept.',
};

/** What needs somebody comes first. */
const ORDER: readonly EventFilterState[] = ['failed', 'waiting', 'working', 'queued', 'done'];

/** The events of one state, the newest first, by library, outcome and time; and the way to one event by its id. */
export function eventsPage(view: EventsView): Html {
  const { basePath, nowMs, found } = view;
  const { query, problems } = view.reading;
  return html`<div class="title"><h1>Events</h1></div>
    ${idSearch(basePath)}
    <nav class="tabs" aria-label="State">${ORDER.map((state) => tab(basePath, query, state))}</nav>
    ${filterOf(view)}
    ${problems.map((problem) => html`<p class="fault fault-warning" role="alert">${problem}</p>`)}
    ${
      found.events.length === 0
        ? html`<p class="empty">${isFiltered(query) ? 'No event fits.' : EMPTY[query.state]}</p>`
        : eventList(basePath, found.events, nowMs)
    }
    ${pager(view)}`;
}

const isFiltered = ({ library, outcome, from, until, after }: EventQuery): boolean =>
  [library, outcome, from, until, after].some((value) => value !== null);

/** Another state: an outcome stands in one state alone, so it is not kept. */
function tab(basePath: string, query: EventQuery, state: EventFilterState): Html {
  const path = eventsPath(basePath, { ...query, state, outcome: null, after: null });
  return state === query.state
    ? html`<a href="${path}" aria-current="page">${state}</a>`
    : html`<a href="${path}">${state}</a>`;
}

function idSearch(basePath: string): Html {
  return html`<form class="filter" method="get" action="${basePath}/events/find" role="search">
    <label>
      Event id
      <input name="id" required maxlength="200" autocomplete="off" spellcheck="false" size="40" />
    </label>
    <button class="button">Find</button>
  </form>`;
}

function filterOf({ basePath, reading: { query }, libraries }: EventsView): Html {
  const { state, outcome } = query;
  const outcomes = OUTCOMES.map((each) => [each, each] as const);
  return filterForm({
    path: `${basePath}/events`,
    query,
    libraries,
    fields: [
      html`<input type="hidden" name="state" value="${state}" />`,
      choice('outcome', 'Outcome', outcomes, outcome),
    ],
    from: 'Ended from',
    clearPath: isFiltered(query) ? eventsPath(basePath, { state }) : null,
  });
}

function pager({ basePath, reading: { query }, found: { next, isCut, events } }: EventsView): Html {
  const newest = eventsPath(basePath, { ...query, after: null });
  const older = eventsPath(basePath, { ...query, after: next });
  return html`${isCut ? html`<p class="quiet">Only a part was searched for this page. Older events may fit.</p>` : null}
    <nav class="pager" aria-label="Pages">
      ${query.after === null ? null : html`<a class="button" href="${newest}">Newest</a>`}
      ${next === null ? null : html`<a class="button" href="${older}">Older</a>`}
      <span class="quiet">${events.length === 1 ? '1 event' : `${events.length} events`} on this page</span>
    </nav>`;
}
