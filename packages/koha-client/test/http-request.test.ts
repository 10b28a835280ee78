import { Agent as HttpAgent, createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { RequestFailure, sendRequest } from '../src/http-request.ts';
import type { HttpRequest } from '../src/http-request.ts';

const agent = { http: new HttpAgent({ keepAlive: true, maxSockets: 1 }), https: new HttpsAgent() };
let server: Server | undefined;
afterEach(async () => {
  agent.http.destroy();
  server?.closeAllConnections();
  await new Promise((resolve) => server?.close(resolve));
});

/** A server that answers with `answer`, and one GET to it. */
async function startServer(answer: RequestListener): Promise<HttpRequest> {
  server = createServer(answer);
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: new URL(`http://127.0.0.1:${port}/`),
    method: 'GET',
    headers: {},
    body: null,
    agent,
    timeoutMs: 10_000,
    signal: undefined,
    maxBytes: 100_000,
  };
}

const failureOf = async (sent: HttpRequest): Promise<RequestFailure> => {
  const failure = await sendRequest(sent).catch((error: unknown) => error);
  if (failure instanceof RequestFailure) return failure;
  throw new Error('the request did not fail as a request fails');
};

test('a connection that carries a hundred requests keeps nothing of any', async () => {
  const sockets = new Set<unknown>();
  const request = await startServer((_incoming, response) => void response.end('[]'));
  agent.http.on('free', (socket) => sockets.add(socket));
  const stop = new AbortController();
  const warnings: Error[] = [];
  const note = (warning: Error): void => void warnings.push(warning);
  process.on('warning', note);
  for (let sent = 0; sent < 100; sent += 1) await sendRequest({ ...request, signal: stop.signal });
  process.off('warning', note);
  expect(sockets.size).toBe(1);
  expect(warnings).toEqual([]);
  const [socket] = [...sockets] as [NodeJS.EventEmitter];
  expect(socket.listenerCount('connect') + socket.listenerCount('secureConnect')).toBeLessThan(2);
});

test('an answer in many pieces is whole, and one of another size is another', async () => {
  const long = 'Okafor '.repeat(10_000);
  const request = await startServer((incoming, response) => {
    if (incoming.method === 'PUT') return void response.end('short');
    for (let start = 0; start < long.length; start += 9_999) response.write(long.slice(start, start + 9_999));
    response.end();
  });
  expect(Buffer.from((await sendRequest(request)).body).toString()).toBe(long);
  const put = await sendRequest({ ...request, method: 'PUT', body: '{}' });
  expect(Buffer.from(put.body).toString()).toBe('short');
});

test('a header that HTTP cannot carry fails before anything is sent, and its text is nowhere', async () => {
  let arrived = 0;
  const request = await startServer((_incoming, response) => {
    arrived += 1;
    response.end();
  });
  const failure = await failureOf({ ...request, headers: { 'x-koha-library': 'Ł\n21234000000017' } });
  expect(failure).toMatchObject({ why: 'failed', progress: 'connecting', code: null });
  expect(`${failure.stack}${JSON.stringify(failure)}`).not.toContain('21234000000017');
  expect(arrived).toBe(0);
});

test('an abort ends a request at once, also one that has not begun', async () => {
  let arrived = (): void => undefined;
  const asked = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  const request = await startServer(() => arrived());
  const stop = new AbortController();
  const failing = failureOf({ ...request, signal: stop.signal });
  await asked;
  stop.abort();
  expect(await failing).toMatchObject({ why: 'aborted', progress: 'connected' });
  expect(await failureOf({ ...request, signal: stop.signal })).toMatchObject({ progress: 'connecting' });
});
