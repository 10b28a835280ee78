import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildScanEvent, signedRequest } from '@passport/testkit';
import { preciseNow } from './figures.ts';
import { scanOf } from './stack.ts';

/** So many scans from the n-th on, made and signed beforehand: the generator must not be what is measured. */
export function buildRequests(url: string, secret: string, from: number, count: number): readonly Buffer[] {
  const { host, pathname } = new URL(url);
  return Array.from({ length: count }, (_, index) => {
    const { headers, body } = signedRequest({ secret, body: buildScanEvent(scanOf(from + index)) });
    const lines = Object.entries({ host, ...headers, 'content-length': String(Buffer.byteLength(body)) });
    const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    return Buffer.from(`POST ${pathname} HTTP/1.1\r\n${head}\r\n${body}`);
  });
}

const CONNECTIONS = 50;

interface LoadResult {
  readonly seconds: number;
  /** From the moment a request was due until its answer was whole. */
  readonly latenciesMs: readonly number[];
}

/**
 * Sends every request over kept connections, each with one request under way. As fast as they are answered, or at
 * `perSecond`, where a request that comes late counts from when it was due. Throws when one is refused.
 */
export async function sendLoad(
  url: string,
  requests: readonly Buffer[],
  perSecond?: number,
): Promise<LoadResult> {
  const { hostname, port } = new URL(url);
  const latenciesMs: number[] = [];
  let next = 0;
  const startedAt = preciseNow();
  const runOne = async (): Promise<void> => {
    const socket = connect({ host: hostname, port: Number(port), noDelay: true }).setEncoding('latin1');
    await once(socket, 'connect');
    for (let place = next++; place < requests.length; place = next++) {
      const dueAt = perSecond === undefined ? preciseNow() : startedAt + (1_000 * place) / perSecond;
      const left = dueAt - preciseNow();
      if (left > 0) await sleep(left);
      const answer = readStatus(socket);
      socket.write(requests[place] ?? '');
      const status = await answer;
      latenciesMs.push(preciseNow() - dueAt);
      if (status !== 202) throw new Error(`an event was answered with ${status} by ${url}`);
    }
    socket.end();
  };
  await Promise.all(Array.from({ length: Math.min(CONNECTIONS, requests.length) }, runOne));
  return { seconds: (preciseNow() - startedAt) / 1_000, latenciesMs };
}

/** The status of the next answer, with just enough HTTP: a status line and a content-length. */
function readStatus(socket: ReturnType<typeof connect>): Promise<number> {
  return new Promise((resolve, reject) => {
    let text = '';
    const fail = (): void => reject(new Error('the receiver closed a connection'));
    const read = (piece: string): void => {
      text += piece;
      const head = text.indexOf('\r\n\r\n');
      if (head === -1) return;
      const length = Number(/\r\ncontent-length: (\d+)/i.exec(text)?.[1] ?? 0);
      if (text.length < head + 4 + length) return;
      socket.off('data', read).off('error', fail).off('close', fail);
      resolve(Number(text.slice(9, 12)));
    };
    socket.on('data', read).on('error', fail).on('close', fail);
  });
}
