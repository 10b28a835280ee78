import type { EventFilterState, ListedEvent } from '@passport/queue';
import { eventList } from './event-list.ts';
import { type Html, html } from './html.ts';

const EMPTY: Readonly<Record<EventFilterState, string>> = {
  queued: 'No scan is queued.',
  working: 'No scan is being processed.',
  waiting: 'No scan waits for a library.',
  failed: 'No failed scans.',
  done: 'No finished scan is kept.',
};

/** What needs somebody comes first. */
const ORDER: readonly EventFilterState[] = ['failed', 'waiting', 'working', 'queued', 'done'];

/** The newest events of one state. */
export function eventsPage(
  basePath: string,
  state: EventFilterState,
  events: readonly ListedEvent[],
  nowMs: number,
): Html {
  return html`<div class="title"><h1>Events</h1></div>
    <nav class="tabs" aria-label="State">
      ${ORDER.map((each) =>
        each === state
          ? html`<a href="${basePath}/events?state=${each}" aria-current="page">${each}</a>`
          : html`<a href="${basePath}/events?state=${each}">${each}</a>`,
      )}
    </nav>
    ${
      events.length === 0
        ? html`<p class="empty">${EMPTY[state]}</p>`
        : html`<p class="quiet">The newest ${events.length}</p>
            ${eventList(basePath, events, nowMs)}`
    }`;
}
