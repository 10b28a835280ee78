import {
  type FastifyError,
  type FastifyHttpOptions,
  type FastifyInstance,
  errorCodes,
  fastify,
} from 'fastify';
import type { IncomingMessage, Server } from 'node:http';
import {
  type ConnectionLimits,
  type Logger,
  SECURITY_HEADERS,
  buildSample,
  connectionTimes,
  trustProxy,
} from '@passport/runtime';
import { JOIN_PATH } from '@passport/contract';
import type { Unauthorized } from '../deliveries/authentication.ts';
import { UNKNOWN } from '../deliveries/event-metrics.ts';
import { drain, refuseRaw } from './end-connection.ts';
import { registerJoinRoutes } from './join-routes.ts';
import { buildOpenApi } from './openapi.ts';
import { refuse } from './problem.ts';
import { type DeliveryResult, type NoteDelivery, registerRoutes } from './routes.ts';
import type { JoinFiles } from '../joining/join-files.ts';
import type { RefusalWatch } from '../deliveries/watch-refusals.ts';
import type { Serving } from '../serve.ts';

/** A larger body is a 413 (docs/integrating.md). */
const BODY_LIMIT_BYTES = 16 * 1024;
/** The address lines and a signed delivery's headers have 2 KiB, a proxy adds as much again. */
const HEADERS_LIMIT_BYTES = 8 * 1024;
/** A request of many headers costs memory far beyond its bytes: Node keeps so many and no more. */
const MOST_HEADERS = 64;
/** A stranger can make so many lines a minute and no more. */
const REFUSALS_LOGGED = { most: 10, windowMs: 60_000 };
const STOPPING_RETRY_MS = 1_000;
const BUG_RETRY_MS = 5_000;

export interface ReceiverDeps {
  /** What answers a request that begins now. */
  readonly serving: () => Omit<Serving, 'libraries'>;
  /** Of the receiver. */
  readonly version: string;
  /** For a library that is invited. */
  readonly joinFiles: JoinFiles;
  /** Hears which libraries are refused, and which are not. */
  readonly refusals: Pick<RefusalWatch, 'refused' | 'taken'>;
  readonly stopping: () => boolean;
  /** A sender that needs longer for a request holds a place that another desk could use, and is cut off. */
  readonly requestTimeoutMs: number;
  readonly trustProxy: boolean | string | number;
  readonly connections: ConnectionLimits;
  readonly monotonicNow: () => number;
  readonly log: Logger;
}

/** The receiver's HTTP side; listens to nothing yet. Fastify's own request log is off: it prints URLs. */
export function buildReceiver(deps: ReceiverDeps): FastifyInstance {
  const app = fastify({
    ...serverOptions(deps.requestTimeoutMs),
    trustProxy: trustProxy(deps.trustProxy),
    frameworkErrors: (_error, _request, reply) =>
      void refuse(reply.headers(SECURITY_HEADERS), 'malformed_request'),
  });
  const { connections } = deps;
  app.server.on('connection', (socket) => connections.admit(socket));
  app.server.maxHeadersCount = MOST_HEADERS + 1;
  // An expectation that we do not know is no reason to refuse the request (Node would say 417 itself).
  app.server.on('checkExpectation', (request, response) => app.routing(request, response));

  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.addHook('onRequest', async (request, reply) => {
    connections.answering(request.raw, reply.raw);
    void reply.headers(SECURITY_HEADERS);
    const isStopping = deps.stopping();
    if (!isStopping && !lacksHost(request.raw) && !hasManyHeaders(request.raw)) return;
    return isStopping
      ? refuse(reply.header('connection', 'close'), 'unavailable', { retryAfterMs: STOPPING_RETRY_MS })
      : refuse(reply, 'malformed_request');
  });
  // Fastify would look at the content type first.
  app.addHook('onRequest', async ({ headers }) => {
    if (Number(headers['content-length'] ?? 0) <= BODY_LIMIT_BYTES) return;
    throw new errorCodes.FST_ERR_CTP_BODY_TOO_LARGE();
  });

  const note = buildNote(deps);
  registerRoutes(app, { serving: deps.serving, note, proven: (socket) => connections.proven(socket) });
  registerJoinRoutes(app, { serving: deps.serving, files: deps.joinFiles });
  const description = buildOpenApi(deps.version);
  app.get('/openapi.json', () => description);
  app.setNotFoundHandler((_request, reply) => refuse(reply.header('connection', 'close'), 'not_found'));
  app.setErrorHandler(async (error: FastifyError, request, reply) => {
    const code = codeOf(error);
    if (code !== null) {
      if (code === 'too_large') await drain(request.raw);
      if (request.routeOptions.url !== JOIN_PATH) note(libraryIn(request.params), code);
      return refuse(reply, code);
    }
    deps.log.error({ error }, 'request failed');
    return refuse(reply, 'unavailable', { retryAfterMs: BUG_RETRY_MS });
  });
  return app;
}

