import { type EventState, OUTCOME_GROUP } from '@passport/contract';
import type { ListedEvent } from '@passport/queue/events';
import { type Html, html } from '../shell/html.ts';
import { timeElement } from '../shell/parts.ts';

/** The path of an event's own page. */
export function eventPath(basePath: string, library: string, eventId: string): string {
  return `${basePath}/events/${encodeURIComponent(library)}/${encodeURIComponent(eventId)}`;
}

/** Events one below the other: what happened in words, where, when, and the way to its page. */
export function eventList(basePath: string, events: readonly ListedEvent[], nowMs: number): Html {
  return html`<ul class="events">
    ${events.map((event) =>
      event.kind === 'event' ? entry(basePath, event.state, nowMs) : unreadable(event.jobId),
    )}
  </ul>`;
}

function entry(basePath: string, state: EventState, nowMs: number): Html {
  return html`<li>
    <a href="${eventPath(basePath, state.library, state.event_id)}">
      ${eventCode(state)}
      <span class="message">${state.message}</span>
    </a>
    <span class="quiet"
      >${[state.library, ...kindsOf(state), ...detailsOf(state)].join(' · ')} ·
      ${timeElement(Date.parse(state.updated_at), nowMs)}</span
    >
  </li>`;
}

function unreadable(jobId: string): Html {
  return html`<li>
    <span class="code code-failed">UNREADABLE</span>
    <span class="message">The payload of ${jobId} cannot be read by this version.</span>
  </li>`;
}

function kindsOf(state: EventState): readonly string[] {
  const kind = kindOf(state);
  return kind === null ? [] : [kind];
}

function detailsOf({ problem, reasons }: EventState): readonly string[] {
  if (problem === null) return reasons;
  return [[problem.what.replace('_', ' '), problem.name].filter((text) => text !== null).join(' ')];
}

/** What an outcome means, in a word or two; null while there is none. */
export function kindOf({ outcome }: Pick<EventState, 'outcome'>): string | null {
  return outcome === null ? null : OUTCOME_GROUP[outcome];
}

/** The outcome in the colour of its kind, or the state while there is none. */
export function eventCode(state: Pick<EventState, 'outcome' | 'state'>): Html {
  const kind = kindOf(state);
  const look = kind === null ? state.state : kind.replace(' ', '-');
  return html`<span class="code code-${look}">${state.outcome ?? state.state}</span>`;
}
