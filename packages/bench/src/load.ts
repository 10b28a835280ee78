import { connect, type Socket } from 'node:net';
import { buildScanEvent, signedRequest } from '@passport/testkit';
import { preciseNow, within } from './figures.ts';
import type { Kohas } from './start-kohas.ts';
import { LENDING, type Stack } from './start-stack.ts';

/** Requests made and signed beforehand: the generator must not be what is measured. */
export function buildRequests(options: {
  url: string;
  secret: string;
  count: number;
  data: (index: number) => Readonly<Record<string, unknown>>;
}): readonly Buffer[] {
  const { host, pathname } = new URL(options.url);
  return Array.from({ length: options.count }, (_, index) => {
    const { headers, body } = signedRequest({
      secret: options.secret,
      body: buildScanEvent(options.data(index)),
    });
    const lines = Object.entries({ host, ...headers, 'content-length': String(Buffer.byteLength(body)) });
    const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    return Buffer.from(`POST ${pathname} HTTP/1.1\r\n${head}\r\n${body}`);
  });
}

interface LoadResult {
  readonly seconds: number;
  /** From the moment a request was due until its answer was whole. */
  readonly latenciesMs: readonly number[];
}

/**
 * Sends every request over `connections` kept connections, each with one request under way. As fast as they are
 * answered, or at `perSecond`, where a request that comes late counts from when it was due. Throws when one is refused.
 */
export async function sendLoad(
  url: string,
  requests: readonly Buffer[],
  { connections, perSecond }: { readonly connections: number; readonly perSecond?: number | undefined },
): Promise<LoadResult> {
  const { hostname, port } = new URL(url);
  const latenciesMs: number[] = [];
  let next = 0;
  const startedAt = preciseNow();
  const runOne = async (): Promise<void> => {
    const exchange = await openExchange(hostname, Number(port));
    for (let place = next++; place < requests.length; place = next++) {
      const dueAt = perSecond === undefined ? preciseNow() : startedAt + (1_000 * place) / perSecond;
      await untilTime(dueAt);
      const status = await exchange.send(requests[place] ?? Buffer.alloc(0));
      latenciesMs.push(preciseNow() - dueAt);
      if (status !== 202) throw new Error(`an event was answered with ${status} by ${url}`);
    }
    exchange.close();
  };
  await Promise.all(Array.from({ length: connections }, runOne));
  return { seconds: (preciseNow() - startedAt) / 1_000, latenciesMs };
}

function untilTime(at: number): Promise<void> | undefined {
  const left = at - preciseNow();
  if (left <= 0) return undefined;
  return new Promise((resolve) => {
    setTimeout(resolve, left);
  });
}

interface RawExchange {
  send(request: Buffer): Promise<number>;
  close(): void;
}

/** One connection that understands just enough HTTP: a status line and a content-length. */
async function openExchange(host: string, port: number): Promise<RawExchange> {
  const socket: Socket = connect({ host, port, noDelay: true });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  let answer: ((status: number) => void) | null = null;
  let fail: ((error: Error) => void) | null = null;
  let text = '';
  socket.setEncoding('latin1').on('data', (piece: string) => {
    text += piece;
    const head = text.indexOf('\r\n\r\n');
    if (head === -1) return;
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(text)?.[1] ?? 0);
    if (text.length < head + 4 + length) return;
    const status = Number(text.slice(9, 12));
    text = '';
    answer?.(status);
  });
  for (const event of ['error', 'close'] as const) {
    socket.on(event, () => fail?.(new Error('the receiver closed a connection')));
  }
  return {
    send: (request) =>
      new Promise((resolve, reject) => {
        answer = resolve;
        fail = reject;
        socket.write(request);
      }),
    close() {
      fail = null;
      socket.end();
    },
  };
}

/** Queues events as fast as the receiver takes them. Throws when one is refused. */
export async function queueEvents(
  { receiver, secretOf }: Pick<Stack, 'receiver' | 'secretOf'>,
  count: number,
  data: (index: number) => Readonly<Record<string, unknown>>,
  library = LENDING,
): Promise<void> {
  const url = `${receiver.url}/webhooks/${library}`;
  const requests = buildRequests({ url, secret: secretOf(library), count, data });
  await sendLoad(url, requests, { connections: Math.min(50, count) });
}

interface Drained {
  readonly rate: number;
  /** False when the patience ended first; `rate` is then that of what had ended. */
  readonly isWhole: boolean;
}

/** Events per second from the `from`-th end after the `base`-th to the `to`-th; waits for it, but not for ever. */
export async function drainRate(
  kohas: Kohas,
  { from, to, base = 0 }: { readonly from: number; readonly to: number; readonly base?: number },
  patienceMs: number,
): Promise<Drained> {
  const startedAt = preciseNow();
  let first: number | null = null;
  const noteFirst = kohas.nthEnd(base + from).then((at) => (first = at));
  const last = await within(patienceMs, Promise.all([kohas.nthEnd(base + to), noteFirst]));
  if (last !== null) return { rate: (1_000 * (to - from)) / (last[0] - last[1]), isWhole: true };
  const seconds = (preciseNow() - (first ?? startedAt)) / 1_000;
  const ended = kohas.endCount - base - (first === null ? 0 : from);
  return { rate: ended / seconds, isWhole: false };
}
