import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { EventState } from '@passport/contract';
import { type Authentication, type Delivery, OF_ANOTHER_EVENT } from './authentication.ts';
import { answerRefusal } from './refuse.ts';
import { signatureHeaders } from './signature-headers.ts';

/** The state of an event under its own id or the id of a scan that was coalesced with it. */
export type ReadState = (library: string, eventId: string) => Promise<EventState | null | 'unavailable'>;

const EMPTY = Buffer.alloc(0);
const UNAVAILABLE_RETRY_MS = 1_000;

/** `GET /webhooks/{library}/{webhook-id}`, signed over an empty body under the same id. Takes nothing from the rate. */
export function registerStatusRoute(
  app: FastifyInstance,
  deps: {
    readonly authenticate: (delivery: Delivery) => Authentication;
    readonly readState: ReadState;
    /** Receives the connection of each signed request. */
    readonly proven: (socket: Socket) => void;
  },
): void {
  const { authenticate, readState, proven } = deps;
  app.get<{ Params: { library: string; id: string } }>('/webhooks/:library/:id', async (request, reply) => {
    const { library, id } = request.params;
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
