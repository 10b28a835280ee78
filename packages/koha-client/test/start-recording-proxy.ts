import { createServer, request as forward } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One request as it went over the wire. */
export interface Recorded {
  method: string;
  /** Below `/api/v1`. */
  path: string;
  query: URLSearchParams;
  headers: Readonly<Record<string, string>>;
  body: string;
}

/** Stands before a double, hands everything on unchanged and tells what was asked. */
export async function startRecordingProxy(target: string, onRequest: (request: Recorded) => void) {
  const server = createServer((incoming, response) => {
    const url = new URL(incoming.url ?? '/', target);
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const body = Buffer.concat(chunks);
      onRequest({
        method: incoming.method ?? '',
        path: url.pathname.replace(/^\/api\/v1/, ''),
        query: url.searchParams,
        headers: Object.fromEntries(
          Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]),
        ),
        body: body.toString('utf8'),
      });
      const onward = forward(
        url,
        { method: incoming.method, headers: incoming.headers, agent: false },
        (answer) => {
          response.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(response);
          answer.on('error', () => response.destroy());
        },
      );
      onward.on('error', () => response.destroy());
      response.on('close', () => onward.destroy());
      onward.end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.closeAllConnections();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
