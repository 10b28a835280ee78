import type { FastifyInstance, FastifyRequest } from 'fastify';
import { noRoute } from '../answer.ts';
import { answerTokenRequest } from '../auth/oauth-token-route.ts';
import type { Double } from '../double.ts';
import { formOf } from '../form-of.ts';
import { parseJson } from '../parse-json.ts';
import { deliver } from './deliver.ts';
import { describeApi, describeApiAsPage } from './description.ts';
import { operationKey, type Operation } from './operation.ts';
import { isThere, operations } from './operations.ts';
import { runOperation, type IncomingRequest } from './run-operation.ts';

const base = '/api/v1';

/** Puts the API's routes on the server. */
export function registerApi(app: FastifyInstance, double: Double): void {
  for (const operation of operations) registerOperation(app, double, operation);
  app.post(`${base}/oauth/token`, (request, reply) =>
    deliver(double, request, reply, 'POST /oauth/token', (entry) => {
      const { authorization } = request.headers;
      const { answer, clientId } = answerTokenRequest(double, formOf(request), authorization);
      entry.client_id = clientId;
      return answer;
    }),
  );
  for (const url of [base, `${base}/`]) {
    app.get(url, (request, reply) =>
      deliver(double, request, reply, 'GET /', () => ({ status: 200, text: describeApi(double) })),
    );
  }
  app.get(`${base}/.html`, (request, reply) =>
    deliver(double, request, reply, 'GET /', () => ({
      status: 200,
      headers: { 'content-type': 'text/html;charset=UTF-8' },
      text: describeApiAsPage(double),
    })),
  );
  const unknown = (request: FastifyRequest, reply: Parameters<typeof deliver>[2]): Promise<unknown> =>
    deliver(double, request, reply, null, noRoute);
  app.all(`${base}/*`, unknown);
}

function registerOperation(app: FastifyInstance, double: Double, operation: Operation): void {
  const key = operationKey(operation);
  app.route({
    method: operation.method,
    url: base + operation.path.replace(/\{(\w+)\}/g, ':$1'),
    handler: (request, reply) =>
      deliver(double, request, reply, key, (entry) =>
        isThere(double, operation) ? runOperation(double, operation, incoming(request), entry) : noRoute(),
      ),
  });
}

function incoming(request: FastifyRequest): IncomingRequest {
  const mark = request.url.indexOf('?');
  const path = mark === -1 ? request.url : request.url.slice(0, mark);
  const search = mark === -1 ? '' : request.url.slice(mark + 1);
  return {
    path: request.params as Record<string, string>,
    query: new URLSearchParams(search),
    headers: request.headers as Record<string, string>,
    form: undefined,
    body: parseJson(request.body),
    url: `${request.protocol}://${request.headers.host ?? 'localhost'}${path}`,
    search,
  };
}
