import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** What a Koha with few web workers is to its callers. */
export interface CrowdedKoha {
  readonly url: string;
  /** Requests that were begun so far, by method and path without its numbers; those of staff pages apart. */
  readonly begun: ReadonlyMap<string, number>;
  /** How long a page of the staff takes now, in milliseconds: it waits for a web worker as all others do. */
  staffPageMs(): Promise<number>;
  close(): Promise<void>;
}

/**
 * Stands in front of a stand-in Koha and lets `atOnce` requests through at a time, each for `takesMs`; the others wait in
 * line for as long as it takes, as at Starman with so many workers.
 */
export async function startCrowdedKoha(
  port: number,
  { atOnce, takesMs }: { readonly atOnce: number; readonly takesMs: number },
): Promise<CrowdedKoha> {
  const begun = new Map<string, number>();
  const waiting: (() => void)[] = [];
  let busy = 0;
  const serve = async (work: () => Promise<void>): Promise<void> => {
    if (busy >= atOnce) await new Promise<void>((resolve) => waiting.push(resolve));
    else busy += 1;
    try {
      await Promise.all([pause(takesMs), work()]);
    } finally {
      const next = waiting.shift();
      if (next === undefined) busy -= 1;
      else next();
    }
  };
  const server = createServer((from, to) => {
    const what = `${from.method} ${(from.url ?? '').split('?')[0]?.replaceAll(/\d{2,}|evt_[^/]+/g, ':n')}`;
    let isGone = false;
    to.once('close', () => (isGone = !to.writableEnded));
    void serve(async () => {
      // Starman does not see that its caller hung up before it begins.
      begun.set(what, (begun.get(what) ?? 0) + 1);
      if (!isGone || from.method !== 'GET') await forward(port, from, to);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    begun,
    async staffPageMs() {
      const requestedAt = performance.now();
      await serve(async () => undefined);
      return performance.now() - requestedAt;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Sends a request on and its answer back; resolves when the answer is there or its caller is gone. */
function forward(port: number, from: IncomingMessage, to: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const { method, url, headers } = from;
    const onward = request({ host: '127.0.0.1', port, method, path: url, headers }, (answer) => {
      to.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(to);
      answer.once('close', resolve);
    });
    onward.once('error', () => {
      to.destroy();
      resolve();
    });
    to.once('close', resolve);
    from.pipe(onward);
  });
}
