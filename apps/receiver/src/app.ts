import { type FastifyError, type FastifyInstance, fastify } from 'fastify';
import type { Logger } from '@passport/runtime';
import type { Acceptance, Delivery, ReportingLibrary } from './accept-event.ts';
import { buildOpenApi } from './openapi.ts';
import { PROBLEM_TYPE, problem } from './problem.ts';
import { type ReadState, registerStatusRoute } from './status-route.ts';
import { refuse, registerWebhookRoute } from './webhook-route.ts';

/** Contract section 1. */
const BODY_LIMIT_BYTES = 16 * 1024;
/** A sender that needs longer than this for 16 KiB holds a place that another desk could use. */
const REQUEST_TIMEOUT_MS = 10_000;

export interface ReceiverDeps {
  readonly libraries: ReadonlyMap<string, ReportingLibrary>;
  readonly accept: (delivery: Delivery) => Promise<Acceptance>;
  readonly readState: ReadState;
  readonly nowSeconds: () => number;
  readonly stopping: () => boolean;
  readonly trustProxy: boolean | string | number;
  readonly counted: (library: string, result: string) => void;
  readonly log: Logger;
}

/** The receiver's HTTP side; listens to nothing yet. Fastify's own request log is off: it prints URLs. */
export function buildReceiver(deps: ReceiverDeps): FastifyInstance {
  const app = fastify({
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: 2 * REQUEST_TIMEOUT_MS,
    return503OnClosing: false,
    trustProxy: trusted(deps.trustProxy),
    routerOptions: { maxParamLength: 200 },
    clientErrorHandler(_error, socket) {
      if (socket.writable) socket.end(rawProblem());
      else socket.destroy();
    },
  });

  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.addHook('onRequest', async (_request, reply) => {
    if (!deps.stopping()) return;
    void reply.header('connection', 'close');
    return refuse(reply, 503, 'unavailable', { retryAfterMs: 1_000 });
  });
  app.setNotFoundHandler((_request, reply) => refuse(reply, 404, 'not_found'));
  app.setErrorHandler((error: FastifyError, _request, reply) => {
    if (error.statusCode === 413) return refuse(reply, 413, 'too_large');
    if (error.statusCode !== undefined && error.statusCode < 500) {
      return refuse(reply, 400, 'malformed_request');
    }
    deps.log.error({ error }, 'request failed');
    return refuse(reply, 503, 'unavailable', { retryAfterMs: 5_000 });
  });

  registerWebhookRoute(app, deps.accept, (library, result, eventId) => {
    const known = deps.libraries.has(library) ? library : 'unknown';
    deps.counted(known, result);
    deps.log.info({ library: known, result, ...(eventId === null ? {} : { event: eventId }) }, 'delivery');
  });
  registerStatusRoute(app, deps);
  const description = buildOpenApi();
  app.get('/openapi.json', () => description);
  return app;
}

/** A number counts the proxies in front of us. */
function trusted(
  setting: ReceiverDeps['trustProxy'],
): boolean | string | ((address: string, hop: number) => boolean) {
  return typeof setting === 'number' ? (_address, hop) => hop < setting : setting;
}

/** For what never became a request: Node hands over the bare socket. */
function rawProblem(): string {
  const body = JSON.stringify(problem(400, 'malformed_request'));
  return [
    'HTTP/1.1 400 Bad Request',
    `content-type: ${PROBLEM_TYPE}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
    '',
    body,
  ].join('\r\n');
}
