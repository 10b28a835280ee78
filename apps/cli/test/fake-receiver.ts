import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  isSignedWith,
  parseWebhookSecret,
  readDeliveryHeaders,
  secondsOutsideWindow,
} from '@passport/contract';

/** One request as it arrived. */
export interface Arrived {
  readonly method: string;
  readonly url: string;
  readonly id: string;
  readonly body: string;
  readonly genuine: boolean;
}

type Reply = readonly [status: number, body: unknown];

/** A receiver that checks signatures and otherwise sends the given answers, the last one repeatedly. */
export async function startFakeReceiver(secret: string, script: { post?: Reply; get?: Reply[] } = {}) {
  const arrived: Arrived[] = [];
  const states = [...(script.get ?? [])];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      const reading = readDeliveryHeaders((name) => request.headersDistinct[name] ?? []);
      const nowSeconds = Math.floor(Date.now() / 1000);
      const genuine =
        reading.kind === 'read' &&
        isSignedWith([parseWebhookSecret(secret)], { headers: reading.headers, body }) &&
        secondsOutsideWindow(reading.headers, nowSeconds) === 0;
      const id = reading.kind === 'read' ? reading.headers.id : '';
      arrived.push({
        method: request.method ?? '',
        url: request.url ?? '',
        id,
        body: body.toString(),
        genuine,
      });
      const [status, answer] =
        request.method === 'POST'
          ? (script.post ?? [202, { event_id: id, status: 'accepted' }])
          : ((states.length > 1 ? states.shift() : states[0]) ?? [404, {}]);
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(typeof answer === 'string' ? answer : JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    arrived,
    close: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