function serverOptions(requestTimeoutMs: number): FastifyHttpOptions<Server> {
  const times = connectionTimes(requestTimeoutMs);
  return {
    ...times,
    bodyLimit: BODY_LIMIT_BYTES,
    http: {
      ...times.http,
      // Refused by us: Node's own answer is no problem document.
      requireHostHeader: false,
      maxHeaderSize: HEADERS_LIMIT_BYTES,
    },
    return503OnClosing: false,
    // Longer ids than a library's or an event's are unknown ones, not malformed ones; headers are capped at 8 KiB.
    routerOptions: { maxParamLength: BODY_LIMIT_BYTES },
    clientErrorHandler: refuseRaw,
  };
}

/** Node keeps one more than is allowed and drops all others: what it dropped could have been a second signature. */
const hasManyHeaders = ({ rawHeaders }: IncomingMessage): boolean => rawHeaders.length > 2 * MOST_HEADERS;

const lacksHost = ({ headers, httpVersion }: IncomingMessage): boolean =>
  headers.host === undefined && httpVersion === '1.1';

/** What Fastify itself refuses, or null for a bug of ours. */
function codeOf(error: FastifyError): 'too_large' | 'unsupported_media_type' | 'malformed_request' | null {
  const { statusCode } = error;
  if (statusCode === 413) return 'too_large';
  if (statusCode === 415) return 'unsupported_media_type';
  return statusCode !== undefined && statusCode >= 400 && statusCode < 500 ? 'malformed_request' : null;
}

function libraryIn(params: unknown): string {
  const isNamed = typeof params === 'object' && params !== null && 'library' in params;
  return isNamed && typeof params.library === 'string' ? params.library : '';
}

/**
 * One count for each delivery, and one line; of what is refused, which a stranger can send without end, a sample. What
 * a sender calls itself is only logged when it is known to us. What is signed with a library's secret is that library's, whatever
 * id it was sent under.
 */
function buildNote({ serving, refusals, monotonicNow, log }: ReceiverDeps): NoteDelivery {
  const sample = buildSample({ ...REFUSALS_LOGGED, monotonicNow });
  return (named, result, { eventId, why } = {}) => {
    const { isKnown, counted } = serving();
    const known = isKnown(named) ? named : UNKNOWN;
    const library = why?.reason === 'library' ? why.owner : known;
    counted(library, result);
    if (why !== undefined) refusals.refused(library, why);
    else if (TAKEN.has(result)) refusals.taken(library);
    const leftOut = eventId === undefined ? sample(`${library} ${result} ${why?.reason}`) : 0;
    if (leftOut === null) return;
    const more = eventId === undefined ? {} : { event: eventId };
    const left = leftOut > 0 ? { left_out: leftOut } : {};
    log.info({ library, result, ...more, ...factsOf(why, known), ...left }, 'delivery');
  };
}

/**
 * Results that show that a library's own Koha has its secret and its clock right. A test is sent by `passport doctor`, too, with the
 * secret that our configuration has.
 */
const TAKEN: ReadonlySet<DeliveryResult> = new Set([
  'accepted',
  'duplicate',
  'coalesced',
  'seen',
  'status',
  'elsewhere',
]);

/** Why it was refused, for whoever set that Koha up. */
function factsOf(why: Unauthorized | undefined, named: string): object {
  switch (why?.reason) {
    case undefined:
      return {};
    case 'clock':
      return { reason: 'clock', seconds_ahead: why.secondsAhead, signed: why.isSigned };
    case 'library':
      return { reason: 'library', sent_as: named };
    case 'signature':
      if (why.isOfAnotherEvent === true) return { reason: 'another_event' };
      return { reason: named === UNKNOWN ? 'unknown_library' : 'signature' };
    default:
      return why satisfies never;
  }
}
