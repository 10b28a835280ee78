import { parseConsent, parseDecision } from '@passport/contract';
import { type AnswerRecorded, answerConsent, answerDecision } from '@passport/queue/scans';
import type { Delivery } from '../deliveries/authentication.ts';
import { callRedis } from '../deliveries/call-redis.ts';
import type { Refusal } from '../deliveries/refusal.ts';
import { type FollowUpDeps, takeFollowUp } from './follow-up.ts';

/** `answer`: what the patron said; `option`: what staff have decided. */
export type AnswerTaken =
  | { readonly kind: 'consent'; readonly eventId: string; readonly answer: 'yes' | 'no' }
  | { readonly kind: 'decision'; readonly eventId: string; readonly option: string }
  | {
      readonly kind: 'no_question' | 'answered_before' | 'other_text' | 'no_option' | 'other_branch';
    }
  | Refusal;

/**
 * Takes the patron's answer for one event, by the checks of a delivery in their order. Its signature is over the event's own
 * `webhook-id` and a body that says `consent.answered`: one that was made for anything else is no answer. What Redis does not answer in
 * time is `unavailable`, and may have been kept: it may be repeated.
 */
export function takeConsent(
  deps: FollowUpDeps,
): (delivery: Delivery, eventId: string) => Promise<AnswerTaken> {
  const { redis, queue } = deps;
  return (delivery, eventId) =>
    takeFollowUp<AnswerTaken>(deps, delivery, eventId, async ({ library, headers, json }) => {
      const parsed = parseConsent(json, headers.timestamp);
      if (parsed.kind === 'invalid') return { ...parsed, kind: 'invalid_field' };
      const { answer } = parsed;
      const kept = await keep(deps, library, () => answerConsent(redis, queue, { library, eventId }, answer));
      return typeof kept === 'object' && kept.kind === 'recorded'
        ? { kind: 'consent', eventId: kept.eventId, answer: answer.answer }
        : notRecorded(kept);
    });
}

/** Takes what staff have decided of one event (`scan.decided`), as {@link takeConsent} takes what a patron said. */
export function takeDecision(
  deps: FollowUpDeps,
): (delivery: Delivery, eventId: string) => Promise<AnswerTaken> {
  const { redis, queue } = deps;
  return (delivery, eventId) =>
    takeFollowUp<AnswerTaken>(deps, delivery, eventId, async ({ library, headers, json }) => {
      const parsed = parseDecision(json, headers.timestamp);
      if (parsed.kind === 'invalid') return { ...parsed, kind: 'invalid_field' };
      const { decision } = parsed;
      const kept = await keep(deps, library, () =>
        answerDecision(redis, queue, { library, eventId }, decision),
      );
      return typeof kept === 'object' && kept.kind === 'recorded'
        ? { kind: 'decision', eventId: kept.eventId, option: decision.option }
        : notRecorded(kept);
    });
}

function notRecorded(kept: AnswerRecorded | 'unavailable'): AnswerTaken | 'unavailable' {
  if (kept === 'unavailable') return kept;
  switch (kept.kind) {
    case 'unknown':
      return { kind: 'not_found' };
    case 'answered':
      return { kind: 'answered_before' };
    case 'no_question':
    case 'other_text':
    case 'no_option':
    case 'other_branch':
      return { kind: kept.kind };
    case 'recorded':
      throw new Error('it was recorded');
    default:
      return kept.kind satisfies never;
  }
}

/** Has the answer kept in Redis, and on its replicas where an acceptance waits for them. */
function keep(
  deps: FollowUpDeps,
  library: string,
  answer: () => Promise<AnswerRecorded>,
): Promise<AnswerRecorded | 'unavailable'> {
  const { replicated } = deps;
  const task = { doing: 'keeping an answer of the desk', failed: 'an answer was not kept' };
  return callRedis(deps, task, async () => {
    const kept = await answer();
    if (kept.kind !== 'recorded' || replicated === null) return kept;
    return (await replicated([{ library, eventId: kept.eventId }])) ? kept : 'unavailable';
  });
}
