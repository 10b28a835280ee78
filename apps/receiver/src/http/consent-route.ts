import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Delivery } from '../deliveries/authentication.ts';
import { answerRefusal, refuse } from './refuse.ts';
import type { ConsentTaken } from '../follow-ups/take-consent.ts';
import { type RouteNotes, answerSigned } from './webhook-route.ts';

/** `POST /webhooks/{library}/{webhook-id}/consent`, signed as a delivery of that event is. */
export function registerConsentRoute(
  app: FastifyInstance,
  consent: (delivery: Delivery, eventId: string) => Promise<ConsentTaken>,
  notes: RouteNotes,
): void {
  app.post<{ Params: { library: string; id: string } }>(
    '/webhooks/:library/:id/consent',
    async (request, reply) => {
      const { id } = request.params;
      return answerSigned(request, reply, { decide: (delivery) => consent(delivery, id), answer }, notes);
    },
  );
}

function answer(reply: FastifyReply, taken: ConsentTaken): FastifyReply {
  switch (taken.kind) {
    case 'consent':
      return reply.send({ event_id: taken.eventId, answer: taken.answer });
    case 'no_question':
    case 'answered_before':
    case 'other_text':
      return refuse(reply, taken.kind);
    default:
      return answerRefusal(reply, taken);
  }
}
