import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Delivery } from './authentication.ts';
import type { Cancellation } from './cancel-scan.ts';
import { isJson } from './is-json.ts';
import { refuse, refuseUnauthorized } from './refuse.ts';
import { signatureHeaders } from './signature-headers.ts';
import { type NoteDelivery, factsOf } from './webhook-route.ts';

/** `POST /webhooks/{library}/{webhook-id}/cancel`, signed as a delivery of that event is. */
export function registerCancelRoute(
  app: FastifyInstance,
  cancel: (delivery: Delivery, eventId: string) => Promise<Cancellation>,
  { note, proven }: { readonly note: NoteDelivery; readonly proven: (socket: Socket) => void },
): void {
  app.post<{ Params: { library: string; id: string } }>(
    '/webhooks/:library/:id/cancel',
    async (request, reply) => {
      const { library, id } = request.params;
      if (!isJson(request.headers['content-type'])) {
        note(library, 'unsupported_media_type');
        return refuse(reply, 'unsupported_media_type');
      }
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      const cancellation = await cancel({ library, header: signatureHeaders(request), body }, id);
      const { kind } = cancellation;
      if (kind !== 'header_malformed' && kind !== 'unauthorized') proven(request.raw.socket);
      note(library, kind, factsOf(cancellation));
      return answer(reply, cancellation);
    },
  );
}

function answer(reply: FastifyReply, cancellation: Cancellation): FastifyReply {
  switch (cancellation.kind) {
    case 'cancelled':
      return reply.code(cancellation.answer.result === 'PENDING' ? 202 : 200).send(cancellation.answer);
    case 'header_malformed': {
      const { header, problem } = cancellation;
      return refuse(reply, 'header_malformed', { field: header, detail: `${header} ${problem}` });
    }
    case 'invalid_field': {
      const { field, problem } = cancellation;
      return refuse(reply, 'invalid_field', { field, detail: `${field || 'the body'} ${problem}` });
    }
    case 'unauthorized':
      return refuseUnauthorized(reply, cancellation.why);
    case 'not_json':
    case 'not_found':
      return refuse(reply, cancellation.kind);
    case 'rate_limited':
    case 'unavailable':
      return refuse(reply, cancellation.kind, { retryAfterMs: cancellation.retryAfterMs });
    default:
      return cancellation satisfies never;
  }
}
