import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Delivery } from '../deliveries/authentication.ts';
import type { Cancellation } from '../follow-ups/cancel-scan.ts';
import { answerRefusal } from './refuse.ts';
import { type RouteNotes, answerSigned } from './webhook-route.ts';

/** `POST /webhooks/{library}/{webhook-id}/cancel`, signed as a delivery of that event is. */
export function registerCancelRoute(
  app: FastifyInstance,
  cancel: (delivery: Delivery, eventId: string) => Promise<Cancellation>,
  notes: RouteNotes,
): void {
  app.post<{ Params: { library: string; id: string } }>(
    '/webhooks/:library/:id/cancel',
    async (request, reply) => {
      const { id } = request.params;
      return answerSigned(request, reply, { decide: (delivery) => cancel(delivery, id), answer }, notes);
    },
  );
}

function answer(reply: FastifyReply, cancellation: Cancellation): FastifyReply {
  if (cancellation.kind !== 'cancelled') return answerRefusal(reply, cancellation);
  return reply.code(cancellation.answer.result === 'PENDING' ? 202 : 200).send(cancellation.answer);
}
