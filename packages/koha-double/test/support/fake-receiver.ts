import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ReceivedEvent {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface FakeReceiver {
  readonly url: string;
  readonly events: readonly ReceivedEvent[];
  close(): void;
}

/** What a receiver answers to an event, by default that it has it; `null`: nothing, ever. */
export type Respond = (
  event: ReceivedEvent,
) => { readonly status: number; readonly body: unknown; readonly headers?: Record<string, string> } | null;

const accepts: Respond = (event) => ({
  status: 202,
  body: { event_id: event.headers['webhook-id'], status: 'accepted' },
});

/** A receiver that takes note of what it gets. */
export async function startFakeReceiver(respond: Respond = accepts): Promise<FakeReceiver> {
  const events: ReceivedEvent[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString('utf8');
    });
    request.on('end', () => {
      const event = { method: request.method ?? '', url: request.url ?? '', headers: request.headers, body };
      events.push(event);
      const answer = respond(event);
      if (answer === null) return;
      response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers });
      response.end(JSON.stringify(answer.body));
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    events,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** A secret that the fake receiver never checks and the tests can. */
export const webhookKey = Buffer.alloc(24, 7);
export const webhookSecret = `whsec_${webhookKey.toString('base64')}`;
