import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { seededRandom, type SeededRandom } from './seeded-random.ts';

/**
 * What the network does: `pass`; `refuse` (nobody listens); `reset` (every connection is reset); `blackhole` (accepted
 * and kept open, no byte comes through: half-open); `swallow` (as `blackhole`, for connections that are made from now on, and
 * for good; those that are open go on); `freeze` (the other way round: those that are open are half-open for good, and new
 * ones go on); `delay` (each piece later by `ms` and up to `jitterMs`); `cut`
 * (a connection is reset after `afterBytes` of requests or of answers).
 */
type FaultMode =
  | { readonly kind: PlainFault }
  | { readonly kind: 'delay'; readonly ms: number; readonly jitterMs?: number }
  | { readonly kind: 'cut'; readonly afterBytes: number; readonly direction: 'request' | 'answer' };

type PlainFault = 'pass' | 'refuse' | 'reset' | 'blackhole' | 'swallow' | 'freeze';

export interface FaultProxy {
  readonly port: number;
  /** From now on, for open connections too. Resolves when it holds. */
  setMode(mode: FaultMode | PlainFault): Promise<void>;
  /** Connections open at this moment. */
  connections(): number;
  /** Connections accepted since the start. */
  accepted(): number;
  close(): Promise<void>;
}

/** Starts a TCP proxy on 127.0.0.1 in front of `target` (a port, or host and port). `seed` repeats its jitter. */
export async function startFaultProxy(options: {
  target: number | { host: string; port: number };
  seed?: number;
}): Promise<FaultProxy> {
  const target =
    typeof options.target === 'number' ? { host: '127.0.0.1', port: options.target } : options.target;
  const random = seededRandom(options.seed ?? 1);
  const pairs = new Set<Pair>();
  let mode: FaultMode = { kind: 'pass' };
  let accepted = 0;

  const server = createServer((client) => {
    accepted += 1;
    if (mode.kind === 'reset') return void client.resetAndDestroy();
    const upstream = connect(target);
    const pair: Pair = { client, upstream, isSilent: mode.kind === 'swallow' };
    const modeOfPair = (): FaultMode => (pair.isSilent ? { kind: 'blackhole' } : mode);
    pairs.add(pair);
    carry(client, upstream, 'request', modeOfPair, random);
    carry(upstream, client, 'answer', modeOfPair, random);
    for (const socket of [client, upstream]) {
      socket.on('error', () => undefined);
      socket.once('close', () => {
        pairs.delete(pair);
        endPair(pair, modeOfPair);
      });
    }
  });
  const port = await listen(server, 0);
  const resetAll = () => {
    for (const { client, upstream } of pairs) for (const socket of [client, upstream]) reset(socket);
  };
  return {
    port,
    connections: () => pairs.size,
    accepted: () => accepted,
    async setMode(next) {
      mode = typeof next === 'string' ? { kind: next } : next;
      if (mode.kind === 'refuse' || mode.kind === 'reset') resetAll();
      if (mode.kind === 'freeze') for (const pair of pairs) pair.isSilent = true;
      if (mode.kind === 'refuse') await unlisten(server);
      else if (!server.listening) await listen(server, port);
    },
    async close() {
      resetAll();
      await unlisten(server);
    },
  };
}

/** One connection, from both ends of the proxy; silent: no byte of it comes through any more. */
interface Pair {
  readonly client: Socket;
  readonly upstream: Socket;
  isSilent: boolean;
}

/** Carries bytes one way, in order, under the mode that holds when they come. */
function carry(
  from: Socket,
  to: Socket,
  direction: 'request' | 'answer',
  mode: () => FaultMode,
  random: SeededRandom,
): void {
  let carried = 0;
  let queue = Promise.resolve();
  from.on('data', (bytes: Buffer) => {
    const now = mode();
    if (now.kind === 'blackhole') return;
    if (now.kind === 'cut' && now.direction === direction && carried + bytes.length >= now.afterBytes) {
      to.write(bytes.subarray(0, Math.max(0, now.afterBytes - carried)), () => {
        reset(from);
        reset(to);
      });
      return;
    }
    carried += bytes.length;
    const delayMs = now.kind === 'delay' ? now.ms + random.int((now.jitterMs ?? 0) + 1) : 0;
    queue = queue.then(() => later(delayMs)).then(() => void (to.writable && to.write(bytes)));
  });
  from.on('end', () => void queue.then(() => mode().kind !== 'blackhole' && to.end()));
}

/** A socket that is saying goodbye cannot be reset: Node would leave its handle open for ever. */
function reset(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}

function later(ms: number): Promise<void> | undefined {
  return ms === 0 ? undefined : new Promise((resolve) => setTimeout(resolve, ms));
}

/** A side that is gone takes the other with it, unless the network swallows that as well. */
function endPair({ client, upstream }: Pair, mode: () => FaultMode): void {
  if (client.destroyed) upstream.destroy();
  else if (mode().kind !== 'blackhole') client.destroy();
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function unlisten(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}
