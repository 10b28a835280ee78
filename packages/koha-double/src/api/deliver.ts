import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Answer } from '../answer.ts';
import type { CallEntry } from '../control/call-log.ts';
import type { Fault } from '../control/fault-queue.ts';
import type { Double } from '../double.ts';

const json = 'application/json;charset=UTF-8';
const page =
  '<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>\n';

/** Runs one API call: log entry, latency, redirect and faults around what the route itself does. */
export async function deliver(
  double: Double,
  request: FastifyRequest,
  reply: FastifyReply,
  operation: string | null,
  answer: (entry: CallEntry) => Answer | Promise<Answer>,
): Promise<unknown> {
  const entry = openEntry(double, request, operation);
  const { latency_ms, redirect_to } = double.settings;
  if (latency_ms > 0) await sleep(latency_ms);
  const fault = double.faults.take(operation ?? `${request.method} ${entry.path}`);
  if (fault !== undefined) return deliverFault(double, request, reply, entry, fault, answer);
  if (redirect_to !== null) {
    const location = redirect_to.replace(/\/+$/, '') + request.url;
    return send(double, reply, entry, { status: 302, headers: { Location: location } });
  }
  return send(double, reply, entry, await answer(entry));
}

async function deliverFault(
  double: Double,
  request: FastifyRequest,
  reply: FastifyReply,
  entry: CallEntry,
  fault: Fault,
  answer: (entry: CallEntry) => Answer | Promise<Answer>,
): Promise<unknown> {
  switch (fault.kind) {
    case 'delay':
      await sleep(fault.ms);
      return send(double, reply, entry, await answer(entry));
    case 'status':
      if (fault.after) await answer(entry);
      return send(double, reply, entry, {
        status: fault.status,
        headers: fault.headers,
        ...bodyOf(fault.body),
      });
    case 'html':
      if (fault.after) await answer(entry);
      return send(double, reply, entry, {
        status: fault.status,
        headers: { 'content-type': 'text/html;charset=UTF-8' },
        text: page,
      });
    case 'truncate':
      return sendTruncated(double, request, reply, entry, await answer(entry), fault.cut);
    case 'hang':
      reply.hijack();
      return undefined;
    case 'reset_before':
      return reset(request, reply);
    case 'reset_after':
      await answer(entry);
      return reset(request, reply);
    default:
      return fault satisfies never;
  }
}

function bodyOf(body: unknown): Pick<Answer, 'body' | 'text'> {
  if (body === undefined || body === null) return { body: { error: 'Scripted fault' } };
  return typeof body === 'string' ? { text: body } : { body };
}

function reset(request: FastifyRequest, reply: FastifyReply): undefined {
  reply.hijack();
  request.raw.socket.resetAndDestroy();
  return undefined;
}

function sendTruncated(
  double: Double,
  request: FastifyRequest,
  reply: FastifyReply,
  entry: CallEntry,
  answer: Answer,
  isCut: boolean,
): unknown {
  const whole = JSON.stringify(answer.body ?? {});
  const half = whole.slice(0, Math.ceil(whole.length / 2));
  const { text: _text, ...rest } = answer;
  if (!isCut) return send(double, reply, entry, { ...rest, text: half });
  close(double, entry, answer.status);
  reply.hijack();
  reply.raw.writeHead(answer.status, { 'content-type': json, 'content-length': Buffer.byteLength(whole) });
  reply.raw.write(half, () => request.raw.socket.destroy());
  return undefined;
}

function send(double: Double, reply: FastifyReply, entry: CallEntry, answer: Answer): FastifyReply {
  close(double, entry, answer.status);
  reply.code(answer.status).headers({ ...answer.headers });
  if (double.settings.clock_skew_seconds !== 0) {
    reply.header('Date', new Date(double.clock.nowMs()).toUTCString());
  }
  if (answer.text === undefined && answer.body === undefined) return reply.send();
  if (reply.getHeader('content-type') === undefined) reply.header('content-type', json);
  return reply.send(answer.text ?? JSON.stringify(answer.body));
}

function openEntry(double: Double, request: FastifyRequest, operation: string | null): CallEntry {
  const mark = request.url.indexOf('?');
  const library = request.headers['x-koha-library'];
  return double.calls.begin({
    at: double.realNowMs(),
    method: request.method,
    path: mark === -1 ? request.url : request.url.slice(0, mark),
    query: mark === -1 ? '' : request.url.slice(mark + 1),
    operation,
    library: typeof library === 'string' ? library : null,
  });
}

function close(double: Double, entry: CallEntry, status: number): void {
  entry.status = status;
  entry.ms = double.realNowMs() - entry.at;
}
