import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Delivery } from '../deliveries/authentication.ts';
import type { StatusGiven } from '../follow-ups/give-status.ts';
import { answerRefusal } from './refuse.ts';
import { type RouteNotes, answerSigned } from './webhook-route.ts';

/** `POST /webhooks/{library}/service/status`, signed as a delivery with a `webhook-id` of its own is. */
export function registerLibraryStatusRoute(
  app: FastifyInstance,
  decide: (delivery: Delivery) => Promise<StatusGiven>,
  notes: RouteNotes,
): void {
  app.post<{ Params: { library: string } }>('/webhooks/:library/service/status', async (request, reply) =>
    answerSigned(request, reply, { decide, answer }, notes),
  );
}

function answer(reply: FastifyReply, given: StatusGiven): FastifyReply {
  return given.kind === 'status' ? reply.send(given.status) : answerRefusal(reply, given);
}
