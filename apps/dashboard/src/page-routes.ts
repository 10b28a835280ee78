import type { FastifyInstance } from 'fastify';
import {
  STATISTICS_DIMENSIONS,
  type StatisticsCount,
  lastMonths,
  monthOf,
  statisticsCsv,
  sumStatistics,
} from '@passport/queue';
import { type AuditRoutesDeps, registerAuditRoutes } from './audit/audit-page.ts';
import { type EventRoutesDeps, registerEventRoutes } from './events/event-page.ts';
import type { Person } from './login/login.ts';
import { type ListRoutesDeps, registerListRoutes } from './events/events-page.ts';
import { libraryPage, type LibraryView } from './libraries/library-page.ts';
import { overviewPage } from './overview/overview-page.ts';
import { type StatisticsFilter, statisticsPage } from './statistics/statistics-page.ts';
import { type LibrarySweeps, sweepsPage } from './sweeps/sweeps-page.ts';
import type { Overview } from './overview/read-overview.ts';
import { requirePerson } from './login/require-login.ts';
import { type Scope, sees } from './login/scope.ts';
import type { SendPage } from './shell/layout.ts';

export interface PageDeps extends EventRoutesDeps, ListRoutesDeps, AuditRoutesDeps {
  readonly readOverview: (scope: Scope) => Promise<Overview>;
  readonly readLibrary: (library: string, scope: Scope) => Promise<LibraryView | null>;
  readonly readStatistics: (months: readonly string[]) => Promise<readonly StatisticsCount[]>;
  readonly readSweeps: () => Promise<readonly LibrarySweeps[]>;
}

const REFRESH_SECONDS = 15;
/** Of statistics; `passport stats` lists all that is kept. */
const MONTHS_SHOWN = 12;
/** These pages show what belongs to the libraries of the user, and nothing else. */
const FILTERED = { config: { scope: 'filtered' } } as const;
const OF_LIBRARY = { config: { scope: 'library' } } as const;

/** The front page, the lists of events, each event's and each library's page, sweeps, statistics, and the audit. */
export function registerPageRoutes(app: FastifyInstance, deps: PageDeps, send: SendPage): void {
  const { basePath } = deps;
  app.get<{ Querystring: { refresh?: string } }>('/', FILTERED, async (request, reply) => {
    const isRefreshing = request.query.refresh === 'on';
    const overview = await deps.readOverview(requirePerson(request).libraries);
    const refreshSeconds = isRefreshing ? REFRESH_SECONDS : null;
    const page = { title: 'Overview', here: 'overview', refreshSeconds } as const;
    return send(request, reply, page, overviewPage(basePath, overview, isRefreshing));
  });
  registerListRoutes(app, deps, send);
  registerEventRoutes(app, deps, send);
  registerStatisticsRoutes(app, deps, send);
  registerAuditRoutes(app, deps, send);
  app.get<{ Params: { library: string } }>('/libraries/:library', OF_LIBRARY, async (request, reply) => {
    const view = await deps.readLibrary(request.params.library, requirePerson(request).libraries);
    if (view === null) return reply.callNotFound();
    return send(request, reply, { title: view.library.name, here: null }, libraryPage(basePath, view));
  });
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
