import type { FastifyInstance } from 'fastify';
import { EVENT_STATES, type EventFilterState, type ListedEvent } from '@passport/queue';
import { registerEventRoutes } from './event-routes.ts';
import type { EventRoutesDeps } from './event-routes.ts';
import { eventsPage } from './pages/events-page.ts';
import { overviewPage } from './pages/overview-page.ts';
import type { Overview } from './read-overview.ts';
import type { SendPage } from './send-page.ts';

export interface PageDeps extends EventRoutesDeps {
  readonly readOverview: () => Promise<Overview>;
  readonly listEvents: (state: EventFilterState) => Promise<readonly ListedEvent[]>;
}

const REFRESH_SECONDS = 15;

/** The front page, the lists of events and each event's page. */
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
}
