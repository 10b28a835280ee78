import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Answer } from '../answer.ts';
import type { CallEntry } from '../control/call-log.ts';
import type { Double } from '../double.ts';
import type { Exchange } from '../exchange.ts';
import { formOf } from '../form-of.ts';
import { parseJson } from '../parse-json.ts';

/** One API call on its way: what came, where the answer goes, and its line in the log. */
export interface Delivery {
  readonly double: Double;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly entry: CallEntry;
}

const json = 'application/json;charset=UTF-8';

/** Sends an answer whole, notes it in the call log, and passes it to whoever listens to exchanges. */
export function sendAnswer(delivery: Delivery, answer: Answer, isScripted = false): FastifyReply {
  const { double, reply, entry } = delivery;
  closeEntry(double, entry, answer.status);
  reply.code(answer.status).headers({ ...answer.headers });
  const origin = double.settings.preferences.AccessControlAllowOrigin;
  if (origin !== '') reply.header('Access-Control-Allow-Origin', origin);
  if (double.settings.clock_skew_seconds !== 0) {
    reply.header('Date', new Date(double.clock.nowMs()).toUTCString());
  }
  double.onExchange?.(exchangeOf(delivery, answer, isScripted));
  if (answer.text === undefined && answer.body === undefined) return reply.send();
  if (reply.getHeader('content-type') === undefined) reply.header('content-type', json);
  return reply.send(answer.text ?? JSON.stringify(answer.body));
}

/** Half of an answer: with a fitting length, or with the connection cut in the middle. */
export function sendTruncated(delivery: Delivery, answer: Answer, isCut: boolean): unknown {
  const whole = answer.text ?? (answer.body === undefined ? '' : JSON.stringify(answer.body));
  if (whole === '') return resetConnection(delivery);
  const half = whole.slice(0, Math.ceil(whole.length / 2));
  if (!isCut) return sendAnswer(delivery, { ...answer, text: half }, true);
  const { double, request, reply, entry } = delivery;
  closeEntry(double, entry, answer.status);
  reply.hijack();
  reply.raw.writeHead(answer.status, { 'content-type': json, 'content-length': Buffer.byteLength(whole) });
  reply.raw.write(half, () => request.raw.socket.destroy());
  return undefined;
}

/** Ends the connection without a word; the call's line keeps its status open. */
export function resetConnection({ request, reply }: Delivery): undefined {
  reply.hijack();
  request.raw.socket.resetAndDestroy();
  return undefined;
}

function closeEntry(double: Double, entry: CallEntry, status: number): void {
  entry.status = status;
  entry.ms = double.realNowMs() - entry.at;
}

function exchangeOf({ request, entry }: Delivery, answer: Answer, isScripted: boolean): Exchange {
  const form = formOf(request);
  return {
    method: entry.method,
    path: entry.operation === null ? null : entry.operation.slice(entry.operation.indexOf(' ') + 1),
    query: entry.query,
    requestHeaders: request.headers as Record<string, string>,
    requestBody: form === undefined ? parseJson(request.body) : Object.fromEntries(form),
    status: answer.status,
    responseHeaders: answer.headers ?? {},
    responseBody: answer.body,
    isScripted,
  };
}
