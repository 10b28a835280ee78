import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Answer } from '../answer.ts';
import type { CallEntry } from '../control/call-log.ts';
import type { Fault } from '../control/fault-queue.ts';
import type { Double } from '../double.ts';
import { parseJson } from '../parse-json.ts';
import { resetConnection, sendAnswer, sendTruncated, type Delivery } from './send-answer.ts';

/** What a proxy in front of a Koha shows when the Koha behind it is away. */
const page =
  '<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>\n';

type Produce = (entry: CallEntry) => Answer | Promise<Answer>;

/** Runs one API call: log entry, latency, redirect and faults around what the route itself does. */
export async function deliver(
  double: Double,
  request: FastifyRequest,
  reply: FastifyReply,
  operation: string | null,
  produce: Produce,
): Promise<unknown> {
  const entry = openEntry(double, request, operation);
  const delivery: Delivery = { double, request, reply, entry };
  const { at: atMs, path, query } = entry;
  double.onCall?.({ operation, path, query, body: parseJson(request.body), atMs });
  const { latency_ms, redirect_to } = double.settings;
  if (latency_ms > 0) await sleep(latency_ms);
  const fault = double.faults.take(operation ?? `${request.method} ${entry.path}`);
  if (fault !== undefined) return deliverFault(delivery, fault, produce);
  if (redirect_to === null) return sendAnswer(delivery, await produce(entry));
  const location = redirect_to.replace(/\/+$/, '') + request.url;
  return sendAnswer(delivery, { status: 302, headers: { Location: location } }, true);
}

async function deliverFault(delivery: Delivery, fault: Fault, produce: Produce): Promise<unknown> {
  const { entry, reply } = delivery;
  switch (fault.kind) {
    case 'delay':
      await sleep(fault.ms);
      return sendAnswer(delivery, await produce(entry));
    case 'status':
      if (fault.after) await produce(entry);
      return sendAnswer(
        delivery,
        { status: fault.status, headers: fault.headers, ...bodyOf(fault.body) },
        true,
      );
    case 'html':
      if (fault.after) await produce(entry);
      return sendAnswer(delivery, htmlAnswer(fault.status), true);
    case 'truncate':
      return sendTruncated(delivery, await produce(entry), fault.cut);
    case 'hang':
      if (fault.after) await produce(entry);
      reply.hijack();
      return undefined;
    case 'reset_before':
      return resetConnection(delivery);
    case 'reset_after':
      await produce(entry);
      return resetConnection(delivery);
    default:
      return fault satisfies never;
  }
}

function htmlAnswer(status: number): Answer {
  return { status, headers: { 'content-type': 'text/html;charset=UTF-8' }, text: page };
}

function bodyOf(body: unknown): Pick<Answer, 'body' | 'text'> {
  if (body === undefined || body === null) return { body: { error: 'Scripted fault' } };
  return typeof body === 'string' ? { text: body } : { body };
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
