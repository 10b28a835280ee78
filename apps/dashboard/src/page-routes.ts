import type { FastifyInstance } from 'fastify';
import {
  EVENT_STATES,
  type EventSearch,
  type FoundEvents,
  STATISTICS_DIMENSIONS,
  type StatisticsCount,
  lastMonths,
  monthOf,
  statisticsCsv,
  sumStatistics,
} from '@passport/queue';
import { registerEventRoutes } from './event-routes.ts';
import type { EventRoutesDeps } from './event-routes.ts';
import type { Person } from './login.ts';
import { eventsPage } from './pages/events-page.ts';
import { overviewPage } from './pages/overview-page.ts';
import { type StatisticsFilter, statisticsPage } from './pages/statistics-page.ts';
import { sweepsPage } from './pages/sweeps-page.ts';
import type { Overview } from './read-overview.ts';
import type { LibrarySweeps } from './read-sweeps.ts';
import { requirePerson } from './require-login.ts';
import { type Scope, sees } from './scope.ts';
import type { SendPage } from './send-page.ts';

export interface PageDeps extends EventRoutesDeps {
  readonly readOverview: (scope: Scope) => Promise<Overview>;
  readonly findEvents: (search: EventSearch) => Promise<FoundEvents>;
  readonly readStatistics: (months: readonly string[]) => Promise<readonly StatisticsCount[]>;
  readonly readSweeps: () => Promise<readonly LibrarySweeps[]>;
}

const REFRESH_SECONDS = 15;
/** Of statistics; `passport stats` lists all that is kept. */
const MONTHS_SHOWN = 12;
const EVENTS_SHOWN = 100;
/** These pages show what belongs to the libraries of the user, and nothing else. */
const FILTERED = { config: { scope: 'filtered' } } as const;

/** The front page, the lists of events, each event's page, sweeps, and statistics. */
export function registerPageRoutes(app: FastifyInstance, deps: PageDeps, send: SendPage): void {
  const { basePath } = deps;
  app.get<{ Querystring: { refresh?: string } }>('/', FILTERED, async (request, reply) => {
    const isRefreshing = request.query.refresh === 'on';
    const overview = await deps.readOverview(requirePerson(request).libraries);
    const refreshSeconds = isRefreshing ? REFRESH_SECONDS : null;
    const page = { title: 'Overview', here: 'overview', refreshSeconds } as const;
    return send(request, reply, page, overviewPage(basePath, overview, isRefreshing));
  });
  app.get<{ Querystring: { state?: string } }>('/events', FILTERED, async (request, reply) => {
    const state = EVENT_STATES.find((each) => each === request.query.state) ?? 'failed';
    const { libraries } = requirePerson(request);
    const { events } = await deps.findEvents({
      state,
      libraries: libraries === 'all' ? null : libraries,
      outcome: null,
      fromMs: null,
      untilMs: null,
      after: null,
      most: EVENTS_SHOWN,
    });
    const page = { title: `Events: ${state}`, here: 'events' } as const;
    return send(request, reply, page, eventsPage(basePath, state, events, deps.now()));
  });
  registerEventRoutes(app, deps, send);
  registerStatisticsRoutes(app, deps, send);
  app.get<{ Querystring: { lending?: string } }>('/sweeps', FILTERED, async (request, reply) => {
    const { nameOf } = deps;
    const person = requirePerson(request);
    const named = oneOf(request.query.lending);
    if (named !== null && !sees(person, named)) return reply.callNotFound();
    const sweeps = (await deps.readSweeps()).filter(({ library }) => sees(person, library));
    const lending = sweeps.find(({ library }) => library === named)?.library ?? null;
    const view = { basePath, nameOf, nowMs: deps.now(), sweeps, lending };
    return send(request, reply, { title: 'Sweeps', here: 'sweeps' }, sweepsPage(view));
  });
}

function registerStatisticsRoutes(app: FastifyInstance, deps: PageDeps, send: SendPage): void {
  const { basePath, nameOf, readStatistics } = deps;
  const months = (): string[] => lastMonths(monthOf(new Date(deps.now()).toISOString()), MONTHS_SHOWN);
  /** Of what was scanned at the libraries that somebody sees, wherever the patrons are at home. */
  const countsFor = async (person: Person, shown: readonly string[]): Promise<readonly StatisticsCount[]> =>
    (await readStatistics(shown)).filter(({ lending }) => sees(person, lending));
  app.get<{ Querystring: { home?: string; lending?: string } }>(
    '/statistics',
    FILTERED,
    async (request, reply) => {
      const shown = months();
      const { home, lending } = request.query;
      const filter = { home: oneOf(home), lending: oneOf(lending) };
      const person = requirePerson(request);
      const counts = await countsFor(person, shown);
      if (!mayFilterBy(person, filter, counts)) return reply.callNotFound();
      const view = { basePath, nameOf, months: shown, counts, filter };
      return send(request, reply, { title: 'Statistics', here: 'statistics' }, statisticsPage(view));
    },
  );
  app.get('/statistics.csv', FILTERED, async (request, reply) => {
    const counts = await countsFor(requirePerson(request), months());
    const rows = sumStatistics(counts, STATISTICS_DIMENSIONS);
    return reply
      .type('text/csv; charset=utf-8')
      .header('content-disposition', 'attachment; filename="passport-statistics.csv"')
      .send(`${statisticsCsv(rows, STATISTICS_DIMENSIONS).join('\r\n')}\r\n`);
  });
}

/** Whoever sees some libraries may name those, and the homes of patrons who were scanned there. */
function mayFilterBy(
  person: Person,
  { home, lending }: StatisticsFilter,
  counts: readonly StatisticsCount[],
): boolean {
  if (person.libraries === 'all') return true;
  const isHomeOfTheirs = home === null || sees(person, home) || counts.some((count) => count.home === home);
  return isHomeOfTheirs && (lending === null || sees(person, lending));
}

/** A parameter that is missing or repeated names nothing. */
const oneOf = (parameter: unknown): string | null =>
  typeof parameter === 'string' && parameter !== '' ? parameter : null;
