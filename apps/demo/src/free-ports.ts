import { createServer, type AddressInfo } from 'node:net';

/** Listens on `port` of 127.0.0.1 for a moment and returns it (0: any free one), or null when somebody has it. */
function tryPort(port: number): Promise<number | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(null));
    server.listen(port, '127.0.0.1', () => {
      const { port: found } = server.address() as AddressInfo;
      server.close(() => resolve(found));
    });
  });
}

/** A port that was free a moment ago. */
export async function anyFreePort(): Promise<number> {
  const port = await tryPort(0);
  if (port === null) throw new Error('127.0.0.1 has no free port');
  return port;
}
