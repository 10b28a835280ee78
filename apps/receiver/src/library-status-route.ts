import type { FastifyInstance } from 'fastify';
import type { Delivery } from './authentication.ts';
import type { StatusGiven } from './give-status.ts';
import { answerRefusal, refuse } from './refuse.ts';
import { type RouteNotes, decideSigned } from './webhook-route.ts';

/** `POST /webhooks/{library}/service/status`, signed as a delivery with a `webhook-id` of its own is. */
export function registerLibraryStatusRoute(
  app: FastifyInstance,
  give: (delivery: Delivery) => Promise<StatusGiven>,
  notes: RouteNotes,
): void {
  app.post<{ Params: { library: string } }>('/webhooks/:library/service/status', async (request, reply) => {
    const given = await decideSigned(request, give, notes);
    if (given === null) return refuse(reply, 'unsupported_media_type');
    return given.kind === 'status' ? reply.send(given.status) : answerRefusal(reply, given);
  });
}
