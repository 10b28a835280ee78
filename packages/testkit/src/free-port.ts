import { createServer } from 'node:net';
import { randomInt } from 'node:crypto';

/** Below the ports that Linux gives to connections and to listeners on port 0: those may be taken before ours is used. */
const [LOWEST, HIGHEST] = [15_000, 32_000];

/** Handed out by this process: two callers at once must not get the same one. */
const handedOut = new Set<number>();

/**
 * A port of 127.0.0.1 that was free a moment ago; never the same twice. Prefer listening on port 0 where the listener
 * can know its port.
 */
export async function freePort(): Promise<number> {
  const port = randomInt(LOWEST, HIGHEST);
  if (handedOut.has(port) || !(await isFree(port))) return freePort();
  handedOut.add(port);
  return port;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
