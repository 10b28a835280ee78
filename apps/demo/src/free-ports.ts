import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

/** Listens on `port` of 127.0.0.1 for a moment and returns it (0: any free one), or null when somebody has it. */
export function tryPort(port: number): Promise<number | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(null));
    server.listen(port, '127.0.0.1', () => {
      const { port: found } = server.address() as AddressInfo;
      server.close(() => resolve(found));
    });
  });
}

/** Throws one error that names every port that is taken and what the demo needs it for. */
export async function ensurePortsFree(
  wanted: readonly { readonly port: number; readonly what: string }[],
): Promise<void> {
  const found = await Promise.all(wanted.map(({ port }) => tryPort(port)));
  const taken = wanted.filter((_, place) => found[place] === null);
  if (taken.length === 0) return;
  const list = taken.map(({ port, what }) => `  127.0.0.1:${port}, for ${what}`).join('\n');
  throw new Error(
    `Something on this machine already uses:\n${list}\nStop it (another demo, perhaps) and try again.`,
  );
}

/** A port that was free a moment ago. */
export async function anyFreePort(): Promise<number> {
  const port = await tryPort(0);
  if (port === null) throw new Error('127.0.0.1 has no free port');
  return port;
}
