import { type EventState, OUTCOME_GROUP } from '@passport/contract';
import type { ListedEvent } from '@passport/queue/events';
import { problemText } from '@passport/queue/processes';
import { type Html, html } from '../shell/html.ts';
import { table, timeElement } from '../shell/parts.ts';

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

/** The same as a table of one line each, for many. */
export function eventTable(basePath: string, events: readonly ListedEvent[], nowMs: number): Html {
  const rows = events.map((event) => {
    if (event.kind === 'unreadable')
      return ['', '', html`<span class="code code-failed">UNREADABLE</span>`, unreadableText(event.jobId)];
    const { state } = event;
    const what = html`<a href="${eventPath(basePath, state.library, state.event_id)}">${state.message}</a>`;
    const details = [...kindsOf(state), ...detailsOf(state)].join(' · ');
    return [
      html`<div>${timeElement(Date.parse(state.updated_at), nowMs)}</div>`,
      state.library,
      eventCode(state),
      html`<div>${what} ${details === '' ? null : html`<span class="quiet">${details}</span>`}</div>`,
    ];
  });
  const heads = ['Last change', 'Library', 'Outcome', 'What happened'];
  return table({ label: 'Table: Events', className: 'libraries dense', heads, rows });
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
    <span class="message">${unreadableText(jobId)}</span>
  </li>`;
}

const unreadableText = (jobId: string): string => `The payload of ${jobId} cannot be read by this version.`;

function kindsOf(state: EventState): readonly string[] {
  const kind = kindOf(state);
  return kind === null ? [] : [kind];
}

function detailsOf({ problem, reasons }: EventState): readonly string[] {
  if (problem === null) return reasons;
  return [problemText(problem)];
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
