import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { MetricsRegistry } from './metrics-registry.ts';
import { networkOf } from './network-of.ts';
import { createCounter, createGauge } from './series.ts';

interface ConnectionLimitsOptions {
  /** Connections of one address; a trusted proxy's, which speaks for many, are not counted. */
  readonly perAddress: number;
  readonly inAll: number;
  readonly isProxy: (address: string) => boolean;
  readonly dropped: (limit: 'address' | 'total') => void;
}

const KEEP_ALIVE_MS = 5_000;
/** With a whole body each, 4,096 hold 64 MiB. A Koha has a few under way at once; several may share an address. */
export const CONNECTION_LIMITS = { perAddress: 256, inAll: 4_096 } as const;

/** Who may stay connected. */
export interface ConnectionLimits {
  /** Takes a new connection, and closes another one or this one where there are too many. */
  admit(socket: Socket): void;
  /** A request is being answered on its connection. */
  answering(request: IncomingMessage, response: ServerResponse): void;
  /** Something signed came on this connection, or a user who has logged in: strangers do not push it out. */
  proven(socket: Socket): void;
  open(): number;
  /** Whether somebody who is no trusted proxy has said for whom it speaks: then its clients are taken for one. */
  sawUntrustedProxy(): boolean;
}

interface Connection {
  readonly socket: Socket;
  /** Null: a proxy's. */
  readonly network: string | null;
  exchange: { readonly request: IncomingMessage; readonly response: ServerResponse } | null;
}

/** Each in the order in which they came. */
interface Pool {
  readonly unproven: Set<Connection>;
  readonly proven: Set<Connection>;
}

/** So many are looked at for one that can go, so that a flood costs no more for each connection than a quiet day. */
const MOST_LOOKS = 64;

/**
 * How long a peer may take for a request, and hold a connection on which nothing comes. Node's limit for headers follows the one that the
 * server is made with, and the longer of both is what it grants a whole request; its own interval of 30 s would let slow senders
 * stay four times as long.
 */
export const connectionTimes = (requestTimeoutMs: number) => ({
  requestTimeout: requestTimeoutMs,
  connectionTimeout: 1.5 * requestTimeoutMs,
  keepAliveTimeout: KEEP_ALIVE_MS,
  http: {
    requestTimeout: requestTimeoutMs,
    connectionsCheckingInterval: Math.ceil(requestTimeoutMs / 10),
  },
});

/**
 * Limits connections by closing the oldest one on which nothing was proven, so that holding connections open
 * keeps nobody out: a scan is sent at once on a new connection and needs it for milliseconds.
 */
export function createConnectionLimits(options: ConnectionLimitsOptions): ConnectionLimits {
  const { perAddress, inAll, isProxy, dropped } = options;
  let isProxyUntrusted = false;
  const known = new WeakMap<Socket, Connection>();
  const all = emptyPool();
  const byNetwork = new Map<string, Pool>();
  const poolsOf = ({ network }: Connection): readonly Pool[] => {
    const neighbours = network === null ? undefined : byNetwork.get(network);
    return neighbours === undefined ? [all] : [all, neighbours];
  };

  const forget = (connection: Connection): void => {
    for (const pool of poolsOf(connection)) {
      pool.unproven.delete(connection);
      pool.proven.delete(connection);
      if (pool !== all && sizeOf(pool) === 0) byNetwork.delete(connection.network ?? '');
    }
  };
  /** Whether the pool can hold one more, after closing one of its own where necessary. */
  const makeSpace = (pool: Pool, most: number, limit: 'address' | 'total'): boolean => {
    if (sizeOf(pool) < most) return true;
    dropped(limit);
    const victim = firstThatMayGo(pool.unproven) ?? firstThatMayGo(pool.proven);
    if (victim === undefined) return false;
    forget(victim);
    victim.socket.destroy();
    return true;
  };

  return {
    admit(socket) {
      const address = socket.remoteAddress ?? '';
      const network = isProxy(address) ? null : networkOf(address);
      const neighbours = network === null ? null : (byNetwork.get(network) ?? emptyPool());
      const mayStay =
        (neighbours === null || makeSpace(neighbours, perAddress, 'address')) &&
        makeSpace(all, inAll, 'total');
      if (!mayStay) {
        socket.destroy();
        return;
      }
      const connection: Connection = { socket, network, exchange: null };
      known.set(socket, connection);
      if (network !== null && neighbours !== null) byNetwork.set(network, neighbours);
      for (const pool of poolsOf(connection)) pool.unproven.add(connection);
      socket.once('close', () => forget(connection));
    },
    answering(request, response) {
      isProxyUntrusted ||=
        request.headers['x-forwarded-for'] !== undefined && !isProxy(request.socket.remoteAddress ?? '');
      const connection = known.get(request.socket);
      if (connection !== undefined) connection.exchange = { request, response };
    },
    proven(socket) {
      const connection = known.get(socket);
      if (connection === undefined) return;
      for (const { unproven, proven } of poolsOf(connection)) {
        if (unproven.delete(connection)) proven.add(connection);
      }
    },
    open: () => sizeOf(all),
    sawUntrustedProxy: () => isProxyUntrusted,
  };
}

const emptyPool = (): Pool => ({ unproven: new Set(), proven: new Set() });
const sizeOf = ({ unproven, proven }: Pool): number => unproven.size + proven.size;

/** The oldest on which nothing is being answered. */
function firstThatMayGo(connections: ReadonlySet<Connection>): Connection | undefined {
  let looks = 0;
  for (const connection of connections) {
    if (!isBeingAnswered(connection)) return connection;
    looks += 1;
    if (looks === MOST_LOOKS) return undefined;
  }
  return undefined;
}

/** Its request is there as a whole, and we have not answered yet. One that never ends its body is no such thing. */
function isBeingAnswered({ exchange }: Connection): boolean {
  return exchange !== null && exchange.request.complete && !exchange.response.writableEnded;
}

/** Why a connection was closed: its address or the process had as many as it may. */
type Limit = 'address' | 'total';

/**
 * `passport_connections` and `passport_connections_dropped_total`: connections to the public port, and those that were
 * closed at a limit. `open` is called at each scrape. Returns the function that counts a closed one.
 */
export function connectionMetrics(registry: MetricsRegistry, open: () => number): (limit: Limit) => void {
  createGauge(registry, { name: 'passport_connections', help: 'Open connections to the public port' }, () => [
    [{}, open()],
  ]);
  const drop = createCounter(
    registry,
    {
      name: 'passport_connections_dropped_total',
      help: 'Connections closed because their address or the process had reached its limit',
      labels: ['limit'],
    },
    [{ limit: 'address' }, { limit: 'total' }],
  );
  return (limit) => drop({ limit });
}
