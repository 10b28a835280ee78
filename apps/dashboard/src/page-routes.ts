import type { FastifyInstance } from 'fastify';
import {
  EVENT_STATES,
  type EventFilterState,
  type ListedEvent,
  STATISTICS_DIMENSIONS,
  type StatisticsCount,
  lastMonths,
  monthOf,
  statisticsCsv,
  sumStatistics,
} from '@passport/queue';
import { registerEventRoutes } from './event-routes.ts';
import type { EventRoutesDeps } from './event-routes.ts';
import { eventsPage } from './pages/events-page.ts';
import { overviewPage } from './pages/overview-page.ts';
import { statisticsPage } from './pages/statistics-page.ts';
import { sweepsPage } from './pages/sweeps-page.ts';
import type { Overview } from './read-overview.ts';
import type { LibrarySweeps } from './read-sweeps.ts';
import type { SendPage } from './send-page.ts';

export interface PageDeps extends EventRoutesDeps {
  readonly readOverview: () => Promise<Overview>;
  readonly listEvents: (state: EventFilterState) => Promise<readonly ListedEvent[]>;
  readonly readStatistics: (months: readonly string[]) => Promise<readonly StatisticsCount[]>;
  readonly readSweeps: () => Promise<readonly LibrarySweeps[]>;
}

const REFRESH_SECONDS = 15;
/** Of statistics; `passport stats` lists all that is kept. */
const MONTHS_SHOWN = 12;

/** The front page, the lists of events, each event's page, sweeps, and statistics. */
export function registerPageRoutes(app: FastifyInstance, deps: PageDeps, send: SendPage): void {
  const { basePath } = deps;
  app.get<{ Querystring: { refresh?: string } }>('/', async (request, reply) => {
    const isRefreshing = request.query.refresh === 'on';
    const overview = await deps.readOverview();
    const refreshSeconds = isRefreshing ? REFRESH_SECONDS : null;
    const page = { title: 'Overview', here: 'overview', refreshSeconds } as const;
    return send(request, reply, page, overviewPage(basePath, overview, isRefreshing));
  });
  app.get<{ Querystring: { state?: string } }>('/events', async (request, reply) => {
    const state = EVENT_STATES.find((each) => each === request.query.state) ?? 'failed';
    const events = await deps.listEvents(state);
    const page = { title: `Events: ${state}`, here: 'events' } as const;
    return send(request, reply, page, eventsPage(basePath, state, events, deps.now()));
  });
  registerEventRoutes(app, deps, send);
  registerStatisticsRoutes(app, deps, send);
  app.get<{ Querystring: { lending?: string } }>('/sweeps', async (request, reply) => {
    const { nameOf } = deps;
    const sweeps = await deps.readSweeps();
    const lending = sweeps.find(({ library }) => library === request.query.lending)?.library ?? null;
    const view = { basePath, nameOf, nowMs: deps.now(), sweeps, lending };
    return send(request, reply, { title: 'Sweeps', here: 'sweeps' }, sweepsPage(view));
  });
}

function registerStatisticsRoutes(app: FastifyInstance, deps: PageDeps, send: SendPage): void {
  const { basePath, nameOf, readStatistics } = deps;
  const months = (): string[] => lastMonths(monthOf(new Date(deps.now()).toISOString()), MONTHS_SHOWN);
  app.get<{ Querystring: { home?: string; lending?: string } }>('/statistics', async (request, reply) => {
    const shown = months();
    const { home, lending } = request.query;
    const filter = { home: oneOf(home), lending: oneOf(lending) };
    const view = { basePath, nameOf, months: shown, counts: await readStatistics(shown), filter };
    return send(request, reply, { title: 'Statistics', here: 'statistics' }, statisticsPage(view));
  });
  app.get('/statistics.csv', async (_request, reply) => {
    const rows = sumStatistics(await readStatistics(months()), STATISTICS_DIMENSIONS);
    return reply
      .type('text/csv; charset=utf-8')
      .header('content-disposition', 'attachment; filename="passport-statistics.csv"')
      .send(`${statisticsCsv(rows, STATISTICS_DIMENSIONS).join('\r\n')}\r\n`);
  });
}

/** A parameter that is missing or repeated names nothing. */
const oneOf = (parameter: unknown): string | null =>
  typeof parameter === 'string' && parameter !== '' ? parameter : null;
