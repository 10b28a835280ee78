import Fastify, { type FastifyInstance } from 'fastify';
import { registerApi } from './api/register-api.ts';
import { registerControl } from './control/register-control.ts';
import type { Controls } from './control/controls.ts';
import type { Double } from './double.ts';
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
    routerOptions: { maxParamLength: 2000, ignoreTrailingSlash: false },
    ...(tls === undefined ? {} : { https: { ...tls } }),
  });
  // From 25.11 on Koha reads a query from the body of a GET; Fastify has to be told that there can be one.
  app.addHttpMethod('GET', { hasBody: true, overrideExisting: true });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.setErrorHandler((error, _request, reply) => {
    process.stderr.write(
      `koha-double: ${error instanceof Error ? (error.stack ?? error.message) : 'failure'}\n`,
    );
    return reply.code(500).send({ errors: [{ message: 'Internal Server Error.', path: '/' }], status: 500 });
  });
  registerApi(app, double);
  registerControl(app, double, controls);
  registerStaffPages(app, double);
  return app;
}
