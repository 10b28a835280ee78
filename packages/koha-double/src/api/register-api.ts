import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { noRoute } from '../answer.ts';
import { answerTokenRequest } from '../auth/authenticate.ts';
import type { Double } from '../double.ts';
import { deliver } from './deliver.ts';
import { describeApi, describeApiAsPage, isThere, operations } from './operations.ts';
import { formOf, parseJson, splitUrl } from './read-request.ts';
import { runOperation, type IncomingRequest } from './run-operation.ts';

const base = '/api/v1';

/** Puts the API's routes on the server. */
export function registerApi(app: FastifyInstance, double: Double): void {
  for (const operation of operations) {
    app.route({
      method: operation.method,
      url: base + operation.path.replace(/\{(\w+)\}/g, ':$1'),
      handler: (request, reply) =>
        deliver(double, request, reply, operation.key, (entry) =>
          isThere(double, operation) ? runOperation(double, operation, incoming(request), entry) : noRoute(),
        ),
    });
  }
  app.post(`${base}/oauth/token`, (request, reply) =>
    deliver(double, request, reply, 'POST /oauth/token', (entry) =>
      answerTokenRequest(double, formOf(request), request.headers.authorization, entry),
    ),
  );
  const describe = (request: FastifyRequest, reply: FastifyReply): Promise<unknown> =>
    deliver(double, request, reply, 'GET /', () => ({ status: 200, text: describeApi(double) }));
  app.get(base, describe);
  app.get(`${base}/`, describe);
  app.get(`${base}/.html`, (request, reply) =>
    deliver(double, request, reply, 'GET /', () => ({
      status: 200,
      headers: { 'content-type': 'text/html;charset=UTF-8' },
      text: describeApiAsPage(double),
    })),
  );
  app.all(`${base}/*`, (request, reply) => deliver(double, request, reply, null, noRoute));
}

function incoming(request: FastifyRequest): IncomingRequest {
  const { path, query } = splitUrl(request);
  return {
    path: request.params as Record<string, string>,
    query: new URLSearchParams(query),
    headers: request.headers as Record<string, string>,
    body: parseJson(request.body),
    url: `${request.protocol}://${request.headers.host ?? 'localhost'}${path}`,
    search: query,
  };
}
