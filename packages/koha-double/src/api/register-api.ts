import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Answer, noRoute } from '../answer.ts';
import { answerTokenRequest } from '../auth/authenticate.ts';
import type { CallEntry, Double } from '../double.ts';
import { deliver } from './deliver.ts';
import { describeApi, describeApiAsPage, isThere, operations } from './operations.ts';
import { formOf, parseJson, splitUrl } from './read-request.ts';
import { runOperation, type IncomingRequest } from './run-operation.ts';

const base = '/api/v1';

/** Puts the API's routes on the server of all doubles; `doubleOf` says whose a request is. */
export function registerApi(app: FastifyInstance, doubleOf: (request: FastifyRequest) => Double): void {
  const answer = (
    request: FastifyRequest,
    reply: FastifyReply,
    operation: string | null,
    produce: (double: Double, entry: CallEntry) => Answer | Promise<Answer>,
  ): Promise<unknown> => {
    const double = doubleOf(request);
    return deliver(double, request, reply, operation, (entry) => produce(double, entry));
  };
  for (const operation of operations) {
    app.route({
      method: operation.method,
      url: base + operation.path.replace(/\{(\w+)\}/g, ':$1'),
      handler: (request, reply) =>
        answer(request, reply, operation.key, (double, entry) =>
          isThere(double, operation) ? runOperation(double, operation, incoming(request), entry) : noRoute(),
        ),
    });
  }
  app.post(`${base}/oauth/token`, (request, reply) =>
    answer(request, reply, 'POST /oauth/token', (double, entry) =>
      answerTokenRequest(double, formOf(request), request.headers.authorization, entry),
    ),
  );
  const describe = (request: FastifyRequest, reply: FastifyReply): Promise<unknown> =>
    answer(request, reply, 'GET /', (double) => ({ status: 200, text: describeApi(double) }));
  app.get(base, describe);
  app.get(`${base}/`, describe);
  app.get(`${base}/.html`, (request, reply) =>
    answer(request, reply, 'GET /', (double) => ({
      status: 200,
      headers: { 'content-type': 'text/html;charset=UTF-8' },
      text: describeApiAsPage(double),
    })),
  );
  app.all(`${base}/*`, (request, reply) => answer(request, reply, null, noRoute));
}

function incoming(request: FastifyRequest): IncomingRequest {
  const { query } = splitUrl(request);
  return {
    path: request.params as Record<string, string>,
    query: new URLSearchParams(query),
    headers: request.headers as Record<string, string>,
    body: parseJson(request.body),
    search: query,
  };
}
