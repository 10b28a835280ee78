import type { Agent as HttpAgent, ClientRequest, IncomingMessage } from 'node:http';
import { request as requestHttp } from 'node:http';
import type { Agent as HttpsAgent } from 'node:https';
import { request as requestHttps } from 'node:https';
import { buildBoundedBody } from './bounded-body.ts';

/** How far a request has come: before `connected` nothing of it can have been read by anyone. */
type Progress = 'connecting' | 'handshake' | 'connected';

/** A request that got no whole answer. It carries nothing of the request or the answer. */
export class RequestFailure extends Error {
  override readonly name = 'RequestFailure';
  readonly why: 'timeout' | 'aborted' | 'too_large' | 'failed';
  /** Of Node's resolver, sockets, parser or OpenSSL; null where it gives none. */
  readonly code: string | null;
  readonly progress: Progress;

  constructor(why: RequestFailure['why'], progress: Progress, code: string | null = null) {
    super(why);
    this.why = why;
    this.progress = progress;
    this.code = code;
  }
}

export interface HttpRequest {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  readonly agent: { readonly http: HttpAgent; readonly https: HttpsAgent };
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  /** Nothing beyond is read. */
  readonly maxBytes: number;
}

/** An answer as it came, whatever its status. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Uint8Array;
}

/**
 * Sends one request over Node's own client, once, and reads its answer: no redirect, no repetition, no cookie, no compression, one
 * deadline over all of it. Rejects with RequestFailure only; the connection of a request that failed is not used again.
 */
export async function sendRequest(sent: HttpRequest): Promise<HttpAnswer> {
  const { signal, timeoutMs, maxBytes, body } = sent;
  // The first TLS connection of a process reads all trusted certificates in one go, up to 0.1 s. Whoever waits for this request
  // under a deadline of his own sets it before that.
  await Promise.resolve();
  if (signal?.aborted === true) throw new RequestFailure('aborted', 'connecting');
  const request = open(sent);
  const progress = followProgress(request);
  let abort = (): void => undefined;
  let deadline: NodeJS.Timeout | undefined;
  try {
    return await new Promise((resolve, reject) => {
      const fail = (why: RequestFailure['why'], error?: NodeJS.ErrnoException): void => {
        reject(new RequestFailure(why, progress(), error?.code ?? null));
        request.destroy();
      };
      abort = () => fail('aborted');
      signal?.addEventListener('abort', abort, { once: true });
      deadline = setTimeout(() => fail('timeout'), timeoutMs);
      // Also what comes when nobody is interested any more, which would otherwise end the process.
      request.on('error', (error) => fail('failed', error));
      request.on('response', (response) => {
        readAnswer(response, maxBytes, {
          whole: resolve,
          tooLarge: () => fail('too_large'),
          cut: (error) => fail('failed', error),
        });
      });
      request.end(body ?? undefined);
    });
  } finally {
    clearTimeout(deadline);
    signal?.removeEventListener('abort', abort);
  }
}

function open({ url, method, headers, body, agent }: HttpRequest): ClientRequest {
  const length = body === null ? {} : { 'content-length': String(Buffer.byteLength(body)) };
  const options = { method, headers: { ...headers, ...length } };
  try {
    return url.protocol === 'https:'
      ? requestHttps(url, { ...options, agent: agent.https })
      : requestHttp(url, { ...options, agent: agent.http });
  } catch {
    // A header that HTTP cannot carry. Node's error quotes it.
    throw new RequestFailure('failed', 'connecting');
  }
}

function followProgress(request: ClientRequest): () => Progress {
  let progress: Progress = 'connecting';
  request.once('socket', (socket) => {
    // One that is kept alive carries many requests, and would keep the listeners of each.
    if (!socket.connecting) {
      progress = 'connected';
      return;
    }
    const isTls = 'encrypted' in socket;
    socket.once('connect', () => {
      progress = isTls ? 'handshake' : 'connected';
    });
    if (isTls) {
      socket.once('secureConnect', () => {
        progress = 'connected';
      });
    }
  });
  return () => progress;
}

/** Reads piece by piece, and stops as soon as the answer is too large or says that it will be. */
function readAnswer(
  response: IncomingMessage,
  maxBytes: number,
  end: { whole(answer: HttpAnswer): void; tooLarge(): void; cut(error: Error): void },
): void {
  const { statusCode: status = 0, headers } = response;
  const body = buildBoundedBody(maxBytes);
  response.on('error', end.cut);
  if (Number(headers['content-length'] ?? 0) > maxBytes) return end.tooLarge();
  response.on('data', (piece: Uint8Array) => {
    if (!body.add(piece)) end.tooLarge();
  });
  response.on('end', () => end.whole({ status, headers, body: body.bytes() }));
}
