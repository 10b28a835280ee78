import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { createSecureContext } from 'node:tls';

/** The agent of one Koha, of which the next request can find its connection open already. */
export interface Agents {
  /** Of the Koha's own protocol alone: it never leads us to another. */
  readonly agent: HttpAgent | HttpsAgent;
  /** Opens a connection now, unless one is idle or being opened. Its failure is the next request's to meet. */
  open(): void;
  close(): void;
}

/** Node reads all root certificates for the first context, 22 ms: not while somebody waits for the first answer of a Koha. */
const ROOTS_AFTER_MS = 250;
let isReadingRoots = false;
function readRootsSoon(): void {
  if (isReadingRoots) return;
  isReadingRoots = true;
  setTimeout(() => createSecureContext(), ROOTS_AFTER_MS).unref();
}

type Connect = (options: object, onCreated?: (...args: never[]) => void) => Duplex | null | undefined;

/**
 * Builds agents that keep connections for `idleMs`. A connection costs one round trip, and two with TLS; whoever knows that
 * a request will follow can have it opened meanwhile.
 */
export function buildAgents(base: URL, idleMs: number): Agents {
  const isTls = base.protocol === 'https:';
  if (isTls) readRootsSoon();
  const sockets = { keepAlive: true, timeout: idleMs };
  const agent = isTls ? new HttpsAgent(sockets) : new HttpAgent(sockets);
  const connect = (agent.createConnection as Connect).bind(agent);
  let spare: { socket: Duplex; timer: NodeJS.Timeout } | null = null;

  const takeSpare = (): Duplex | null => {
    if (spare === null) return null;
    const { socket, timer } = spare;
    spare = null;
    clearTimeout(timer);
    socket.off('error', drop).off('close', drop);
    return socket.destroyed ? null : socket;
  };
  const drop = (): void => void takeSpare()?.destroy();
  agent.createConnection = (options, onCreated) => takeSpare() ?? connect(options, onCreated);

  return {
    agent,
    open() {
      const isIdle = Object.values(agent.freeSockets).some((list) => (list?.length ?? 0) > 0);
      if (isIdle || spare !== null) return;
      const host = base.hostname.replace(/^\[|\]$/g, '');
      const port = base.port === '' ? (isTls ? 443 : 80) : Number(base.port);
      const socket = connect({ host, port, ...(isIP(host) === 0 ? { servername: host } : {}) });
      if (socket === null || socket === undefined) return;
      socket.on('error', drop).on('close', drop);
      spare = { socket, timer: setTimeout(drop, idleMs) };
    },
    close() {
      drop();
      agent.destroy();
    },
  };
}
