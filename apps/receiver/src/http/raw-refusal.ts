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
