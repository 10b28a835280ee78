import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { OF_ANOTHER_EVENT } from '../deliveries/authentication.ts';
import { answerRefusal } from './refuse.ts';
import type { Serving } from '../serve.ts';
import { signatureHeaders } from './signature-headers.ts';

const EMPTY = Buffer.alloc(0);
const UNAVAILABLE_RETRY_MS = 1_000;

/** `GET /webhooks/{library}/{webhook-id}`, signed over an empty body under the same id. Takes nothing from the rate. */
export function registerStatusRoute(
  app: FastifyInstance,
  deps: {
    readonly serving: () => Pick<Serving, 'authenticate' | 'readState'>;
    /** Receives the connection of each signed request. */
    readonly proven: (socket: Socket) => void;
  },
): void {
  const { serving, proven } = deps;
  app.get<{ Params: { library: string; id: string } }>('/webhooks/:library/:id', async (request, reply) => {
    const { library, id } = request.params;
    const { authenticate, readState } = serving();
    const sender = authenticate({ library, header: signatureHeaders(request), body: EMPTY });
    if (sender.kind !== 'genuine') return answerRefusal(reply, sender);
    if (sender.headers.id !== id)
      return answerRefusal(reply, { kind: 'unauthorized', why: OF_ANOTHER_EVENT });
    proven(request.raw.socket);
    const state = await readState(sender.library.id, sender.headers.id);
    if (state === null) return answerRefusal(reply, { kind: 'not_found' });
    if (state === 'unavailable') {
      return answerRefusal(reply, { kind: 'unavailable', retryAfterMs: UNAVAILABLE_RETRY_MS });
    }
    return reply.send(state);
  });
}
