import { hoursOf, outcomeChart, outcomeTotals, totalsOf } from '../outcomes/outcome-chart.ts';
import type { Overview } from './read-overview.ts';
import { endpointSection } from './endpoint-section.ts';
import { eventList } from '../events/event-list.ts';
import { type Html, html } from '../shell/html.ts';
import { libraryTable, libraryWarnings } from '../libraries/library-table.ts';
import { serviceSection } from './service-section.ts';
import { durationText } from '../shell/parts.ts';

/** The front page: what goes on now, each library, the last day, and what waits for a person. */
export function overviewPage(basePath: string, overview: Overview, isRefreshing: boolean): Html {
  return html`<div class="title">
      <h1>Overview</h1>
      <p class="quiet now">${nowText(overview)}</p>
      ${refreshLink(basePath, isRefreshing)}
    </div>
    ${figures(basePath, overview)} ${serviceSection(overview.service, overview.nowMs)}
    <section aria-labelledby="libraries-title">
      <h2 id="libraries-title">Libraries</h2>
      ${libraryTable(basePath, overview)} ${libraryWarnings(overview)}
    </section>
    ${endpointSection(overview.endpoints, overview.nowMs)}
    <div class="columns">
      <section aria-labelledby="outcomes-title">
        <h2 id="outcomes-title">Outcomes of the last day</h2>
        ${outcomeChart(hoursOf(overview.outcomes, overview.nowMs))}
        ${outcomeTotals(totalsOf(overview.outcomes))}
      </section>
      <section aria-labelledby="failed-title">
        <h2 id="failed-title">Needs attention</h2>
        ${failed(basePath, overview)}
      </section>
    </div>`;
}

function nowText({ figures: { jobs, oldestSeconds } }: Overview): string {
  const unfinished = jobs.queued + jobs.working + jobs.waiting;
  if (unfinished === 0) return 'No scan is unfinished.';
  const scans = unfinished === 1 ? '1 scan is unfinished' : `${unfinished} scans are unfinished, the oldest`;
  return `${scans} for ${durationText(oldestSeconds)}.`;
}

function figures(basePath: string, { figures: { jobs } }: Overview): Html {
  const tile = (state: string, label: string, value: number, note: string): Html =>
    html`<li class="tile tile-${state} ${value === 0 ? 'none' : 'some'}">
      <a href="${basePath}/events?state=${state}">
        <span class="value">${value}</span>
        <span class="label">${label}</span>
        <span class="quiet">${note}</span>
      </a>
    </li>`;
  return html`<ul class="tiles" aria-label="Scans now">
    ${tile('queued', 'in the queue', jobs.queued, 'for a worker')}
    ${tile('working', 'in progress', jobs.working, 'right now')}
    ${tile('waiting', 'waiting', jobs.waiting, 'for a library to answer')}
    ${tile('failed', 'failed', jobs.failed, jobs.failed === 0 ? 'nothing to fix' : 'to be fixed')}
    ${tile('done', 'done', jobs.done, 'until retention ends')}
  </ul>`;
}

function failed(basePath: string, { failed: events, figures: { jobs }, nowMs }: Overview): Html {
  if (events.length === 0) return html`<p class="empty">No failed scans.</p>`;
  const more =
    jobs.failed > events.length
      ? html`<p><a href="${basePath}/events?state=failed">All ${jobs.failed} failed events</a></p>`
      : null;
  return html`${eventList(basePath, events, nowMs)} ${more}`;
}

function refreshLink(basePath: string, isRefreshing: boolean): Html {
  return isRefreshing
    ? html`<a class="button" href="${basePath}/">Stop refreshing</a>`
    : html`<a class="button" href="${basePath}/?refresh=on">Refresh every 15 seconds</a>`;
}
