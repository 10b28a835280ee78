import type { IncomingMessage } from 'node:http';

/** Reads at most this much, for at most this long. */
const MOST_BYTES = 1024 * 1024;
const MOST_MS = 1_000;

/**
 * Reads what is left of a refused body and forgets it. A connection that is closed with bytes unread is reset, and the
 * reset overtakes our answer: the sender would never learn why.
 */
export function drain(request: IncomingMessage): Promise<void> {
  if (request.complete || request.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, MOST_MS);
    const end = (): void => {
      clearTimeout(timer);
      resolve();
    };
    let left = MOST_BYTES;
    request.on('data', (bytes: Buffer) => {
      left -= bytes.length;
      if (left < 0) end();
    });
    request.once('end', end);
    request.once('close', end);
  });
}
