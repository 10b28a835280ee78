import type { FastifyInstance } from 'fastify';
import { type EventState, isEventId, readDeliveryHeaders, verifyDelivery } from '@passport/contract';
import type { ReportingLibrary } from './accept-event.ts';
import { headerValues, refuse } from './webhook-route.ts';

/** The state of an event under its own id or the id of a scan that joined it. */
export type ReadState = (library: string, eventId: string) => Promise<EventState | null | 'unavailable'>;

const EMPTY = Buffer.alloc(0);

/** `GET /webhooks/{library}/{webhook-id}`, signed over an empty body under the same id. Takes nothing from the rate. */
export function registerStatusRoute(
  app: FastifyInstance,
  deps: {
    readonly libraries: ReadonlyMap<string, ReportingLibrary>;
    readonly readState: ReadState;
    readonly nowSeconds: () => number;
  },
): void {
  app.get<{ Params: { library: string; id: string } }>('/webhooks/:library/:id', async (request, reply) => {
    const reading = readDeliveryHeaders(headerValues(request));
    if (reading.kind === 'malformed') {
      const { header, problem } = reading;
      return refuse(reply, 400, 'header_malformed', { field: header, detail: `${header} ${problem}` });
    }
    const { headers } = reading;
    const library = deps.libraries.get(request.params.library);
    const genuine = verifyDelivery({
      secrets: library?.secrets ?? [EMPTY],
      headers,
      body: EMPTY,
      nowSeconds: deps.nowSeconds(),
    });
    if (!genuine || library === undefined || headers.id !== request.params.id) {
      return refuse(reply, 401, 'unauthorized');
    }
    const state = isEventId(headers.id) ? await deps.readState(library.id, headers.id) : null;
    if (state === null) return refuse(reply, 404, 'not_found');
    if (state === 'unavailable') return refuse(reply, 503, 'unavailable', { retryAfterMs: 1_000 });
    return reply.header('cache-control', 'no-store').send(state);
  });
}
