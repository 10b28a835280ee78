import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

/** Handed out by this process: two callers at once must not get the same one. */
const handedOut = new Set<number>();

/**
 * A port of 127.0.0.1 that was free a moment ago; never the same twice. Prefer listening on port 0 where the listener
 * can tell its port.
 */
export async function freePort(): Promise<number> {
  const port = await findFreePort();
  if (handedOut.has(port)) return freePort();
  handedOut.add(port);
  return port;
}

function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
