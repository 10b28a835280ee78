import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Socket } from 'node:net';
import type { SignatureHeader } from '@passport/contract';
import type { Acceptance } from '../deliveries/accept-event.ts';
import type { Delivery, Unauthorized } from '../deliveries/authentication.ts';
import type { Cancellation } from '../follow-ups/cancel-scan.ts';
import type { ElsewhereGiven } from '../follow-ups/patron-elsewhere.ts';
import type { StatusGiven } from '../follow-ups/library-status.ts';
import type { StateRead } from '../follow-ups/read-state.ts';
import type { AnswerTaken } from '../follow-ups/take-answer.ts';
import type { Serving } from '../serve.ts';
import { answerRefusal, isJson, refuse } from './problem.ts';

/** What can be decided of a signed request. */
type Decision = Acceptance | Cancellation | AnswerTaken | StatusGiven | ElsewhereGiven;
/** The outcome of a delivery, for the log and the metrics. */
export type DeliveryResult = Decision['kind'] | 'too_large' | 'unsupported_media_type' | 'malformed_request';
/** `why` is of an `unauthorized` one. */
export type NoteDelivery = (
  library: string,
  result: DeliveryResult,
  more?: { readonly eventId?: string; readonly why?: Unauthorized },
) => void;

/** What the routes work with. */
export interface RouteDeps {
  /** What answers a request that begins now. */
  readonly serving: () => Pick<
    Serving,
    'accept' | 'cancel' | 'consent' | 'decision' | 'status' | 'elsewhere' | 'readState'
  >;
  readonly note: NoteDelivery;
  /** Receives the connection of each signed request. */
  readonly proven: (socket: Socket) => void;
}

type SignedRequest = FastifyRequest<{ Params: { library: string; id?: string } }>;

const UNSIGNED: ReadonlySet<string> = new Set(['header_malformed', 'unauthorized']);
const EMPTY = Buffer.alloc(0);

/**
 * The routes of signed requests: raw bytes in, one exhaustive switch from what was decided to the answer. All that are posted are signed
 * as a delivery is: a cancel, a consent and a decision under the id of the event, a status request under one of its own. A look at a state is signed
 * over an empty body, under the id of the event, and takes nothing from the rate.
 */
export function registerRoutes(app: FastifyInstance, deps: RouteDeps): void {
  const { serving, proven } = deps;
  const post = <T extends Decision>(
    path: string,
    decide: (delivery: Delivery, eventId: string) => Promise<T>,
    answer: (reply: FastifyReply, decided: T) => FastifyReply,
  ): void => {
    app.post(path, async (request: SignedRequest, reply) =>
      answerSigned(request, reply, { decide, answer }, deps),
    );
  };
  post('/webhooks/:library', (delivery) => serving().accept(delivery), answerAcceptance);
  post('/webhooks/:library/:id/cancel', (delivery, id) => serving().cancel(delivery, id), answerCancel);
  post('/webhooks/:library/:id/consent', (delivery, id) => serving().consent(delivery, id), answerAnswer);
  post('/webhooks/:library/:id/decision', (delivery, id) => serving().decision(delivery, id), answerAnswer);
  post('/webhooks/:library/service/status', (delivery) => serving().status(delivery), answerStatus);
  post('/webhooks/:library/service/elsewhere', (delivery) => serving().elsewhere(delivery), answerElsewhere);
  app.get('/webhooks/:library/:id', async (request: SignedRequest, reply) => {
    const { id = '' } = request.params;
    const read = await serving().readState(deliveryOf(request, EMPTY), id);
    if (!UNSIGNED.has(read.kind)) proven(request.raw.socket);
    return answerState(reply, read);
  });
}

/** Decides on the raw bytes of a signed request, notes its outcome, and answers. */
async function answerSigned<T extends Decision>(
  request: SignedRequest,
  reply: FastifyReply,
  on: {
    readonly decide: (delivery: Delivery, eventId: string) => Promise<T>;
    readonly answer: (reply: FastifyReply, decided: T) => FastifyReply;
  },
  { note, proven }: RouteDeps,
): Promise<FastifyReply> {
  const { library, id = '' } = request.params;
  if (!isJson(request.headers['content-type'])) {
    note(library, 'unsupported_media_type');
    return refuse(reply, 'unsupported_media_type');
  }
  const body = Buffer.isBuffer(request.body) ? request.body : EMPTY;
  const decided = await on.decide(deliveryOf(request, body), id);
  if (!UNSIGNED.has(decided.kind)) proven(request.raw.socket);
  note(library, decided.kind, factsOf(decided));
  return on.answer(reply, decided);
}

/** The request without HTTP. Node concatenates or drops repeated headers in `req.headers`: each counts as it came over the wire. */
function deliveryOf({ params, raw: { rawHeaders } }: SignedRequest, body: Buffer): Delivery {
  const header = (name: SignatureHeader): string[] =>
    rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name);
  return { library: params.library, header, body };
}

/** What is noted of what was decided beside its kind. */
function factsOf(of: Decision): Parameters<NoteDelivery>[2] {
  if (of.kind === 'unauthorized') return { why: of.why };
  return 'eventId' in of ? { eventId: of.eventId } : {};
}

function answerAcceptance(reply: FastifyReply, acceptance: Acceptance): FastifyReply {
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

function answerCancel(reply: FastifyReply, cancellation: Cancellation): FastifyReply {
  if (cancellation.kind !== 'cancelled') return answerRefusal(reply, cancellation);
  return reply.code(cancellation.answer.result === 'PENDING' ? 202 : 200).send(cancellation.answer);
}

function answerAnswer(reply: FastifyReply, given: AnswerTaken): FastifyReply {
  switch (given.kind) {
    case 'consent':
      return reply.send({ event_id: given.eventId, answer: given.answer });
    case 'decision':
      return reply.send({ event_id: given.eventId, option: given.option });
    case 'no_question':
    case 'answered_before':
    case 'other_text':
    case 'no_option':
    case 'other_branch':
      return refuse(reply, given.kind);
    default:
      return answerRefusal(reply, given);
  }
}

const answerStatus = (reply: FastifyReply, given: StatusGiven): FastifyReply =>
  given.kind === 'status' ? reply.send(given.status) : answerRefusal(reply, given);

const answerElsewhere = (reply: FastifyReply, given: ElsewhereGiven): FastifyReply =>
  given.kind === 'elsewhere' ? reply.send(given.patron) : answerRefusal(reply, given);

const answerState = (reply: FastifyReply, read: StateRead): FastifyReply =>
  read.kind === 'state' ? reply.send(read.state) : answerRefusal(reply, read);
