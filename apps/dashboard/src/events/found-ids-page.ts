import type { EventRef } from './person-actions.ts';
import { eventPath } from './event-list.ts';
import { type Html, html } from '../shell/html.ts';

/** What a search by id came to where it leads to no page by itself: none, or several libraries that use the same id. */
export function foundIdsPage(basePath: string, typed: string, found: readonly EventRef[]): Html {
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
