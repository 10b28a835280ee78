import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Answer } from '../answer.ts';
import type { Fault } from '../control/fault-queue.ts';
import type { CallEntry, Double, Exchange } from '../double.ts';
import { formOf, parseJson, splitUrl } from './read-request.ts';

/** What a proxy in front of a Koha shows when the Koha behind it is away. */
const page =
  '<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>\n';

/** One API call on its way: what came, where the answer goes, and its line in the log. */
interface Delivery {
  readonly double: Double;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly entry: CallEntry;
}

const json = 'application/json;charset=UTF-8';

/** Runs one API call: log entry, latency, redirect and faults around what the route itself does. */
export async function deliver(
  double: Double,
  request: FastifyRequest,
  reply: FastifyReply,
  operation: string | null,
  produce: (entry: CallEntry) => Answer | Promise<Answer>,
): Promise<unknown> {
  const { method, headers, url } = request;
  const { path, query } = splitUrl(request);
  const atMs = double.realNowMs();
  const library = headers['x-koha-library']?.toString() ?? null;
  const entry = double.calls.begin({ at: atMs, method, path, query, operation, library });
  const delivery: Delivery = { double, request, reply, entry };
  double.onCall?.({ operation, path, query, body: parseJson(request.body), atMs });
  const { latency_ms, redirect_to } = double.settings;
  if (latency_ms > 0) await sleep(latency_ms);
  const fault = double.faults.take(operation ?? `${method} ${path}`);
  if (fault !== undefined) return deliverFault(delivery, fault, async () => produce(entry));
  if (redirect_to === null) return sendAnswer(delivery, await produce(entry));
  const location = redirect_to.replace(/\/+$/, '') + url;
  return sendAnswer(delivery, { status: 302, headers: { Location: location } }, true);
}

async function deliverFault(
  delivery: Delivery,
  fault: Fault,
  produce: () => Promise<Answer>,
): Promise<unknown> {
  const { kind, status, headers, body } = fault;
  const isLate = fault.after && ['status', 'html', 'hang'].includes(kind);
  if (isLate || kind === 'reset_after') await produce();
  switch (kind) {
    case 'delay':
      await sleep(fault.ms);
      return sendAnswer(delivery, await produce());
    case 'status':
      return sendAnswer(delivery, { status, headers, ...bodyOf(body) }, true);
    case 'html':
      return sendAnswer(
        delivery,
        { status, headers: { 'content-type': 'text/html;charset=UTF-8' }, text: page },
        true,
      );
    case 'truncate':
      return sendTruncated(delivery, await produce(), fault.cut);
    case 'hang':
      delivery.reply.hijack();
      return undefined;
    case 'reset_before':
    case 'reset_after':
      return resetConnection(delivery);
    default:
      return kind satisfies never;
  }
}

function bodyOf(body: unknown): Pick<Answer, 'body' | 'text'> {
  if (body === undefined || body === null) return { body: { error: 'Scripted fault' } };
  return typeof body === 'string' ? { text: body } : { body };
}

/** What goes over the wire; undefined: no body. */
const textOf = ({ text, body }: Answer): string | undefined =>
  text ?? (body === undefined ? undefined : JSON.stringify(body));

/** Sends an answer whole, notes it in the call log, and passes it to whoever listens to exchanges. */
function sendAnswer(delivery: Delivery, answer: Answer, isScripted = false): FastifyReply {
  const { double, reply } = delivery;
  closeEntry(delivery, answer.status);
  reply.code(answer.status).headers({ ...answer.headers });
  if (double.settings.clock_skew_seconds !== 0) {
    reply.header('Date', new Date(double.clock.nowMs()).toUTCString());
  }
  double.onExchange?.(exchangeOf(delivery, answer, isScripted));
  const text = textOf(answer);
  if (text === undefined) return reply.send();
  if (reply.getHeader('content-type') === undefined) reply.header('content-type', json);
  return reply.send(text);
}

/** Half of an answer: with a fitting length, or with the connection cut in the middle. */
function sendTruncated(delivery: Delivery, answer: Answer, isCut: boolean): unknown {
  const whole = textOf(answer) ?? '';
  if (whole === '') return resetConnection(delivery);
  const half = whole.slice(0, Math.ceil(whole.length / 2));
  if (!isCut) return sendAnswer(delivery, { ...answer, text: half }, true);
  const { request, reply } = delivery;
  closeEntry(delivery, answer.status);
  reply.hijack();
  reply.raw.writeHead(answer.status, { 'content-type': json, 'content-length': Buffer.byteLength(whole) });
  reply.raw.write(half, () => request.raw.socket.destroy());
  return undefined;
}

/** Ends the connection without a word; the call's line keeps its status open. */
function resetConnection({ request, reply }: Delivery): undefined {
  reply.hijack();
  request.raw.socket.resetAndDestroy();
  return undefined;
}

function closeEntry({ double, entry }: Delivery, status: number): void {
  entry.status = status;
  entry.ms = double.realNowMs() - entry.at;
}

function exchangeOf({ request, entry }: Delivery, answer: Answer, isScripted: boolean): Exchange {
  const form = formOf(request);
  return {
    method: entry.method,
    path: entry.operation?.slice(entry.operation.indexOf(' ') + 1) ?? null,
    query: entry.query,
    requestHeaders: request.headers as Record<string, string>,
    requestBody: form === undefined ? parseJson(request.body) : Object.fromEntries(form),
    status: answer.status,
    responseHeaders: answer.headers ?? {},
    responseBody: answer.body,
    isScripted,
  };
}
