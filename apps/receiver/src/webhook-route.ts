import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { SignatureHeader } from '@passport/contract';
import type { Acceptance, Delivery } from './accept-event.ts';
import { PROBLEM_TYPE, type ProblemCode, problem } from './problem.ts';

/** Every value of a header as it came over the wire; Node joins repeated ones in `req.headers`. */
export function headerValues(request: FastifyRequest): (name: SignatureHeader) => readonly string[] {
  const { rawHeaders } = request.raw;
  return (name) =>
    rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name);
}

const isJson = (contentType: string | undefined): boolean =>
  /^application\/json[\t ]*(?:;|$)/i.test(contentType ?? '');

/** Answers with a problem; `retry-after` is in whole seconds, at least one. */
export function refuse(
  reply: FastifyReply,
  status: number,
  code: ProblemCode,
  more: { readonly detail?: string; readonly field?: string; readonly retryAfterMs?: number } = {},
): FastifyReply {
  const { retryAfterMs, ...shown } = more;
  if (retryAfterMs !== undefined) {
    void reply.header('retry-after', Math.max(1, Math.ceil(retryAfterMs / 1000)));
  }
  return reply
    .code(status)
    .type(PROBLEM_TYPE)
    .send(problem(status, code, shown));
}

/** `POST /webhooks/{library}`: raw bytes in, one exhaustive switch from what was decided to the answer. */
export function registerWebhookRoute(
  app: FastifyInstance,
  accept: (delivery: Delivery) => Promise<Acceptance>,
  note: (library: string, acceptance: Acceptance['kind'], eventId: string | null) => void,
): void {
  app.post<{ Params: { library: string } }>('/webhooks/:library', async (request, reply) => {
    if (!isJson(request.headers['content-type'])) return refuse(reply, 415, 'unsupported_media_type');
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    const { library } = request.params;
    const acceptance = await accept({ library, header: headerValues(request), body });
    note(library, acceptance.kind, 'eventId' in acceptance ? acceptance.eventId : null);
    return answer(reply, acceptance);
  });
}

function answer(reply: FastifyReply, acceptance: Acceptance): FastifyReply {
  switch (acceptance.kind) {
    case 'accepted':
      return taken(reply, acceptance.eventId, {});
    case 'duplicate':
      return taken(reply, acceptance.eventId, { duplicate: true });
    case 'joined':
      return taken(reply, acceptance.eventId, { joined: true });
    case 'test':
      return taken(reply, acceptance.eventId, { test: true });
    case 'ignored':
      return taken(reply, acceptance.eventId, { ignored: true });
    case 'header_malformed':
      return refuse(reply, 400, 'header_malformed', {
        field: acceptance.header,
        detail: `${acceptance.header} ${acceptance.problem}`,
      });
    case 'not_json':
      return refuse(reply, 400, 'not_json');
    case 'unauthorized':
      return refuse(reply, 401, 'unauthorized');
    case 'id_reused':
      return refuse(reply, 409, 'id_reused');
    case 'invalid_field':
      return refuse(reply, 422, 'invalid_field', {
        field: acceptance.field,
        detail: `${acceptance.field || 'the body'} ${acceptance.problem}`,
      });
    case 'rate_limited':
    case 'backlog_full':
      return refuse(reply, 429, acceptance.kind, { retryAfterMs: acceptance.retryAfterMs });
    case 'unavailable':
      return refuse(reply, 503, 'unavailable', { retryAfterMs: acceptance.retryAfterMs });
    default:
      return acceptance satisfies never;
  }
}

function taken(reply: FastifyReply, eventId: string, more: Record<string, true>): FastifyReply {
  return reply.code(202).send({ event_id: eventId, status: 'accepted', ...more });
}
