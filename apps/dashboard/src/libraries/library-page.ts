import { hoursOf, totalsOf } from '../outcomes/outcome-hours.ts';
import { eventsPath } from '../events/event-query.ts';
import type { LibraryView } from './read-library.ts';
import type { LibraryWarning } from '../overview/read-overview.ts';
import { endpointSection } from '../overview/endpoint-section.ts';
import { eventList } from '../events/event-list.ts';
import { type Html, type HtmlValue, html } from '../shell/html.ts';
import { pauseNotes, stateDetail, statePill } from './library-state.ts';
import { outcomeChart } from '../outcomes/outcome-chart.ts';
import { outcomeTotals } from '../outcomes/outcome-totals.ts';
import { millisecondsText, timeElement } from '../shell/time-text.ts';

/** One library: how its Koha is, its own scans, who waits for it, and where more of it is. */
export function libraryPage(basePath: string, view: LibraryView): Html {
  const { library, nowMs, outcomes } = view;
  const id = encodeURIComponent(library.id);
  return html`<p class="crumbs"><a href="${basePath}/">Overview</a></p>
    <div class="title">
      <h1>${library.name}</h1>
      <span class="now">${statePill(library.enabled, view.state)}</span>
    </div>
    ${tiles(basePath, view)} ${facts(view)} ${warnings(library.warnings ?? [])}
    <div class="columns">
      <section aria-labelledby="outcomes-title">
        <h2 id="outcomes-title">Outcomes of the last day at its desks</h2>
        ${outcomeChart(hoursOf(outcomes, nowMs))} ${outcomeTotals(totalsOf(outcomes))}
      </section>
      <section aria-labelledby="failed-title">
        <h2 id="failed-title">Its failed scans</h2>
        ${
          view.failed.length === 0
            ? html`<p class="empty">No failed scans.</p>`
            : html`${eventList(basePath, view.failed, nowMs)}
                <p>
                  <a href="${eventsPath(basePath, { state: 'failed', library: library.id })}">All of them</a>
                </p>`
        }
        <h3 class="apart">Scans waiting for it</h3>
        ${
          view.waitingForIt.length === 0
            ? html`<p class="empty">No scan waits for this library.</p>`
            : eventList(basePath, view.waitingForIt, nowMs)
        }
      </section>
    </div>
    ${endpointSection(view.endpoints, nowMs)}
    <p class="quiet">
      <a href="${basePath}/statistics?lending=${id}">Statistics as lending library</a> ·
      <a href="${basePath}/statistics?home=${id}">as home library</a> ·
      <a href="${basePath}/sweeps?lending=${id}">Sweeps over its copies</a>
    </p>`;
}

function tiles(basePath: string, { jobs, library }: LibraryView): Html {
  const states = [
    ['queued', 'in the queue'],
    ['working', 'in progress'],
    ['waiting', 'waiting'],
    ['failed', 'failed'],
    ['done', 'done'],
  ] as const;
  return html`<ul class="tiles" aria-label="Its scans now">
    ${states.map(
      ([state, label]) =>
        html`<li class="tile tile-${state} ${jobs[state] === 0 ? 'none' : 'some'}">
          <a href="${eventsPath(basePath, { state, library: library.id })}">
            <span class="value">${jobs[state]}</span>
            <span class="label">${label}</span>
          </a>
        </li>`,
    )}
  </ul>`;
}

function facts({ library, state, pauses, nowMs }: LibraryView): Html {
  const detail = stateDetail(library.enabled, state, nowMs);
  const all: readonly (readonly [string, HtmlValue])[] = [
    ['Library id', html`<code>${library.id}</code>`],
    ['State', html`${statePill(library.enabled, state)} ${detail} ${pauseNotes(pauses, nowMs)}`],
    ['Last success', timeElement(state.lastSuccessMs, nowMs)],
    ['Last failure', lastFailure(state.lastFailure, state.lastFailureMs, nowMs)],
    ['Answers in', millisecondsText(state.answerMs)],
  ];
  return html`<dl class="facts apart">
    ${all.map(
      ([term, value]) =>
        html`<div>
          <dt>${term}</dt>
          <dd>${value}</dd>
        </div>`,
    )}
  </dl>`;
}

function lastFailure(code: string | null, atMs: number | null, nowMs: number): HtmlValue {
  return atMs === null ? 'none known' : html`${code ?? 'failure'}, ${timeElement(atMs, nowMs)}`;
}

function warnings(lines: readonly LibraryWarning[]): Html | null {
  if (lines.length === 0) return null;
  return html`<div class="advice" role="note" aria-label="Warnings about the configuration">
    <ul>
      ${lines.map(({ text }) => html`<li>${text}</li>`)}
    </ul>
  </div>`;
}
