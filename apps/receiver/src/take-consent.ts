import { parseConsent } from '@passport/contract';
import type { ConsentRecorded } from '@passport/queue';
import { type Authentication, type Delivery, OF_ANOTHER_EVENT } from './authentication.ts';
import type { EventSink } from './event-sink.ts';
import { readJson } from './read-json.ts';

/** What the desk reports of the patron's answer. */
export interface ReportedConsent {
  readonly answer: 'yes' | 'no';
  readonly textId: string;
  readonly operator: number | null;
  /** How long ago it was said when it was delivered, by the sender's clock. */
  readonly agoMs: number;
}

/** Keeps the answer of an event of this library in the queue. */
export type KeepConsent = (
  library: string,
  eventId: string,
  answer: ReportedConsent,
) => Promise<ConsentRecorded | 'unavailable'>;

export type ConsentTaken =
  | { readonly kind: 'consent'; readonly eventId: string; readonly answer: 'yes' | 'no' }
  | Exclude<Authentication, { kind: 'genuine' }>
  | { readonly kind: 'not_json' | 'not_found' }
  | { readonly kind: 'no_question' | 'answered_before' | 'other_text' }
  | { readonly kind: 'rate_limited' | 'unavailable'; readonly retryAfterMs: number }
  | { readonly kind: 'invalid_field'; readonly field: string; readonly problem: string };

const RETRY_MS = 1_000;

/**
 * Takes the patron's answer for one event, by the checks of a delivery in their order. Its signature is over the event's own
 * `webhook-id` and a body that says `consent.answered`: one that was made for anything else is no answer.
 */
export function takeConsent(deps: {
  readonly authenticate: (delivery: Delivery) => Authentication;
  readonly sink: Pick<EventSink, 'check'>;
  readonly keep: KeepConsent;
}): (delivery: Delivery, eventId: string) => Promise<ConsentTaken> {
  const { authenticate, sink, keep } = deps;
  return async (delivery, eventId) => {
    const sender = authenticate(delivery);
    if (sender.kind !== 'genuine') return sender;
    const { library, headers } = sender;
    if (headers.id !== eventId) return { kind: 'unauthorized', why: OF_ANOTHER_EVENT };
    const admission = { library: library.id, eventId, limits: library.limits, bodyHashes: [], scanHash: '' };
    const admitted = await sink.check({ ...admission, mode: 'rate' });
    if (admitted.kind === 'rate_limited') return admitted;
    if (admitted.kind !== 'pass') return { kind: 'unavailable', retryAfterMs: RETRY_MS };

    const content = readJson(delivery.body);
    if (content === null) return { kind: 'not_json' };
    const parsed = parseConsent(content.json, headers.timestamp);
    if (parsed.kind === 'invalid') return { ...parsed, kind: 'invalid_field' };
    const kept = await keep(library.id, eventId, parsed.answer);
    if (kept === 'unavailable') return { kind: 'unavailable', retryAfterMs: RETRY_MS };
    switch (kept.kind) {
      case 'recorded':
        return { kind: 'consent', eventId: kept.eventId, answer: parsed.answer.answer };
      case 'unknown':
        return { kind: 'not_found' };
      case 'answered':
        return { kind: 'answered_before' };
      case 'no_question':
      case 'other_text':
        return { kind: kept.kind };
      default:
        return kept.kind satisfies never;
    }
  };
}
