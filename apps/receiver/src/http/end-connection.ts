import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { SECURITY_HEADERS } from '@passport/runtime';
import { PROBLEM_TYPE, buildProblem } from './problem.ts';

/** A peer that never closes its side after our answer is cut off by then. */
const LINGER_MS = 1_000;

const NO_REQUEST = rawAnswer('malformed_request', '400 Bad Request');
const TOO_SLOW = rawAnswer('request_timeout', '408 Request Timeout');

/** Answers what never became a request, for which Node hands over the bare socket, and ends the connection. */
export function refuseRaw(error: { readonly code?: string }, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  socket.setTimeout(LINGER_MS, () => socket.destroy());
  socket.end(error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? TOO_SLOW : NO_REQUEST);
}

function rawAnswer(code: 'malformed_request' | 'request_timeout', statusLine: string): string {
  const body = JSON.stringify(buildProblem(code));
  return [
    `HTTP/1.1 ${statusLine}`,
    `content-type: ${PROBLEM_TYPE}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
    ...Object.entries(SECURITY_HEADERS).map(([name, value]) => `${name}: ${value}`),
    '',
    body,
  ].join('\r\n');
}

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
