import { type ConsentAnswer, parseConsent } from '@passport/contract';
import { type ConsentRecorded, answerConsent } from '@passport/queue/scans';
import type { Delivery } from '../deliveries/authentication.ts';
import { callRedis } from '../deliveries/call-redis.ts';
import type { Refusal } from '../deliveries/refusal.ts';
import { type FollowUpDeps, takeFollowUp } from './follow-up.ts';

export type ConsentTaken =
  | { readonly kind: 'consent'; readonly eventId: string; readonly answer: 'yes' | 'no' }
  | { readonly kind: 'no_question' | 'answered_before' | 'other_text' }
  | Refusal;

/**
 * Takes the patron's answer for one event, by the checks of a delivery in their order. Its signature is over the event's own
 * `webhook-id` and a body that says `consent.answered`: one that was made for anything else is no answer. What Redis does not answer in
 * time is `unavailable`, and may have been kept: it may be repeated.
 */
export function takeConsent(
  deps: FollowUpDeps,
): (delivery: Delivery, eventId: string) => Promise<ConsentTaken> {
  const task = { doing: "keeping a patron's answer", failed: 'an answer was not kept' };
  return (delivery, eventId) =>
    takeFollowUp<ConsentTaken>(deps, delivery, eventId, async ({ library, headers, json }) => {
      const parsed = parseConsent(json, headers.timestamp);
      if (parsed.kind === 'invalid') return { ...parsed, kind: 'invalid_field' };
      const { answer } = parsed;
      const kept = await callRedis(deps, task, () => keepAnswer(deps, library, eventId, answer));
      if (kept === 'unavailable') return kept;
      switch (kept.kind) {
        case 'recorded':
          return { kind: 'consent', eventId: kept.eventId, answer: answer.answer };
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
    });
}

async function keepAnswer(
  { redis, queue, replicated }: FollowUpDeps,
  library: string,
  id: string,
  answer: ConsentAnswer,
): Promise<ConsentRecorded | 'unavailable'> {
  const kept = await answerConsent(redis, queue, { library, eventId: id }, answer);
  if (kept.kind !== 'recorded' || replicated === null) return kept;
  return (await replicated([{ library, eventId: kept.eventId }])) ? kept : 'unavailable';
}
