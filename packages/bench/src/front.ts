import { Agent, createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FrontPlan } from './kohas-protocol.ts';

/** The path of one library, where a stand-in is several: every library has an address of its own. */
export const pathOf = (library: string): string => `/of-${library}`;
const PATH = /^\/of-[^/]+/;

/** What a web worker makes; all else is a file, which the web server sends by itself. */
const isDynamic = (url: string): boolean => /^\/(?:api|cgi-bin)\//.test(url);

export interface Front {
  readonly url: string;
  /** From the next request on. */
  setServiceMs(serviceMs: number): void;
  /** Ends it at once. */
  close(): void;
}

/**
 * What stands before a real Koha: a web server with few workers. A request that nobody waits for any more is served all
 * the same, as Plack does.
 */
export async function startFront(doubleUrl: string, plan: FrontPlan): Promise<Front> {
  const workers = buildWebWorkers(plan.webWorkers ?? Number.POSITIVE_INFINITY);
  const agent = new Agent({ keepAlive: true, noDelay: true });
  let { serviceMs } = plan;
  const serve = async (incoming: IncomingMessage, answer: ServerResponse): Promise<void> => {
    const body = await collect(incoming);
    const url = (incoming.url ?? '/').replace(PATH, '');
    const passOn = () => pass(agent, `${doubleUrl}${url}`, incoming, body);
    const { status, headers, text } = await (isDynamic(url)
      ? workers.serve(async () => {
          if (serviceMs > 0) await sleep(serviceMs);
          return passOn();
        })
      : passOn());
    for (const hop of ['connection', 'keep-alive', 'transfer-encoding']) delete headers[hop];
    answer.writeHead(status, { ...headers, 'content-length': text.length }).end(text);
  };
  const server = createServer((incoming, answer) => void serve(incoming, answer));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    setServiceMs(next) {
      serviceMs = next;
    },
    close() {
      server.close().closeAllConnections();
      agent.destroy();
    },
  };
}

async function collect(incoming: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  incoming.on('data', (piece: Buffer) => pieces.push(piece));
  await new Promise((resolve) => incoming.once('end', resolve).once('close', resolve));
  return Buffer.concat(pieces);
}

interface Passed {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: Buffer;
}

const pass = (
  agent: Agent,
  url: string,
  { method = 'GET', headers }: IncomingMessage,
  body: Buffer,
): Promise<Passed> =>
  new Promise((resolve) => {
    const call = request(url, { agent, headers, method });
    call.once('response', (response) => {
      const { statusCode: status = 502, headers: received } = response;
      void collect(response).then((text) => resolve({ status, headers: received, text }));
    });
    call.once('error', () => resolve({ status: 502, headers: {}, text: Buffer.alloc(0) }));
    call.end(body);
  });

/** The web workers of one Koha: who comes when all are busy waits in line, first come, first served. */
interface WebWorkers {
  /** Does it as soon as a worker is free. */
  serve<Result>(work: () => Promise<Result>): Promise<Result>;
}

export function buildWebWorkers(count: number): WebWorkers {
  const line: (() => void)[] = [];
  let free = count;
  return {
    async serve(work) {
      if (free > 0) free -= 1;
      else await new Promise<void>((resolve) => line.push(resolve));
      try {
        return await work();
      } finally {
        const next = line.shift();
        if (next === undefined) free += 1;
        else next();
      }
    },
  };
}
