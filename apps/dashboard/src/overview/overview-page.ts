import type { FastifyInstance } from 'fastify';
import { hoursOf, outcomeChart, outcomeTotals, totalsOf } from '../outcomes/outcome-chart.ts';
import { type Overview, readOverview } from './read-overview.ts';
import { attentionSection } from './attention-section.ts';
import { joinSection } from './join-section.ts';
import { endpointSection } from './endpoint-section.ts';
import { type Html, html } from '../shell/html.ts';
import { libraryTable, libraryWarnings } from './library-table.ts';
import { serviceSection } from './service-section.ts';
import type { SendPage } from '../shell/layout.ts';
import type { PageDeps } from '../shell/page-deps.ts';
import { durationText } from '@passport/runtime';
import { tile } from '../shell/parts.ts';
import { FILTERED, requirePerson } from '../login/require-login.ts';

const REFRESH_SECONDS = 15;

/** `/`: the front page. */
export function registerOverviewPage(app: FastifyInstance, deps: PageDeps, send: SendPage): void {
  app.get<{ Querystring: { refresh?: string } }>('/', FILTERED, async (request, reply) => {
    const isRefreshing = request.query.refresh === 'on';
    const overview = await readOverview(deps, requirePerson(request).libraries);
    const refreshSeconds = isRefreshing ? REFRESH_SECONDS : null;
    const page = { title: 'Overview', here: 'overview', refreshSeconds } as const;
    return send(request, reply, page, overviewPage(deps.basePath, overview, isRefreshing));
  });
}

/** The front page: what waits for a person, what goes on now, each library, and the last day. */
function overviewPage(basePath: string, overview: Overview, isRefreshing: boolean): Html {
  return html`<div class="title">
      <h1>Overview</h1>
      <p class="quiet now">${nowText(overview)}</p>
      ${refreshLink(basePath, isRefreshing)}
    </div>
    ${attentionSection(basePath, overview)} ${figures(basePath, overview)}
    ${serviceSection(overview.service, overview.nowMs)} ${joinSection(overview.joinRequests, overview.nowMs)}
    <section aria-labelledby="libraries-title">
      <h2 id="libraries-title">Libraries</h2>
      ${libraryTable(basePath, overview)} ${libraryWarnings(overview)}
    </section>
    ${endpointSection(overview.endpoints, overview.nowMs)}
    <section aria-labelledby="outcomes-title">
      <h2 id="outcomes-title">Outcomes of the last day</h2>
      ${outcomeChart(hoursOf(overview.outcomes, overview.nowMs))}
      ${outcomeTotals(totalsOf(overview.outcomes))}
    </section>`;
}

function nowText({ figures: { jobs, oldestSeconds } }: Overview): string {
  const unfinished = jobs.queued + jobs.working + jobs.waiting;
  if (unfinished === 0) return 'No scan is unfinished.';
  const scans = unfinished === 1 ? '1 scan is unfinished' : `${unfinished} scans are unfinished, the oldest`;
  return `${scans} for ${durationText(oldestSeconds * 1_000)}.`;
}

function figures(basePath: string, { figures: { jobs } }: Overview): Html {
  const ofState = (state: keyof typeof jobs, label: string, note: string): Html =>
    tile(label, jobs[state], note, {
      className: `tile-${state}`,
      path: `${basePath}/events?state=${state}`,
    });
  return html`<ul class="tiles" aria-label="Scans now">
    ${ofState('queued', 'in the queue', 'for a worker')} ${ofState('working', 'in progress', 'right now')}
    ${ofState('waiting', 'waiting', 'for a library to answer')}
    ${ofState('failed', 'failed', jobs.failed === 0 ? 'nothing to fix' : 'to be fixed')}
    ${ofState('done', 'done', 'until retention ends')}
  </ul>`;
}

function refreshLink(basePath: string, isRefreshing: boolean): Html {
  return isRefreshing
    ? html`<a class="button" href="${basePath}/">Stop refreshing</a>`
    : html`<a class="button" href="${basePath}/?refresh=on">Refresh every 15 seconds</a>`;
}
