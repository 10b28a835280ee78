import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { registerApi } from './api/register-api.ts';
import { registerControl } from './control/register-control.ts';
import type { Controls } from './control/controls.ts';
import type { Double } from './double.ts';
import { isRecord } from './record.ts';
import { registerStaffPages } from './staff-pages/register-staff-pages.ts';

const bodyLimitBytes = 16 * 1024 * 1024;

/** The HTTP side of a double. Bodies stay bytes: each route reads them as Koha would, whatever the content type. */
export function buildApp(
  double: Double,
  controls: Controls,
  tls?: { readonly key: string; readonly cert: string },
): FastifyInstance {
  const app = Fastify({
    bodyLimit: bodyLimitBytes,
    forceCloseConnections: true,
    // No client of ours sends HEAD, and tests start thousands of doubles: half of the time goes into routes.
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: 2000, ignoreTrailingSlash: false },
    ...(tls === undefined ? {} : { https: { ...tls } }),
  });
  // From 25.11 on Koha reads a query from the body of a GET; Fastify has to know that there can be one.
  app.addHttpMethod('GET', { hasBody: true, overrideExisting: true });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.setErrorHandler(answerFailure);
  registerApi(app, double);
  registerControl(app, double, controls);
  registerStaffPages(app, double);
  return app;
}

/** A request that HTTP itself refuses gets its status; anything else is a bug of the double, and says so. */
function answerFailure(error: unknown, _request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const status = isRecord(error) && typeof error['statusCode'] === 'number' ? error['statusCode'] : 500;
  if (status < 500)
    return reply.code(status).send({ errors: [{ message: 'Bad Request.', path: '/' }], status });
  const trace = error instanceof Error ? (error.stack ?? error.message) : 'unknown failure';
  process.stderr.write(`koha-double: ${trace}\n`);
  return reply.code(500).send({ errors: [{ message: 'Internal Server Error.', path: '/' }], status: 500 });
}
