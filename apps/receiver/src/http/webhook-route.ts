import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Acceptance } from '../deliveries/accept-event.ts';
import type { Delivery, Unauthorized } from '../deliveries/authentication.ts';
import type { Cancellation } from '../follow-ups/cancel-scan.ts';
import type { StatusGiven } from '../follow-ups/give-status.ts';
import { isJson } from './is-json.ts';
import { answerRefusal, refuse } from './refuse.ts';
import { signatureHeaders } from './signature-headers.ts';
import type { ConsentTaken } from '../follow-ups/take-consent.ts';

/** What can be decided of a signed request. */
type Decision = Acceptance | Cancellation | ConsentTaken | StatusGiven;
/** What became of it, for the log and the metrics. */
export type DeliveryResult = Decision['kind'] | 'too_large' | 'unsupported_media_type' | 'malformed_request';
/** `why` is of an `unauthorized` one. */
export type NoteDelivery = (
  library: string,
  result: DeliveryResult,
  more?: { readonly eventId?: string; readonly why?: Unauthorized },
) => void;

const UNSIGNED: ReadonlySet<DeliveryResult> = new Set(['header_malformed', 'unauthorized']);

/** What is noted of what was decided beside its kind. */
function factsOf(of: Decision): Parameters<NoteDelivery>[2] {
  if (of.kind === 'unauthorized') return { why: of.why };
  return 'eventId' in of ? { eventId: of.eventId } : {};
}

/** What a route reports of each request. */
export interface RouteNotes {
  readonly note: NoteDelivery;
  /** Receives the connection of each signed request. */
  readonly proven: (socket: Socket) => void;
}

/** Decides on the raw bytes of a signed request, notes what became of it, and answers. */
export async function answerSigned<T extends Decision>(
  request: FastifyRequest<{ Params: { library: string } }>,
  reply: FastifyReply,
  on: {
    readonly decide: (delivery: Delivery) => Promise<T>;
    readonly answer: (reply: FastifyReply, decided: T) => FastifyReply;
  },
  { note, proven }: RouteNotes,
): Promise<FastifyReply> {
  const { library } = request.params;
  if (!isJson(request.headers['content-type'])) {
    note(library, 'unsupported_media_type');
    return refuse(reply, 'unsupported_media_type');
  }
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  const decided = await on.decide({ library, header: signatureHeaders(request), body });
  if (!UNSIGNED.has(decided.kind)) proven(request.raw.socket);
  note(library, decided.kind, factsOf(decided));
  return on.answer(reply, decided);
}

/** `POST /webhooks/{library}`: raw bytes in, one exhaustive switch from what was decided to the answer. */
export function registerWebhookRoute(
  app: FastifyInstance,
  accept: (delivery: Delivery) => Promise<Acceptance>,
  notes: RouteNotes,
): void {
  app.post<{ Params: { library: string } }>('/webhooks/:library', async (request, reply) =>
    answerSigned(request, reply, { decide: accept, answer }, notes),
  );
}

function answer(reply: FastifyReply, acceptance: Acceptance): FastifyReply {
  switch (acceptance.kind) {
    case 'accepted':
      return taken(reply, acceptance.eventId, acceptance.isCancelled === true ? { cancelled: true } : {});
    case 'seen':
      return taken(reply, acceptance.eventId, {});
    case 'duplicate':
      return taken(reply, acceptance.eventId, { duplicate: true });
    case 'coalesced':
      return taken(reply, acceptance.eventId, { joined: true });
    case 'test':
      return taken(reply, acceptance.eventId, { test: true });
    case 'ignored':
      return taken(reply, acceptance.eventId, { ignored: true });
    default:
      return answerRefusal(reply, acceptance);
  }
}

function taken(reply: FastifyReply, eventId: string, more: Record<string, true>): FastifyReply {
  return reply.code(202).send({ event_id: eventId, status: 'accepted', ...more });
}
