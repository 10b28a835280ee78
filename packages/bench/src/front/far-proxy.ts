import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export interface FarProxy {
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
