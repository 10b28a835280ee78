import {
  Agent,
  createServer as createHttpServer,
  request,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FrontPlan, Manner } from './kohas-protocol.ts';

/** The path of one library, where a stand-in is several: every library has an address of its own. */
export const pathOf = (library: string): string => `/of-${library}`;
const PATH = /^\/of-([^/]+)/;

/** What a web worker makes; all else is a file, which the web server sends by itself. */
const isDynamic = (url = '/'): boolean => /^\/(?:api|cgi-bin)\//.test(url.replace(PATH, ''));

/** Apache's own default, and Debian's. */
const KEEP_ALIVE_MS = 5_000;

export interface Front {
  readonly url: string;
  /** From the next request on. */
  setServiceMs(serviceMs: number): void;
  /** How it stands for these libraries, from the next request on; for others as before. */
  setManners(manners: Readonly<Record<string, Manner>>): void;
  /** Ends it at once. */
  close(): void;
}

/**
 * What stands before a real Koha: a web server with few workers, far away. A request that nobody waits for any more
 * is served all the same, as Plack does.
 */
export async function startFront(doubleUrl: string, plan: FrontPlan): Promise<Front> {
  const { webWorkers, tls, roundTripMs } = plan;
  const workers = buildWebWorkers(webWorkers ?? Number.POSITIVE_INFINITY);
  const agent = new Agent({ keepAlive: true, noDelay: true });
  let { serviceMs } = plan;
  let manners: ReadonlyMap<string, Manner> = new Map();
  const serve: RequestListener = (incoming, answer) => {
    void collect(incoming).then(async (body) => {
      if (!isDynamic(incoming.url)) {
        send(answer, await pass(agent, doubleUrl, incoming, body));
        return;
      }
      const manner = manners.get(PATH.exec(incoming.url ?? '')?.[1] ?? '') ?? serviceMs;
      if (manner === 'away') incoming.socket.destroy();
      if (typeof manner === 'string') return;
      await workers.enter();
      if (manner > 0) await sleep(manner);
      const served = await pass(agent, doubleUrl, incoming, body);
      workers.leave();
      send(answer, served);
    });
  };
  const server = tls === null ? createHttpServer(serve) : createTlsServer(tls, serve);
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port: near } = server.address() as AddressInfo;
  const far = roundTripMs > 0 ? await startFarProxy(near, roundTripMs) : null;
  const port = far?.port ?? near;
  return {
    url: `${tls === null ? 'http' : 'https'}://127.0.0.1:${port}`,
    setServiceMs(next) {
      serviceMs = next;
    },
    setManners(next) {
      manners = new Map([...manners, ...Object.entries(next)]);
    },
    close() {
      far?.close();
      server.close();
      server.closeAllConnections();
      agent.destroy();
    },
  };
}

async function collect(incoming: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  incoming.on('data', (piece: Buffer) => pieces.push(piece));
  await new Promise<void>((resolve) => {
    incoming.once('end', resolve).once('close', resolve);
  });
  return Buffer.concat(pieces);
}

interface Served {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

function pass(agent: Agent, doubleUrl: string, incoming: IncomingMessage, body: Buffer): Promise<Served> {
  const { method, url = '/', headers } = incoming;
  return new Promise((resolve) => {
    const call = request(`${doubleUrl}${url.replace(PATH, '')}`, {
      agent,
      headers,
      ...(method === undefined ? {} : { method }),
    });
    call.once('response', (response) => {
      void collect(response).then((text) =>
        resolve({ status: response.statusCode ?? 502, headers: response.headers, body: text }),
      );
    });
    call.once('error', () => resolve({ status: 502, headers: {}, body: Buffer.alloc(0) }));
    call.end(body);
  });
}

function send(answer: ServerResponse, { status, headers, body }: Served): void {
  const {
    connection: _connection,
    'keep-alive': _keepAlive,
    'transfer-encoding': _coding,
    ...kept
  } = headers;
  answer.writeHead(status, { ...kept, 'content-length': body.length });
  answer.end(body);
}

interface FarProxy {
  readonly port: number;
  close(): void;
}

/**
 * A network of `roundTripMs` in front of a port of this machine: each piece arrives half of that later, and a new
 * connection carries nothing before its handshake, one round trip, is over.
 */
export async function startFarProxy(targetPort: number, roundTripMs: number): Promise<FarProxy> {
  const open = new Set<Socket>();
  const server = createServer({ noDelay: true }, (client) => {
    const openFrom = performance.now() + roundTripMs;
    const upstream = connect({ port: targetPort, host: '127.0.0.1', noDelay: true });
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.once('close', () => open.delete(socket));
    }
    carry(client, upstream, roundTripMs / 2, openFrom);
    carry(upstream, client, roundTripMs / 2, 0);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}

function carry(from: Socket, to: Socket, oneWayMs: number, openFrom: number): void {
  const after = (act: () => void): void => {
    const now = performance.now();
    setTimeout(act, Math.max(now, openFrom) - now + oneWayMs);
  };
  from.on('data', (bytes: Buffer) => after(() => void (to.writable && to.write(bytes))));
  from.on('end', () => after(() => to.end()));
  from.on('error', () => to.destroy());
  from.on('close', () => after(() => to.destroySoon()));
}

/** The web workers of one Koha: who comes when all are busy waits in line, first come, first served. */
interface WebWorkers {
  /** Resolves when a worker is free; the caller must call `leave`. */
  enter(): Promise<void>;
  leave(): void;
}

export function buildWebWorkers(count: number): WebWorkers {
  const line: (() => void)[] = [];
  let free = count;
  return {
    enter() {
      if (free > 0) {
        free -= 1;
        return Promise.resolve();
      }
      return new Promise((resolve) => {
        line.push(resolve);
      });
    },
    leave() {
      const next = line.shift();
      if (next === undefined) free += 1;
      else next();
    },
  };
}
