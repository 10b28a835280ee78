import { type ConsentAnswer, parseConsent } from '@passport/contract';
import type { ConsentRecorded } from '@passport/queue';
import { type FollowUpDeps, type FollowUpRefused, RETRY_MS, admitSigned } from './admit-signed.ts';
import type { Delivery } from '../deliveries/authentication.ts';

/** Keeps the answer of an event of this library in the queue. */
export type KeepConsent = (
  library: string,
  eventId: string,
  answer: ConsentAnswer,
) => Promise<ConsentRecorded | 'unavailable'>;

export type ConsentTaken =
  | { readonly kind: 'consent'; readonly eventId: string; readonly answer: 'yes' | 'no' }
  | FollowUpRefused
  | { readonly kind: 'not_found' }
  | { readonly kind: 'no_question' | 'answered_before' | 'other_text' }
  | { readonly kind: 'invalid_field'; readonly field: string; readonly problem: string };

/**
 * Takes the patron's answer for one event, by the checks of a delivery in their order. Its signature is over the event's own
 * `webhook-id` and a body that says `consent.answered`: one that was made for anything else is no answer.
 */
export function takeConsent(
  deps: FollowUpDeps & { readonly keep: KeepConsent },
): (delivery: Delivery, eventId: string) => Promise<ConsentTaken> {
  const { keep } = deps;
  return async (delivery, eventId) => {
    const sent = await admitSigned(deps, delivery, eventId);
    if (sent.kind !== 'admitted') return sent;
    const parsed = parseConsent(sent.json, sent.headers.timestamp);
    if (parsed.kind === 'invalid') return { ...parsed, kind: 'invalid_field' };
    const kept = await keep(sent.library, eventId, parsed.answer);
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
