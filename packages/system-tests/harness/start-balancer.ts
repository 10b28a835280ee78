import { type IncomingMessage, type ServerResponse, createServer, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A balancer in front of several receivers: picks them alternately, and goes on to the next where one cannot be reached. */
export interface Balancer {
  readonly url: string;
  /** How many answers each target has given. */
  readonly answered: readonly number[];
  close(): Promise<void>;
}

/** Starts a balancer over `targets` (`http://127.0.0.1:PORT`) on a free port of 127.0.0.1. */
export async function startBalancer(targets: readonly string[]): Promise<Balancer> {
  const answered = targets.map(() => 0);
  let next = 0;

  const pass = (incoming: IncomingMessage, outgoing: ServerResponse, body: Buffer, tries: number): void => {
    const place = next++ % targets.length;
    const { method, url, headers, socket } = incoming;
    const onward = send(new URL(url ?? '/', targets[place]), {
      method,
      headers: { ...headers, connection: 'close', 'x-forwarded-for': socket.remoteAddress ?? '' },
    });
    onward.once('response', (answer) => {
      answered[place] = (answered[place] ?? 0) + 1;
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    // Only what was surely not read may go to the next one: anything else is the sender's to repeat.
    onward.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED' && tries > 1) pass(incoming, outgoing, body, tries - 1);
      else if (outgoing.headersSent) outgoing.destroy();
      else outgoing.writeHead(502).end();
    });
    onward.end(body);
  };

  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => pass(incoming, outgoing, Buffer.concat(chunks), targets.length));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    answered,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
