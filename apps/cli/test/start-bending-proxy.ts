import { type IncomingMessage, createServer, request as forward } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One request as it came: path below `/api/v1`, without the query. */
export interface ProxiedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
}

/** What is answered in Koha's place. */
export interface Bent {
  readonly status: number;
  /** An object is sent as JSON, a text as the page it is. */
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Answers some requests in a double's place, and hands all others on. */
export async function startBendingProxy(target: string, bend: (request: ProxiedRequest) => Bent | null) {
  const server = createServer((incoming, response) => {
    const url = new URL(incoming.url ?? '/', target);
    const bent = bend({
      method: incoming.method ?? '',
      path: url.pathname.replace(/^\/api\/v1/, ''),
      query: url.searchParams,
      headers: incoming.headers,
    });
    if (bent !== null) {
      const isPage = typeof bent.body === 'string' && bent.body.startsWith('<');
      const type = isPage ? 'text/html; charset=utf-8' : 'application/json; charset=utf-8';
      incoming.resume();
      response.writeHead(bent.status, { 'content-type': type, ...bent.headers });
      response.end(isPage ? bent.body : JSON.stringify(bent.body));
      return;
    }
    const { method, headers } = incoming;
    const onward = forward(url, { method, headers, agent: false }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: (): Promise<void> => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
