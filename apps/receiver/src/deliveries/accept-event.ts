import { type ParsedEvent, parseEvent } from '@passport/contract';
import type { Tracing } from '@passport/runtime';
import type { Authentication, Delivery } from './authentication.ts';
import type { EventSink, SinkAnswer } from './event-sink.ts';
import type { JobMaker } from './job-maker.ts';
import type { NoteSeen } from './note-seen.ts';
import { readJson } from './read-json.ts';
import type { Refusal } from './refusal.ts';

export type Acceptance =
  | { readonly kind: 'accepted'; readonly eventId: string; readonly isCancelled?: true }
  | { readonly kind: 'duplicate' | 'coalesced'; readonly eventId: string }
  | { readonly kind: 'seen' | 'test' | 'ignored'; readonly eventId: string }
  | Exclude<Refusal, { kind: 'not_found' }>;

/** A full backlog empties at the speed of the workers, not of a clock: this is a guess for the sender. */
const BACKLOG_RETRY_MS = 5_000;
const UNAVAILABLE_RETRY_MS = 2_000;

/**
 * Takes one delivery: its signature, then its body, then the queue (`test/answer-order.test.ts` has the order of all refusals).
 * `accepted` is said only after Redis has the job. No answer depends on anything but the delivery, the configuration and
 * what Redis holds.
 */
export function acceptEvent(deps: {
  readonly authenticate: (delivery: Delivery) => Authentication;
  readonly sink: EventSink;
  readonly jobs: JobMaker;
  readonly noteSeen: NoteSeen;
  /** W3C trace context of the delivery that is being taken, when traced. */
  readonly traceparent?: () => string | undefined;
}): (delivery: Delivery) => Promise<Acceptance> {
  const { authenticate, sink, jobs, noteSeen, traceparent } = deps;
  return async (delivery) => {
    const sender = authenticate(delivery);
    if (sender.kind !== 'genuine') return sender;
    const { library, headers } = sender;

    const content = readJson(delivery.body);
    const parsed = content === null ? null : parseEvent(content.json, headers.timestamp);
    const common = { library: library.id, eventId: headers.id, limits: library.limits };
    const context = traceparent?.();
    const answer =
      content !== null && parsed?.kind === 'patron.not_found'
        ? await sink.take(
            { ...common, mode: 'take', ...jobs.hashesOf(library.id, content.text, parsed.event) },
            (eventId, receivedMs) =>
              jobs.jobOf(library.id, eventId, parsed.event, {
                deliveredAt: headers.timestamp,
                receivedMs,
                traceparent: context,
              }),
          )
        : await sink.check({
            ...common,
            mode: content === null ? 'rate' : 'look',
            bodyHashes: content === null ? [] : jobs.bodyHashes(content.text),
            scanHash: '',
          });
    if (answer.kind === 'pass' && parsed?.kind === 'patron.seen') {
      return seen(await noteSeen(library.id, parsed.patronId), headers.id);
    }
    return answered(answer, parsed, headers.id);
  };
}

function answered(answer: SinkAnswer, parsed: ParsedEvent | null, eventId: string): Acceptance {
  switch (answer.kind) {
    case 'unavailable':
      return { kind: 'unavailable', retryAfterMs: UNAVAILABLE_RETRY_MS };
    case 'rate_limited':
      return { kind: 'rate_limited', retryAfterMs: answer.retryAfterMs };
    case 'reused':
      return { kind: 'id_reused' };
    case 'backlog_full':
      return { kind: 'backlog_full', retryAfterMs: BACKLOG_RETRY_MS };
    case 'new':
      return {
        kind: 'accepted',
        eventId: answer.eventId,
        ...(answer.isCancelled === true ? { isCancelled: true } : {}),
      };
    case 'duplicate':
      return { kind: 'duplicate', eventId: answer.eventId };
    case 'coalesced':
      return { kind: 'coalesced', eventId: answer.eventId };
    case 'pass':
      return passed(parsed, eventId);
    default:
      return answer satisfies never;
  }
}

const seen = (noted: Awaited<ReturnType<NoteSeen>>, eventId: string): Acceptance =>
  noted === 'unavailable'
    ? { kind: 'unavailable', retryAfterMs: UNAVAILABLE_RETRY_MS }
    : { kind: noted === 'noted' ? 'seen' : 'ignored', eventId };

/** What is not queued, once admission has nothing against it. */
function passed(parsed: ParsedEvent | null, eventId: string): Acceptance {
  switch (parsed?.kind) {
    case undefined:
      return { kind: 'not_json' };
    case 'passport.test':
      return { kind: 'test', eventId };
    case 'ignored':
      return { kind: 'ignored', eventId };
    case 'invalid':
      return { kind: 'invalid_field', field: parsed.field, problem: parsed.problem };
    case 'patron.seen':
    case 'patron.not_found':
      throw new Error('an event to queue was only looked at');
    default:
      return parsed satisfies never;
  }
}

/**
 * Takes each delivery in a span of its own, which begins the event's trace: a `traceparent` of the sender is not signed,
 * so it is not taken. What a sender calls itself is only logged when it is known to us.
 */
export function tracedAccept(
  accept: (delivery: Delivery) => Promise<Acceptance>,
  tracing: Tracing,
  isKnown: (library: string) => boolean,
): (delivery: Delivery) => Promise<Acceptance> {
  return (delivery) =>
    tracing.within(
      () => ({
        name: 'POST /webhooks/{library}',
        kind: 'server',
        facts: { library: isKnown(delivery.library) ? delivery.library : 'unknown' },
      }),
      async (annotate) => {
        const acceptance = await accept(delivery);
        const { kind: outcome } = acceptance;
        annotate('eventId' in acceptance ? { outcome, event: acceptance.eventId } : { outcome });
        return acceptance;
      },
    );
}
