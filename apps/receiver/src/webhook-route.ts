import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Acceptance } from './accept-event.ts';
import type { Delivery, Unauthorized } from './authentication.ts';
import type { Cancellation } from './cancel-scan.ts';
import { isJson } from './is-json.ts';
import { refuse, refuseUnauthorized } from './refuse.ts';
import { signatureHeaders } from './signature-headers.ts';

/** What became of a delivery, or of a cancel, for the log and the metrics. */
export type DeliveryResult =
  Acceptance['kind'] | Cancellation['kind'] | 'too_large' | 'unsupported_media_type' | 'malformed_request';
/** `why` is of an `unauthorized` one. */
export type NoteDelivery = (
  library: string,
  result: DeliveryResult,
  more?: { readonly eventId?: string; readonly why?: Unauthorized },
) => void;

const UNSIGNED: ReadonlySet<DeliveryResult> = new Set(['header_malformed', 'unauthorized']);

/** What is noted of an acceptance or a cancel beside its kind. */
export function factsOf(of: Acceptance | Cancellation): Parameters<NoteDelivery>[2] {
  if (of.kind === 'unauthorized') return { why: of.why };
  return 'eventId' in of ? { eventId: of.eventId } : {};
}

/** `POST /webhooks/{library}`: raw bytes in, one exhaustive switch from what was decided to the answer. */
export function registerWebhookRoute(
  app: FastifyInstance,
  accept: (delivery: Delivery) => Promise<Acceptance>,
  { note, proven }: { readonly note: NoteDelivery; readonly proven: (socket: Socket) => void },
): void {
  app.post<{ Params: { library: string } }>('/webhooks/:library', async (request, reply) => {
    const { library } = request.params;
    if (!isJson(request.headers['content-type'])) {
      note(library, 'unsupported_media_type');
      return refuse(reply, 'unsupported_media_type');
    }
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    const acceptance = await accept({ library, header: signatureHeaders(request), body });
    if (!UNSIGNED.has(acceptance.kind)) proven(request.raw.socket);
    note(library, acceptance.kind, factsOf(acceptance));
    return answer(reply, acceptance);
  });
}

function answer(reply: FastifyReply, acceptance: Acceptance): FastifyReply {
  switch (acceptance.kind) {
    case 'accepted':
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
    case 'header_malformed': {
      const { header, problem } = acceptance;
      return refuse(reply, 'header_malformed', { field: header, detail: `${header} ${problem}` });
    }
    case 'invalid_field': {
      const { field, problem } = acceptance;
      return refuse(reply, 'invalid_field', { field, detail: `${field || 'the body'} ${problem}` });
    }
    case 'unauthorized':
      return refuseUnauthorized(reply, acceptance.why);
    case 'not_json':
    case 'id_reused':
      return refuse(reply, acceptance.kind);
    case 'rate_limited':
    case 'backlog_full':
    case 'unavailable':
      return refuse(reply, acceptance.kind, { retryAfterMs: acceptance.retryAfterMs });
    default:
      return acceptance satisfies never;
  }
}

function taken(reply: FastifyReply, eventId: string, more: Record<string, true>): FastifyReply {
  return reply.code(202).send({ event_id: eventId, status: 'accepted', ...more });
}
